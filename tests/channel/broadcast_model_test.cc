// SPDX-License-Identifier: Apache-2.0
// Goal: the broadcast does what the contract says, whatever the order of steps.
// Method: random steps, from a printed seed, on a channel and on a model that keeps every value
// ever sent and looks through all of them at every question. After each step outcomes, sizes,
// counts and the set of values alive must agree.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "channel/broadcast.h"
#include "tests/channel/broadcast_model.h"
#include "tests/channel/broadcast_support.h"
#include "tests/channel/support.h"
#include "tests/support/seed.h"

namespace sluice::channel {
namespace {

using testing::Model;
using testing::ModelReceiver;
using testing::Show;
using testing::Started;
using testing::Tracked;
using testing::WeightOf;

// A channel and its model, taking the same steps.
class Twins {
 public:
  using Tx = broadcast::Sender<Tracked>;
  using Rx = broadcast::Receiver<Tracked>;
  using Recv = Started<Operation<broadcast::RecvRequest<Tracked>>>;
  using Closed = Started<Operation<ClosedRequest<broadcast::State<Tracked>>>>;

  Twins(std::size_t count, std::size_t bytes_max, std::uint64_t seed)
      : model_(count, bytes_max), random_(seed) {
    if (bytes_max == Model::kNoBound) {
      senders_.emplace_back(count);
    } else {
      senders_.emplace_back(count, bytes_max,
                            [](const Tracked& value) { return WeightOf(value.number); });
    }
    weak_.emplace(senders_.front().Downgrade());
    Subscribe();
  }

  void Step() {
    switch (random_() % 16) {
      case 0:
      case 1:
      case 2:
      case 3:
        return Send(1);
      case 4:
        return Send(2 + random_() % 6);
      case 5:
      case 6:
      case 7:
        return TryRecv();
      case 8:
        return RecvMany();
      case 9:
        return StartRecv();
      case 10:
        return StopRecv();
      case 11:
        return Subscribe();
      case 12:
        return DropReceiver();
      case 13:
        return StartClosed();
      case 14:
        return AddSender();
      default:
        return DropSender();
    }
  }

  void Check() {
    ASSERT_EQ(alive_, model_.Alive());
    ASSERT_EQ(weak_->strong_count(), model_.senders);
    for (std::size_t i = 0; i < receivers_.size(); ++i) {
      ASSERT_EQ(receivers_[i]->rx.size(), model_.sent - model_.receivers[i].cursor);
      ASSERT_EQ(receivers_[i]->rx.is_closed(), model_.senders == 0);
      ASSERT_EQ(receivers_[i]->recv != nullptr, model_.receivers[i].is_waiting);
    }
    if (senders_.empty()) return;
    ASSERT_EQ(senders_.front().size(), model_.Size());
    ASSERT_EQ(senders_.front().receiver_count(), model_.receivers.size());
    ASSERT_EQ(senders_.front().next_position(), model_.sent);
  }

  bool is_over() const { return senders_.empty() && receivers_.empty(); }

 private:
  struct Receiver {
    explicit Receiver(Rx receiver) : rx(std::move(receiver)) {}
    Rx rx;
    std::unique_ptr<Recv> recv;
  };

  static std::string ShowItem(const broadcast::Item<Tracked>& item) {
    return item.ok() ? std::to_string((*item)->number) : Show(item.error());
  }

  void Send(std::size_t count) {
    if (senders_.empty()) return;
    const Tx& tx = senders_[random_() % senders_.size()];
    std::vector<Tracked> values;
    for (std::size_t i = 0; i < count; ++i) values.emplace_back(model_.sent + i, &alive_);
    const std::size_t receivers = model_.receivers.size();
    bool is_accepted = false;
    for (std::size_t i = 0; i < count; ++i) is_accepted = model_.Send();
    if (count == 1) {
      const auto sent = tx.Send(std::move(values.front()));
      ASSERT_EQ(sent.ok(), is_accepted);
      if (is_accepted) {
        ASSERT_EQ(*sent, receivers);
      }
    } else {
      const auto sent = tx.SendMany(std::move(values));
      ASSERT_EQ(sent.ok(), is_accepted);
      ASSERT_EQ(is_accepted ? *sent : sent.error().value.size(), is_accepted ? receivers : count);
    }
    SettleWaiting(is_accepted);
  }

  // All that wait are told, if there is something to tell; none is, if not.
  void SettleWaiting(bool is_told) {
    for (std::size_t i = 0; i < receivers_.size(); ++i) {
      Receiver& receiver = *receivers_[i];
      if (receiver.recv == nullptr) continue;
      ASSERT_EQ(receiver.recv->pending(), !is_told);
      if (!is_told) continue;
      ASSERT_EQ(ShowItem(receiver.recv->outcome()), model_.TryRecv(model_.receivers[i]));
      receiver.recv.reset();
      model_.receivers[i].is_waiting = false;
    }
  }

  std::optional<std::size_t> Idle() {
    if (receivers_.empty()) return std::nullopt;
    const std::size_t i = random_() % receivers_.size();
    if (receivers_[i]->recv != nullptr) return std::nullopt;
    return i;
  }

  void TryRecv() {
    if (const auto i = Idle()) {
      ASSERT_EQ(ShowItem(receivers_[*i]->rx.TryRecv()), model_.TryRecv(model_.receivers[*i]));
    }
  }

  void RecvMany() {
    const auto i = Idle();
    if (!i || receivers_[*i]->rx.empty()) return;
    const std::size_t limit = 1 + random_() % 5;
    std::vector<broadcast::Value<Tracked>> values;
    const auto many = receivers_[*i]->rx.RecvMany(values, limit).Wait();
    ModelReceiver& expected = model_.receivers[*i];
    if (!many.ok()) {
      ASSERT_EQ(Show(many.error()), model_.TryRecv(expected));
      return;
    }
    ASSERT_EQ(*many, std::min<std::uint64_t>(limit, model_.sent - expected.cursor));
    ASSERT_EQ(*many, values.size());
    for (const auto& value : values) {
      ASSERT_EQ(std::to_string(value->number), model_.TryRecv(expected));
    }
  }

  void StartRecv() {
    const auto i = Idle();
    if (!i) return;
    Receiver& receiver = *receivers_[*i];
    receiver.recv = std::make_unique<Recv>([&receiver] { return receiver.rx.Recv(); });
    const std::string expected = model_.TryRecv(model_.receivers[*i]);
    model_.receivers[*i].is_waiting = expected == "empty";
    ASSERT_EQ(receiver.recv->pending(), expected == "empty");
    if (expected == "empty") return;
    ASSERT_EQ(ShowItem(receiver.recv->outcome()), expected);
    receiver.recv.reset();
  }

  void StopRecv() {
    if (receivers_.empty()) return;
    const std::size_t i = random_() % receivers_.size();
    if (receivers_[i]->recv == nullptr) return;
    if (random_() % 2 == 0) {
      ASSERT_TRUE(receivers_[i]->recv->Cancel());
    }
    receivers_[i]->recv.reset();
    model_.receivers[i].is_waiting = false;
  }

  void Subscribe() {
    if (receivers_.size() >= 5) return;
    const bool is_resubscribe = !receivers_.empty() && random_() % 2 == 0;
    if (!is_resubscribe && senders_.empty()) return;
    receivers_.push_back(std::make_unique<Receiver>(
        is_resubscribe ? receivers_.front()->rx.Resubscribe() : senders_.front().Subscribe()));
    model_.receivers.push_back({model_.sent, model_.sent});
  }

  void DropReceiver() {
    if (receivers_.empty()) return;
    const auto i = static_cast<std::ptrdiff_t>(random_() % receivers_.size());
    receivers_[static_cast<std::size_t>(i)]->recv.reset();
    receivers_.erase(receivers_.begin() + i);
    model_.receivers.erase(model_.receivers.begin() + i);
    if (closed_ == nullptr) return;
    ASSERT_EQ(closed_->pending(), !model_.receivers.empty());
    if (!closed_->pending()) closed_.reset();
  }

  void StartClosed() {
    if (senders_.empty() || closed_ != nullptr) return;
    closed_ = std::make_unique<Closed>([this] { return senders_.front().Closed(); });
    ASSERT_EQ(closed_->pending(), !model_.receivers.empty());
    if (!closed_->pending()) closed_.reset();
  }

  void AddSender() {
    if (senders_.size() >= 3) return;
    if (auto upgraded = weak_->Upgrade()) {
      ASSERT_NE(model_.senders, 0U);
      senders_.push_back(*std::move(upgraded));
      ++model_.senders;
    } else {
      ASSERT_EQ(model_.senders, 0U);
    }
  }

  void DropSender() {
    if (senders_.empty() || (senders_.size() == 1 && random_() % 40 != 0)) return;
    senders_.pop_back();
    --model_.senders;
    SettleWaiting(model_.senders == 0);
  }

  std::set<std::uint64_t> alive_;
  Model model_;
  std::mt19937_64 random_;
  std::vector<Tx> senders_;
  std::optional<broadcast::WeakSender<Tracked>> weak_;
  std::vector<std::unique_ptr<Receiver>> receivers_;
  std::unique_ptr<Closed> closed_;
};

void Compare(std::size_t count, std::size_t bytes_max, std::uint64_t seed) {
  Twins twins(count, bytes_max, seed);
  for (int step = 0; step < 600 && !twins.is_over(); ++step) {
    SCOPED_TRACE("step " + std::to_string(step) + ", count " + std::to_string(count));
    twins.Step();
    twins.Check();
    if (::testing::Test::HasFatalFailure()) return;
  }
}

// Clauses: B6 B7 B8 B9 B10 B13 B16 B20 B21 B24 B26
TEST(BroadcastModel, AgreesWithTheNaiveModel) {
  const std::uint64_t seed = sluice::testing::Seed("BroadcastModel");
  for (std::uint64_t run = 0; run < 200 && !HasFatalFailure(); ++run) {
    Compare(1 + run % 9, Model::kNoBound, seed + run);
  }
}

// Clauses: B27
TEST(BroadcastModel, AgreesWithTheNaiveModelWhenBoundInBytes) {
  const std::uint64_t seed = sluice::testing::Seed("BroadcastModelBytes");
  for (std::uint64_t run = 0; run < 200 && !HasFatalFailure(); ++run) {
    Compare(1 + run % 9, 1 + run % 23, seed + run);
  }
}

}  // namespace
}  // namespace sluice::channel
