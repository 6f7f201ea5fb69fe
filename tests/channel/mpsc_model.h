// SPDX-License-Identifier: Apache-2.0
// An mpsc channel as the contract tells it, without regard to cost: vectors, no lock, no waiters.
// The real one is compared with it (mpsc_model_test.cc). Values and operations are numbers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace sluice::channel::testing {

class MpscModel {
 public:
  // What happened, in words: "3 sent", "4 closed 17 18". Compared as a set after each step.
  using Events = std::vector<std::string>;

  explicit MpscModel(std::size_t slots) : slots_(slots) {}

  Events events;
  std::size_t handles = 1;  // sender handles, permits and sequences of permits included
  std::size_t issued = 0;   // slots: queued values, permits, and what waiters have collected
  std::deque<int> queue;
  bool is_closed = false;
  bool is_receiver_gone = false;
  bool are_senders_gone = false;

  std::size_t capacity() const { return line_.empty() ? slots_ - issued : 0; }
  // Sender operations in line count as senders.
  std::size_t senders() const { return handles + line_.size(); }
  std::size_t waiting_values() const {
    std::size_t count = 0;
    for (const Request& request : line_) count += request.values.size();
    return count;
  }

  std::string TrySend(std::vector<int> values) {
    if (is_closed) return "closed" + Words(values);
    while (!values.empty() && capacity() > 0) {
      ++issued;
      queue.push_back(values.front());
      values.erase(values.begin());
    }
    Settle();
    return values.empty() ? "sent" : "full" + Words(values);
  }
  std::string TryReserve(std::size_t n) {
    if (is_closed) return "closed";
    if (n > slots_) return "too many";
    if (n > capacity()) return "full";
    issued += n;
    ++handles;
    return "granted " + std::to_string(n);
  }
  void StartSend(int id, std::vector<int> values) {
    if (is_closed) return Tell(id, "closed" + Words(values));
    if (values.empty()) return Tell(id, "sent");
    line_.push_back({id, false, 0, 0, std::move(values)});
    Settle();
  }
  void StartReserve(int id, std::size_t n) {
    if (is_closed) return Tell(id, "closed");
    if (n > slots_) return Tell(id, "too many");
    if (n == 0) return Grant(id, 0);
    line_.push_back({id, true, n, 0, {}});
    Settle();
  }
  void StartClosed(int id) {
    if (is_closed) return Tell(id, "closed");
    closed_line_.push_back(id);
  }
  void StartRecv(int id, std::size_t limit, bool is_many) {
    if (is_many && limit == 0) return Tell(id, "received");
    recv_ = {id, limit, is_many};
    Settle();
  }
  bool is_receiving() const { return recv_.id >= 0; }

  // Takes a waiting operation out: true, and what it gives back, if it was waiting.
  std::pair<bool, std::string> Remove(int id) {
    for (std::size_t i = 0; i < line_.size(); ++i) {
      if (line_[i].id != id) continue;
      const std::string back = Words(line_[i].values);
      issued -= line_[i].held;
      line_.erase(line_.begin() + static_cast<std::ptrdiff_t>(i));
      Settle();
      return {true, back};
    }
    if (recv_.id == id) {
      recv_.id = -1;
      return {true, ""};
    }
    return {std::erase(closed_line_, id) > 0, ""};
  }

  std::string TryRecv() {
    if (queue.empty()) return HasEnded() ? "closed" : "empty";
    std::string word = "received" + Words({queue.front()});
    queue.pop_front();
    --issued;
    Settle();
    return word;
  }
  void Spend(int value) {
    --handles;
    if (is_receiver_gone) {
      --issued;
    } else {
      queue.push_back(value);
    }
    Settle();
  }
  void ReturnSlots(std::size_t n) {
    issued -= n;
    Settle();
  }
  void Close() {
    if (is_closed) return;
    is_closed = true;
    for (const Request& request : std::exchange(line_, {})) {
      issued -= request.held;
      Tell(request.id, "closed" + Words(request.values));
    }
    for (const int id : std::exchange(closed_line_, {})) Tell(id, "closed");
    Settle();
  }
  void DropReceiver() {
    Close();
    is_receiver_gone = true;
    issued -= queue.size();
    queue.clear();
    Settle();
  }
  // After each step: whether the last sender has gone.
  void CountSenders() {
    if (senders() > 0) return;
    are_senders_gone = true;
    Settle();
  }

 private:
  struct Request {
    int id;
    bool is_reserve;
    std::size_t wanted;
    std::size_t held;
    std::vector<int> values;
  };
  struct Recv {
    int id = -1;
    std::size_t limit = 0;
    bool is_many = false;
  };

  static std::string Words(const std::vector<int>& values) {
    std::string words;
    for (const int value : values) words += " " + std::to_string(value);
    return words;
  }
  void Tell(int id, const std::string& what) { events.push_back(std::to_string(id) + " " + what); }
  void Grant(int id, std::size_t n) {
    ++handles;
    Tell(id, "granted " + std::to_string(n));
  }
  bool HasEnded() const {
    if (!queue.empty()) return false;
    return is_receiver_gone || ((is_closed || are_senders_gone) && issued == 0);
  }

  // One slot at a time to the head of the line; then the receiver; until nothing moves.
  void Settle() {
    for (;;) {
      while (!line_.empty() && issued < slots_) {
        Request& head = line_.front();
        ++issued;
        if (head.is_reserve) {
          ++head.held;
        } else {
          queue.push_back(head.values.front());
          head.values.erase(head.values.begin());
        }
        const bool is_done = head.is_reserve ? head.held == head.wanted : head.values.empty();
        if (!is_done) continue;
        if (head.is_reserve) {
          Grant(head.id, head.held);
        } else {
          Tell(head.id, "sent");
        }
        line_.pop_front();
      }
      if (recv_.id < 0 || (queue.empty() && !HasEnded())) return;
      std::vector<int> taken;
      while (taken.size() < recv_.limit && !queue.empty()) {
        taken.push_back(queue.front());
        queue.pop_front();
        --issued;
      }
      const bool is_end = taken.empty() && !recv_.is_many;
      Tell(std::exchange(recv_.id, -1), is_end ? "closed" : "received" + Words(taken));
    }
  }

  const std::size_t slots_;
  std::deque<Request> line_;
  std::vector<int> closed_line_;
  Recv recv_;
};

}  // namespace sluice::channel::testing
