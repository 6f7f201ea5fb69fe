// SPDX-License-Identifier: Apache-2.0
// Goal: the watch does what the contract says, whatever the order of steps.
// Method: random steps, from a printed seed, on a channel and on a model of a few lines. After each
// step outcomes, versions, counts and the number of values alive must agree.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "channel/watch.h"
#include "tests/channel/support.h"
#include "tests/support/seed.h"

namespace sluice::channel {
namespace {

using testing::Started;

// A value that is counted, and can be copied, for Modify.
class Counted {
 public:
  explicit Counted(int n) : number(n) { ++live; }
  Counted(const Counted& other) : number(other.number) { ++live; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --live; }
  int number;
  static inline int live = 0;
};

bool IsAccepted(const Counted& value) { return value.number % 5 == 0; }

struct ModelReceiver {
  std::uint64_t seen;
  bool is_marked = false;  // told to see the current value as new
  bool IsUnseen(std::uint64_t version) const { return is_marked || seen != version; }
  void See(std::uint64_t version) {
    seen = version;
    is_marked = false;
  }
};

// A channel and its model, taking the same steps.
class Twins {
 public:
  explicit Twins(std::uint64_t seed) : random_(seed) {
    senders_.emplace_back(Counted(0));
    Subscribe();
  }

  void Step() {
    switch (random_() % 16) {
      case 0:
      case 1:
      case 2:
        return Send();
      case 3:
        return SendReplace();
      case 4:
      case 5:
        return Modify();
      case 6:
      case 7:
        return Borrow();
      case 8:
      case 9:
        return StartChanged();
      case 10:
        return StartWaitFor();
      case 11:
        return Stop();
      case 12:
        return Mark();
      case 13:
        return Subscribe();
      case 14:
        return DropReceiver();
      default:
        return AddOrDropSender();
    }
  }

  void Check() {
    ASSERT_EQ(Counted::live, is_over() ? 0 : 1);  // the current value, while there is a handle
    for (const auto& receiver : receivers_) {
      const auto has_changed = receiver->rx.HasChanged();
      ASSERT_EQ(has_changed.ok(), !senders_.empty());
      if (has_changed.ok()) {
        ASSERT_EQ(*has_changed, receiver->model.IsUnseen(version_));
      }
      ASSERT_EQ(receiver->rx.Borrow()->number, value_);
      ASSERT_EQ(receiver->rx.Borrow().version(), version_);
    }
    if (senders_.empty()) return;
    ASSERT_EQ(senders_.front().Borrow()->number, value_);
    ASSERT_EQ(senders_.front().receiver_count(), receivers_.size());
    ASSERT_EQ(senders_.front().sender_count(), senders_.size());
  }

  bool is_over() const { return senders_.empty() && receivers_.empty(); }

 private:
  using Tx = watch::Sender<Counted>;
  using Rx = watch::Receiver<Counted>;
  using Changed = Started<Operation<watch::ChangedRequest<Counted>>>;
  using WaitFor =
      Started<Operation<watch::WaitForRequest<Counted, bool (*)(const Counted& value)>>>;
  using Closed = Started<Operation<ClosedRequest<watch::State<Counted>>>>;

  struct Receiver {
    Receiver(Rx receiver, ModelReceiver state) : rx(std::move(receiver)), model(state) {}
    Rx rx;
    ModelReceiver model;
    std::unique_ptr<Changed> changed;
    std::unique_ptr<WaitFor> wait_for;
    bool is_waiting() const { return changed != nullptr || wait_for != nullptr; }
  };

  const Tx& AnySender() { return senders_[random_() % senders_.size()]; }
  Receiver* AnyReceiver() {
    return receivers_.empty() ? nullptr : receivers_[random_() % receivers_.size()].get();
  }
  Receiver* IdleReceiver() {
    Receiver* receiver = AnyReceiver();
    return receiver == nullptr || receiver->is_waiting() ? nullptr : receiver;
  }

  void Store(int value) {
    value_ = value;
    ++version_;
    Settle();
  }

  // Those that wait are told of the update, or of the end.
  void Settle() {
    for (const auto& receiver : receivers_) {
      if (receiver->changed != nullptr) {
        ASSERT_FALSE(receiver->changed->pending());
        CheckChanged(*receiver);
      } else if (receiver->wait_for != nullptr) {
        CheckWaitFor(*receiver, receiver->model.seen != version_);
      }
    }
  }

  // After Changed() has completed.
  void CheckChanged(Receiver& receiver) {
    const auto& outcome = receiver.changed->outcome();
    ASSERT_EQ(outcome.ok(), receiver.model.IsUnseen(version_));
    if (outcome.ok()) {
      ASSERT_EQ(*outcome, version_);
      receiver.model.See(version_);
    } else {
      ASSERT_EQ(outcome.error(), Errc::kClosed);
      ASSERT_TRUE(senders_.empty());
    }
    receiver.changed.reset();
  }

  // After something that WaitFor may have looked at.
  void CheckWaitFor(Receiver& receiver, bool is_shown) {
    receiver.model.See(version_);
    const bool is_accepted = is_shown && value_ % 5 == 0;
    ASSERT_EQ(receiver.wait_for->pending(), !is_accepted && !senders_.empty());
    if (receiver.wait_for->pending()) return;
    const auto& outcome = receiver.wait_for->outcome();
    ASSERT_EQ(outcome.ok(), is_accepted);
    if (is_accepted) {
      ASSERT_EQ(outcome->number, value_);
    }
    receiver.wait_for.reset();
  }

  void Send() {
    if (senders_.empty()) return;
    const int value = static_cast<int>(random_() % 100);
    const auto sent = AnySender().Send(Counted(value));
    ASSERT_EQ(sent.ok(), !receivers_.empty());
    if (!sent.ok()) {
      ASSERT_EQ(sent.error().value.number, value);
      return;
    }
    Store(value);
  }

  void SendReplace() {
    if (senders_.empty()) return;
    const int value = static_cast<int>(random_() % 100);
    const auto previous = AnySender().SendReplace(Counted(value));
    ASSERT_EQ(previous->number, value_);
    Store(value);
  }

  void Modify() {
    if (senders_.empty()) return;
    const auto kind = random_() % 4;
    const auto change = [kind](Counted& value) {
      ++value.number;
      if (kind == 3) throw std::runtime_error("no");
      return kind != 2;
    };
    if (kind == 3) {
      ASSERT_THROW(AnySender().Modify(change), std::runtime_error);
    } else if (kind == 2) {
      ASSERT_FALSE(AnySender().ModifyIf(change));
    } else if (kind == 1) {
      ASSERT_TRUE(AnySender().ModifyIf(change));
    } else {
      AnySender().Modify(change);
    }
    if (kind < 2) Store(value_ + 1);
  }

  void Borrow() {
    Receiver* const receiver = IdleReceiver();
    if (receiver == nullptr) return;
    const bool is_unseen = receiver->model.IsUnseen(version_);
    ASSERT_EQ(receiver->rx.Borrow().has_changed(), is_unseen);
    if (random_() % 2 == 0) return;
    ASSERT_EQ(receiver->rx.BorrowAndUpdate().has_changed(), is_unseen);
    receiver->model.See(version_);
  }

  void StartChanged() {
    Receiver* const receiver = IdleReceiver();
    if (receiver == nullptr) return;
    receiver->changed = std::make_unique<Changed>([receiver] { return receiver->rx.Changed(); });
    const bool is_decided = receiver->model.IsUnseen(version_) || senders_.empty();
    ASSERT_EQ(receiver->changed->pending(), !is_decided);
    if (is_decided) CheckChanged(*receiver);
  }

  void StartWaitFor() {
    Receiver* const receiver = IdleReceiver();
    if (receiver == nullptr) return;
    receiver->wait_for =
        std::make_unique<WaitFor>([receiver] { return receiver->rx.WaitFor(&IsAccepted); });
    CheckWaitFor(*receiver, true);
  }

  void Stop() {
    Receiver* const receiver = AnyReceiver();
    if (receiver == nullptr) return;
    if (receiver->changed != nullptr && random_() % 2 == 0) {
      ASSERT_TRUE(receiver->changed->Cancel());
    }
    receiver->changed.reset();
    receiver->wait_for.reset();
  }

  void Mark() {
    Receiver* const receiver = IdleReceiver();
    if (receiver == nullptr) return;
    if (random_() % 2 == 0) {
      receiver->rx.MarkChanged();
      receiver->model.is_marked = true;
    } else {
      receiver->rx.MarkUnchanged();
      receiver->model.See(version_);
    }
  }

  void Subscribe() {
    if (receivers_.size() >= 5) return;
    if (const Receiver* other = AnyReceiver(); other != nullptr && random_() % 2 == 0) {
      receivers_.push_back(std::make_unique<Receiver>(Rx(other->rx), other->model));
    } else if (!senders_.empty()) {
      receivers_.push_back(
          std::make_unique<Receiver>(senders_.front().Subscribe(), ModelReceiver{version_}));
    }
  }

  void DropReceiver() {
    if (senders_.size() == 1 && closed_ == nullptr) {
      closed_ = std::make_unique<Closed>([this] { return senders_.front().Closed(); });
      ASSERT_EQ(closed_->pending(), !receivers_.empty());
      if (!closed_->pending()) closed_.reset();
    }
    if (receivers_.empty()) return;
    receivers_.erase(receivers_.begin() +
                     static_cast<std::ptrdiff_t>(random_() % receivers_.size()));
    if (closed_ == nullptr) return;
    if (receivers_.empty()) {
      ASSERT_FALSE(closed_->pending());
    }
    if (!closed_->pending()) closed_.reset();
  }

  void AddOrDropSender() {
    if (senders_.empty()) return;
    if (random_() % 2 == 0 && senders_.size() < 3) {
      senders_.push_back(AnySender());
    } else if (senders_.size() > 1 || random_() % 20 == 0) {
      senders_.pop_back();
      if (senders_.empty()) Settle();
    }
  }

  std::mt19937_64 random_;
  std::vector<Tx> senders_;
  std::vector<std::unique_ptr<Receiver>> receivers_;
  std::unique_ptr<Closed> closed_;
  int value_ = 0;
  std::uint64_t version_ = 0;
};

// Clauses: W2 W3 W4 W5 W6 W7 W9 W11 W12 W13 W14 W15 W16 W17 W18 W21 W25 D5
TEST(WatchModel, AgreesWithTheNaiveModel) {
  const std::uint64_t seed = sluice::testing::Seed("WatchModel");
  for (std::uint64_t run = 0; run < 300; ++run) {
    Twins twins(seed + run);
    for (int step = 0; step < 600 && !twins.is_over(); ++step) {
      SCOPED_TRACE("run " + std::to_string(run) + ", step " + std::to_string(step));
      twins.Step();
      if (HasFatalFailure()) return;
      twins.Check();
      if (HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace sluice::channel
