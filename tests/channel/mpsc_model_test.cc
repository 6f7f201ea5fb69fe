// SPDX-License-Identifier: Apache-2.0
// The real channel beside the model: the same random steps to both, and after each of them the same
// outcomes, told to the same operations, and the same counts. The seed is printed; SLUICE_SEED
// replays it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "channel/mpsc.h"
#include "tests/channel/mpsc_model.h"
#include "tests/channel/mpsc_words.h"
#include "tests/channel/support.h"
#include "tests/support/seed.h"

namespace sluice::channel {
namespace {

using testing::Box;
using testing::MpscModel;
using testing::Of;
using testing::Running;
using testing::RunningOf;
using testing::Word;

class Comparison {
 public:
  Comparison(std::uint64_t seed, std::size_t slots)
      : random_(seed), slots_(slots), model_(slots), live_before_(Box::live()) {
    auto [sender, receiver] = mpsc::Bounded<Box>(slots);
    weak_.emplace(sender.Downgrade());
    senders_.push_back(std::move(sender));
    receiver_.emplace(std::move(receiver));
  }

  void Run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      trace_.clear();
      Step();
      Compare();
    }
  }

 private:
  std::size_t Pick(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }
  std::size_t SomeSlots() { return Pick(slots_ + 2); }
  const mpsc::Sender<Box>& Sender() { return senders_[Pick(senders_.size())]; }
  std::vector<int> Numbers(std::size_t n) {
    std::vector<int> numbers;
    while (numbers.size() < n) numbers.push_back(++last_value_);
    return numbers;
  }
  static std::vector<Box> Boxes(const std::vector<int>& numbers) {
    std::vector<Box> boxes;
    for (const int number : numbers) boxes.emplace_back(number);
    return boxes;
  }

  template <class Make, class Tell>
  void Start(int id, Make make, Tell tell) {
    using Op = std::remove_cvref_t<std::invoke_result_t<Make&>>;
    running_[id] = std::make_unique<RunningOf<Op, Tell>>(std::move(make), std::move(tell));
  }
  void Tell(int id, const Word& what) { events_.push_back(std::to_string(id) + " " + what); }
  void Expect(const Word& real, const Word& model) {
    EXPECT_EQ(real, model) << "in step " << trace_;
  }

  void Step() {
    const std::size_t what = Pick(100);
    if (what < 45 && !senders_.empty()) return SenderStep(what);
    if (what < 60) return PermitStep(what);
    if (what < 80 && receiver_) return ReceiverStep(what);
    if (what < 92 && !running_.empty()) return OperationStep(what);
    HandleStep(what);
  }

  void SenderStep(std::size_t what) {
    const auto& sender = Sender();
    const int id = ++last_id_;
    const auto tell_sent = [this, id](const auto& sent) { Tell(id, Of(sent)); };
    if (what < 10) {
      const auto numbers = Numbers(1);
      trace_ = "try send";
      Expect(Of(sender.TrySend(Box(numbers[0]))), model_.TrySend(numbers));
    } else if (what < 14) {
      const auto numbers = Numbers(SomeSlots());
      trace_ = "try send many";
      Expect(Of(sender.TrySendMany(Boxes(numbers))), model_.TrySend(numbers));
    } else if (what < 24) {
      const auto numbers = Numbers(1);
      trace_ = "send";
      model_.StartSend(id, numbers);
      Start(
          id, [&] { return sender.Send(Box(numbers[0])); }, tell_sent);
    } else if (what < 28) {
      const auto numbers = Numbers(SomeSlots());
      trace_ = "send many";
      model_.StartSend(id, numbers);
      Start(
          id, [&] { return sender.SendMany(Boxes(numbers)); }, tell_sent);
    } else if (what < 33) {
      trace_ = "reserve";
      model_.StartReserve(id, 1);
      Start(
          id, [&] { return sender.Reserve(); },
          [this, id](auto permit) {
            Tell(id, permit.ok() ? "granted 1" : Of(permit.error()));
            if (permit.ok()) permits_.push_back(*std::move(permit));
          });
    } else if (what < 37) {
      const std::size_t n = SomeSlots();
      trace_ = "reserve " + std::to_string(n);
      model_.StartReserve(id, n);
      Start(
          id, [&] { return sender.Reserve(n); },
          [this, id](auto permits) {
            Tell(id, permits.ok() ? "granted " + std::to_string((*permits).size())
                                  : Of(permits.error()));
            if (permits.ok()) sequences_.push_back(*std::move(permits));
          });
    } else if (what < 43) {
      const std::size_t n = SomeSlots();
      trace_ = "try reserve " + std::to_string(n);
      auto permits = sender.TryReserve(n);
      Expect(permits.ok() ? "granted " + std::to_string((*permits).size()) : Of(permits.error()),
             model_.TryReserve(n));
      if (permits.ok()) sequences_.push_back(*std::move(permits));
    } else {
      trace_ = "closed";
      model_.StartClosed(id);
      Start(
          id, [&] { return sender.Closed(); },
          [this, id](const Waited& waited) {
            Tell(id, waited.ok() ? "closed" : Of(waited.error()));
          });
    }
  }

  template <class Item>
  static Item TakeOut(std::vector<Item>& items, std::size_t index) {
    Item item = std::move(items[index]);
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(index));
    return item;
  }

  void PermitStep(std::size_t what) {
    if (what < 50 && !sequences_.empty()) {
      auto& sequence = sequences_[Pick(sequences_.size())];
      trace_ = "next permit";
      if (auto permit = sequence.Next()) {
        permits_.push_back(*std::move(permit));
        ++model_.handles;
      }
    } else if (what < 52 && !sequences_.empty()) {
      const auto dropped = TakeOut(sequences_, Pick(sequences_.size()));
      trace_ = "drop permits";
      --model_.handles;
      model_.ReturnSlots(dropped.size());
    } else if (!permits_.empty()) {
      auto permit = TakeOut(permits_, Pick(permits_.size()));
      if (what < 57) {
        trace_ = "permit send";
        const int value = Numbers(1)[0];
        model_.Spend(value);
        std::move(permit).Send(Box(value));
      } else {
        trace_ = what == 57 ? "permit release" : "permit drop";
        --model_.handles;
        model_.ReturnSlots(1);
        if (what == 57) std::move(permit).Release();
      }
    }
  }

  void ReceiverStep(std::size_t what) {
    const int id = ++last_id_;
    if (model_.is_receiving() || what < 68) {
      if (model_.is_receiving()) return;
      trace_ = "try recv";
      Expect(Of(receiver_->TryRecv()), model_.TryRecv());
    } else if (what < 74) {
      trace_ = "recv";
      model_.StartRecv(id, 1, false);
      Start(
          id, [&] { return receiver_->Recv(); },
          [this, id](const Result<Box, Errc>& box) { Tell(id, Of(box)); });
    } else {
      const std::size_t limit = SomeSlots();
      trace_ = "recv many " + std::to_string(limit);
      model_.StartRecv(id, limit, true);
      auto out = std::make_shared<std::vector<Box>>();
      Start(
          id, [&] { return receiver_->RecvMany(*out, limit); },
          [this, id, out](const Result<std::size_t, Errc>& count) {
            EXPECT_TRUE(!count.ok() || *count == out->size());
            Tell(id, count.ok() ? "received" + Of(*out) : Of(count.error()));
          });
    }
  }

  void OperationStep(std::size_t what) {
    const auto chosen =
        std::next(running_.begin(), static_cast<std::ptrdiff_t>(Pick(running_.size())));
    const int id = chosen->first;
    const auto [was_waiting, back] = model_.Remove(id);
    EXPECT_TRUE(was_waiting);
    if (what < 84) {
      trace_ = "cancel";
      const auto [has_won, real_back] = chosen->second->Cancel();
      EXPECT_TRUE(has_won);
      Expect(real_back, back);
      running_.erase(chosen);
    } else if (what < 88) {
      trace_ = "expire";
      model_.events.push_back(std::to_string(id) + " timed out" + back);
      EXPECT_TRUE(chosen->second->Expire());
    } else {
      trace_ = "destroy";
      running_.erase(chosen);
    }
  }

  void HandleStep(std::size_t what) {
    if (what < 94 && !senders_.empty() && senders_.size() < 4) {
      trace_ = "copy sender";
      senders_.push_back(Sender());
      ++model_.handles;
    } else if (what < 95 && !senders_.empty()) {
      trace_ = "drop sender";
      const auto dropped = TakeOut(senders_, Pick(senders_.size()));
      --model_.handles;
    } else if (what < 98) {
      trace_ = "upgrade";
      auto sender = weak_->Upgrade();
      EXPECT_EQ(sender.has_value(), !model_.are_senders_gone);
      if (sender) ++model_.handles;
      if (sender) senders_.push_back(*std::move(sender));
    } else if (receiver_ && Pick(10) == 0) {
      const bool is_drop = Pick(3) == 0;
      trace_ = is_drop ? "drop receiver" : "close";
      if (!is_drop) receiver_->Close();
      if (is_drop) receiver_.reset();
      if (is_drop) model_.DropReceiver();
      if (!is_drop) model_.Close();
    }
  }

  void Compare() {
    std::erase_if(running_, [](const auto& item) { return item.second->is_done(); });
    model_.CountSenders();
    std::erase_if(running_, [](const auto& item) { return item.second->is_done(); });
    std::sort(events_.begin(), events_.end());
    std::sort(model_.events.begin(), model_.events.end());
    ASSERT_EQ(events_, model_.events) << "after " << trace_;
    events_.clear();
    model_.events.clear();
    EXPECT_EQ(weak_->strong_count(), model_.senders()) << "after " << trace_;
    EXPECT_EQ(weak_->weak_count(), 1u);
    EXPECT_EQ(static_cast<std::size_t>(Box::live() - live_before_),
              model_.queue.size() + model_.waiting_values());
    if (!senders_.empty()) {
      EXPECT_EQ(senders_[0].capacity(), model_.capacity()) << "after " << trace_;
      EXPECT_EQ(senders_[0].is_closed(), model_.is_closed);
    }
    if (!receiver_) return;
    EXPECT_EQ(receiver_->capacity(), model_.capacity()) << "after " << trace_;
    EXPECT_EQ(receiver_->size(), model_.queue.size()) << "after " << trace_;
    EXPECT_EQ(receiver_->is_closed(), model_.is_closed || model_.are_senders_gone);
  }

  std::mt19937_64 random_;
  const std::size_t slots_;
  MpscModel model_;
  const int live_before_;
  MpscModel::Events events_;
  Word trace_;
  int last_id_ = 0;
  int last_value_ = 0;

  std::vector<mpsc::Sender<Box>> senders_;
  std::optional<mpsc::WeakSender<Box>> weak_;
  std::vector<mpsc::Permit<Box>> permits_;
  std::vector<mpsc::Permits<Box>> sequences_;
  std::optional<mpsc::Receiver<Box>> receiver_;
  std::map<int, std::unique_ptr<Running>> running_;
};

// Clauses: M5 M7 M8 M9 M10 M25 M26 M29 M30 M31 M36 M38 M41 M44 M50 G2 G3 G15
TEST(Mpsc, BehavesAsTheModel) {
  const std::uint64_t seed = sluice::testing::Seed("Mpsc.BehavesAsTheModel");
  for (std::uint64_t run = 0; run < 600; ++run) {
    SCOPED_TRACE("run " + std::to_string(run));
    Comparison(seed + run, 1 + run % 7).Run(250);
    if (HasFailure()) return;
  }
  EXPECT_EQ(Box::live(), 0);
}

}  // namespace
}  // namespace sluice::channel
