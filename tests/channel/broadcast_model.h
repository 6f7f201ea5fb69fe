// SPDX-License-Identifier: Apache-2.0
// What a broadcast must do, as plainly as it can be said: it remembers every value ever sent, and
// looks through all of them at every question.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sluice::channel::testing {

// Its number is its position in the channel. `alive` knows which exist.
class Tracked {
 public:
  Tracked(std::uint64_t position, std::set<std::uint64_t>* all) : number(position), alive_(all) {
    alive_->insert(number);
  }
  Tracked(Tracked&& other) noexcept
      : number(other.number), alive_(std::exchange(other.alive_, nullptr)) {}
  Tracked& operator=(Tracked&&) = delete;
  ~Tracked() {
    if (alive_ != nullptr) alive_->erase(number);
  }
  const std::uint64_t number;

 private:
  std::set<std::uint64_t>* alive_;
};

inline std::size_t WeightOf(std::uint64_t position) { return 1 + position % 7; }

struct ModelReceiver {
  std::uint64_t start;
  std::uint64_t cursor;
  bool is_waiting = false;
};

class Model {
 public:
  Model(std::size_t count, std::size_t bytes_max) : bytes_max_(bytes_max) {
    while (capacity_ < count) capacity_ *= 2;
  }

  bool Send() {
    if (receivers.empty()) return false;
    const std::uint64_t position = sent++;
    kept_.insert(position);
    Forget();
    while (kept_.size() > capacity_ || (Bytes() > bytes_max_ && kept_.size() > 1)) {
      overwritten_ = *kept_.begin() + 1;
      kept_.erase(kept_.begin());
    }
    return true;
  }

  std::string TryRecv(ModelReceiver& receiver) {
    const std::uint64_t behind = sent - receiver.cursor;
    const std::uint64_t missed =
        overwritten_ > receiver.cursor ? overwritten_ - receiver.cursor : 0;
    if (bytes_max_ == kNoBound) {  // the contract's own formula (B8)
      EXPECT_EQ(missed, behind > capacity_ ? sent - capacity_ - receiver.cursor : 0);
    }
    if (missed != 0) {
      receiver.cursor += missed;
      return "lagged " + std::to_string(missed);
    }
    if (behind != 0) return std::to_string(receiver.cursor++);
    return senders == 0 ? "closed" : "empty";
  }

  // Exactly what some live receiver, subscribed before, has neither read nor lost (B20).
  std::set<std::uint64_t> Alive() {
    Forget();
    return kept_;
  }
  std::uint64_t Size() {  // B21
    Forget();
    if (bytes_max_ != kNoBound) return kept_.size();
    std::uint64_t wanted = 0;
    for (const ModelReceiver& receiver : receivers) {
      wanted = std::max(wanted, sent - receiver.cursor);
    }
    return std::min<std::uint64_t>(capacity_, wanted);
  }

  static constexpr std::size_t kNoBound = std::numeric_limits<std::size_t>::max();
  std::vector<ModelReceiver> receivers;
  std::size_t senders = 1;
  std::uint64_t sent = 0;

 private:
  void Forget() {
    std::erase_if(kept_, [this](std::uint64_t position) {
      return std::none_of(receivers.begin(), receivers.end(), [position](const auto& receiver) {
        return receiver.start <= position && receiver.cursor <= position;
      });
    });
  }
  std::size_t Bytes() const {
    std::size_t bytes = 0;
    for (const std::uint64_t position : kept_) bytes += WeightOf(position);
    return bytes;
  }

  std::size_t capacity_ = 1;
  const std::size_t bytes_max_;
  std::set<std::uint64_t> kept_;
  std::uint64_t overwritten_ = 0;  // all below this
};

}  // namespace sluice::channel::testing
