// SPDX-License-Identifier: Apache-2.0
// Receiving one and many, and weak senders.
#include "channel/mpsc.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "tests/channel/support.h"

namespace sluice::channel {
namespace {

using testing::Box;
using testing::Started;

template <class Tx, class Rx, class TrySend>
void FillDrainAndEnd(Tx tx, Rx rx, bool is_bounded, TrySend try_send) {
  int next = 0;
  int expected = 0;
  const auto send = [&](int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(try_send(tx, next++).ok());
    if (is_bounded) {
      ASSERT_EQ(try_send(tx, -1).error().why, Errc::kFull);
    }
  };
  const auto receive = [&](int count) {
    for (int i = 0; i < count; ++i) ASSERT_EQ(*rx.TryRecv(), expected++);
  };
  send(5);
  receive(5);
  EXPECT_EQ(rx.TryRecv().error(), Errc::kEmpty);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(try_send(tx, next++).ok());
  receive(1);
  send(2);
  receive(5);
  EXPECT_EQ(rx.TryRecv().error(), Errc::kEmpty);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(try_send(tx, next++).ok());
  { auto last = std::move(tx); }
  receive(3);
  EXPECT_EQ(rx.TryRecv().error(), Errc::kClosed);
}

// Clauses: M41 M42 M12
TEST(Mpsc, P23_TryRecv) {
  auto [tx, rx] = mpsc::Bounded<int>(5);
  FillDrainAndEnd(std::move(tx), std::move(rx), true,
                  [](auto& sender, int value) { return sender.TrySend(value); });
  auto [utx, urx] = mpsc::Unbounded<int>();
  FillDrainAndEnd(std::move(utx), std::move(urx), false,
                  [](auto& sender, int value) { return sender.Send(value); });
}

// Clauses: M41
TEST(Mpsc, TryRecvAfterACloseWithAPermitOutstanding) {
  auto [tx, rx] = mpsc::Bounded<int>(2);
  std::optional permit(*tx.TryReserve());
  rx.Close();
  EXPECT_EQ(rx.TryRecv().error(), Errc::kEmpty);
  permit.reset();
  EXPECT_EQ(rx.TryRecv().error(), Errc::kClosed);
}

// Clauses: M28
TEST(Mpsc, P26_EmptyIsRightAfterEveryPair) {
  auto [tx, rx] = mpsc::Bounded<int>(33);
  auto [utx, urx] = mpsc::Unbounded<int>();
  for (int i = 1; i <= 256; ++i) {
    ASSERT_TRUE(tx.TrySend(i).ok());
    ASSERT_TRUE(utx.Send(i).ok());
    ASSERT_FALSE(rx.empty() || urx.empty());
    ASSERT_EQ(*rx.TryRecv(), i);
    ASSERT_EQ(*urx.TryRecv(), i);
    ASSERT_TRUE(rx.empty() && urx.empty());
    ASSERT_EQ(rx.size() + urx.size(), 0u);
  }
}

// Clauses: M44
TEST(Mpsc, P31_RecvManyInPortions) {
  std::vector<int> out;
  auto [tx, rx] = mpsc::Bounded<int>(2);
  EXPECT_EQ(*rx.RecvMany(out, 0).Wait(), 0u);
  Started producer([&s = tx] { return s.SendMany({1, 2, 7, 0}); });
  EXPECT_EQ(*rx.RecvMany(out, 0).Wait(), 0u);
  while (out.size() < 4) ASSERT_GT(*rx.RecvMany(out, 3).Wait(), 0u);
  EXPECT_EQ(out, std::vector({1, 2, 7, 0}));
  EXPECT_TRUE(producer.outcome().ok());
  rx.Close();
  EXPECT_EQ(*rx.RecvMany(out, 0).Wait(), 0u);
  EXPECT_EQ(*rx.RecvMany(out, 3).Wait(), 0u);
}

// Clauses: M44
TEST(Mpsc, P32_RecvManyAppends) {
  auto [tx, rx] = mpsc::Bounded<int>(2);
  std::vector<int> out{1};
  rx.Close();
  EXPECT_EQ(*rx.RecvMany(out, 1).Wait(), 0u);
  EXPECT_EQ(out, std::vector({1}));
  auto [utx, urx] = mpsc::Unbounded<int>();
  ASSERT_TRUE(utx.SendMany({2, 3}).ok());
  urx.Close();
  EXPECT_EQ(*urx.RecvMany(out, 1).Wait(), 1u);
  EXPECT_EQ(out, std::vector({1, 2}));
}

// Clauses: M44 M2
TEST(Mpsc, P33_RecvManyTakesWhatThereIs) {
  auto [tx, rx] = mpsc::Unbounded<char>();
  std::vector<char> out;
  Started many([&, &r = rx] { return r.RecvMany(out, 10); });
  EXPECT_TRUE(many.pending());
  ASSERT_TRUE(tx.Send('a').ok());
  EXPECT_EQ(*many.outcome(), 1u);
  EXPECT_EQ(out, std::vector({'a'}));
  ASSERT_TRUE(tx.SendMany({'b', 'c', 'd'}).ok());
  { auto last = std::move(tx); }
  EXPECT_EQ(*rx.RecvMany(out, 10).Wait(), 3u);
  EXPECT_EQ(*rx.RecvMany(out, 10).Wait(), 0u);
  EXPECT_EQ(out, std::vector({'a', 'b', 'c', 'd'}));
}

// Five values leave, and only then are their slots issued: to the first five in line.
// Clauses: M45 M46 M7
TEST(Mpsc, RecvManyServesTheLineInOrderOfStart) {
  auto [tx, rx] = mpsc::Bounded<int>(5);
  ASSERT_TRUE(tx.TrySendMany({0, 1, 2, 3, 4}).ok());
  std::vector<std::unique_ptr<Started<decltype(tx.Send(0))>>> sends;
  for (int i = 5; i < 11; ++i) {
    sends.push_back(
        std::make_unique<Started<decltype(tx.Send(0))>>([&s = tx, i] { return s.Send(i); }));
  }
  std::vector<int> out;
  EXPECT_EQ(*rx.RecvMany(out, 100).Wait(), 5u);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(sends[i]->pending(), i == 5) << i;
  EXPECT_EQ(*rx.RecvMany(out, 100).Wait(), 5u);
  EXPECT_EQ(*rx.RecvMany(out, 100).Wait(), 1u);
  EXPECT_EQ(out, std::vector({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
}

// Clauses: M43 G3
TEST(Mpsc, ACancelledRecvHasConsumedNothing) {
  auto [tx, rx] = mpsc::Bounded<int>(1);
  Started recv([&r = rx] { return r.Recv(); });
  EXPECT_TRUE(recv.Cancel());
  ASSERT_TRUE(tx.TrySend(1).ok());
  EXPECT_EQ(recv.calls(), 0);
  EXPECT_EQ(*rx.TryRecv(), 1);

  // Destroyed after it was woken, before it was told.
  std::optional<Started<decltype(rx.Recv())>> woken;
  woken.emplace([&r = rx] { return r.Recv(); });
  auto outer = tx.Reserve(0);
  outer.Start([&, &tx = tx](auto) {
    EXPECT_TRUE(tx.TrySend(2).ok());
    EXPECT_FALSE(woken->Cancel());
    woken.reset();
  });
  EXPECT_EQ(*rx.TryRecv(), 2);
}

// Clauses: M47 M48 M24
TEST(Mpsc, P35_WeakSenders) {
  auto [tx, rx] = mpsc::Bounded<int>(2);
  std::optional tx1(std::move(tx));
  std::optional weak1(tx1->Downgrade());
  EXPECT_TRUE(weak1->Upgrade().has_value());
  std::optional tx2(*tx1);
  std::optional weak2(*weak1);
  EXPECT_EQ(tx1->strong_count(), 2u);
  EXPECT_EQ(weak1->strong_count(), 2u);
  EXPECT_EQ(rx.strong_count(), 2u);
  EXPECT_EQ(tx1->weak_count(), 2u);
  EXPECT_EQ(weak2->weak_count(), 2u);
  EXPECT_EQ(rx.weak_count(), 2u);
  tx2.reset();
  weak2.reset();
  EXPECT_EQ(rx.strong_count(), 1u);
  EXPECT_EQ(rx.weak_count(), 1u);
  EXPECT_TRUE(weak1->Upgrade()->TrySend(1).ok());

  std::optional permit(*tx1->TryReserve());
  tx1.reset();
  EXPECT_TRUE(weak1->Upgrade().has_value());
  permit.reset();
  EXPECT_FALSE(weak1->Upgrade().has_value());
  EXPECT_FALSE(weak1->Upgrade().has_value());
  EXPECT_EQ(weak1->strong_count(), 0u);
  EXPECT_EQ(*rx.TryRecv(), 1);
  EXPECT_EQ(rx.TryRecv().error(), Errc::kClosed);
}

// Clauses: G14
TEST(Mpsc, SameChannelIsIdentity) {
  auto [tx, rx] = mpsc::Bounded<int>(4);
  auto [other, other_rx] = mpsc::Bounded<int>(4);
  EXPECT_TRUE(tx.SameChannel(mpsc::Sender<int>(tx)));
  EXPECT_FALSE(tx.SameChannel(other));
  EXPECT_TRUE(tx.Downgrade().SameChannel(tx.Downgrade()));
  EXPECT_FALSE(tx.Downgrade().SameChannel(other.Downgrade()));
  EXPECT_TRUE((*tx.TryReserve()).SameChannel(*tx.TryReserve()));
  EXPECT_FALSE((*tx.TryReserve()).SameChannel(*other.TryReserve()));
  EXPECT_TRUE((*tx.TryReserve(2)).SameChannel(*tx.TryReserve(1)));
  auto [utx, urx] = mpsc::Unbounded<int>();
  EXPECT_TRUE(utx.SameChannel(*utx.Downgrade().Upgrade()));
}

// An actor that holds its own receiver and a weak sender to itself.
class Actor {
 public:
  struct Message {
    bool is_from_itself;
    std::optional<mpsc::Sender<int>> reply;
  };

  Actor(mpsc::Receiver<Message> receiver, mpsc::WeakSender<Message> self)
      : receiver_(std::move(receiver)), self_(std::move(self)) {
    Next();
  }
  int calls() const { return calls_; }
  int own_messages() const { return own_messages_; }
  bool has_stopped() const { return has_stopped_; }

 private:
  void Next() {
    recv_.reset(new Operation<mpsc::RecvRequest<Message>>(receiver_.Recv()));
    recv_->Start([this](Result<Message, Errc> message) { On(std::move(message)); });
  }
  void On(Result<Message, Errc> message) {
    if (!message.ok()) {
      has_stopped_ = true;
      return;
    }
    if ((*message).is_from_itself) {
      ++own_messages_;
    } else {
      ++calls_;
      const std::optional<mpsc::Sender<Message>> sender = self_.Upgrade();
      ASSERT_TRUE(sender.has_value());
      ASSERT_TRUE(sender->TrySend(Message{true, std::nullopt}).ok());
      ASSERT_TRUE((*message).reply->TrySend(calls_).ok());
    }
    Next();
  }

  mpsc::Receiver<Message> receiver_;
  const mpsc::WeakSender<Message> self_;
  std::unique_ptr<Operation<mpsc::RecvRequest<Message>>> recv_;
  int calls_ = 0;
  int own_messages_ = 0;
  bool has_stopped_ = false;
};

// Clauses: M49 M47
TEST(Mpsc, P36_AnActorDoesNotKeepItselfAlive) {
  auto [tx, rx] = mpsc::Bounded<Actor::Message>(4);
  Actor actor(std::move(rx), tx.Downgrade());
  auto [reply_tx, reply_rx] = mpsc::Bounded<int>(1);
  {
    const auto handle = std::move(tx);
    ASSERT_TRUE(handle.TrySend(Actor::Message{false, std::move(reply_tx)}).ok());
    EXPECT_EQ(*reply_rx.TryRecv(), 1);
    EXPECT_FALSE(actor.has_stopped());
  }
  EXPECT_EQ(actor.own_messages(), 1);
  EXPECT_TRUE(actor.has_stopped());
}

// Clauses: G9
TEST(Mpsc, P37_AStoredCallbackIsReleased) {
  const auto shared = std::make_shared<int>(0);
  auto [tx, rx] = mpsc::Bounded<int>(1);
  {
    const auto receiver = std::make_unique<mpsc::Receiver<int>>(std::move(rx));
    auto cancelled = receiver->Recv();
    cancelled.Start([shared](auto) {});
    EXPECT_EQ(shared.use_count(), 2);
    EXPECT_TRUE(cancelled.Cancel());
    EXPECT_EQ(shared.use_count(), 1);
    auto recv = receiver->Recv();
    recv.Start([shared](auto) {});
    EXPECT_EQ(shared.use_count(), 2);
  }
  EXPECT_EQ(shared.use_count(), 1);
  EXPECT_TRUE(tx.is_closed());
}

// A receive that outlives its receiver is told the end, not left waiting.
// Clauses: G2 M38
TEST(Mpsc, ARecvEndsWithItsReceiver) {
  auto [tx, rx] = mpsc::Bounded<int>(1);
  auto permit = tx.TryReserve();
  std::optional receiver(std::move(rx));
  Started recv([&] { return receiver->Recv(); });
  receiver.reset();
  EXPECT_EQ(recv.outcome().error(), Errc::kClosed);
}

}  // namespace
}  // namespace sluice::channel
