// SPDX-License-Identifier: Apache-2.0
// Replies in parts: gathered or one by one, and how many are allowed.
#include <gmock/gmock.h>

#include "broker/responder/envelope.h"
#include "tests/broker/responder_fixture.h"

namespace sluice::broker {
namespace {

using ::testing::IsEmpty;

class ResponderParts : public ResponderFixture {
 protected:
  // The credit told since the last look, of the only call; 0: none was.
  static std::uint64_t ToldParts(Serving& worker) {
    const WorkerNews news = worker.Take();
    return news.part_credit.empty() ? 0 : news.part_credit.back().parts;
  }
};

TEST_F(ResponderParts, OneByOneAsTheyCome) {
  const auto responder = Make();
  Serving worker(*responder);
  Asking asking(*responder);
  asking.Ask(1, InParts(16));
  const Assignment assignment = worker.TakeOne();
  EXPECT_TRUE(assignment.wants_parts);
  EXPECT_EQ(assignment.part_credit, 16u);
  EXPECT_EQ(worker.Part(1, "one"), Outcome::kOk);
  const CallReply part = asking.Only();
  EXPECT_EQ(part.outcome, Outcome::kOk);
  EXPECT_EQ(part.message.payload(), "one");
  EXPECT_FALSE(part.is_last);
  EXPECT_EQ(worker.Part(1, "two"), Outcome::kOk);
  EXPECT_EQ(worker.End(1), Outcome::kOk);
  const std::vector<CallReply> rest = asking.Take();
  ASSERT_EQ(rest.size(), 2u);
  EXPECT_FALSE(rest[0].is_last);
  EXPECT_TRUE(rest[1].is_last);
  EXPECT_FALSE(rest[1].message);
  EXPECT_EQ(rest[1].outcome, Outcome::kOk);
  EXPECT_EQ(Look(*responder).retained_bytes, 0u);
}

// A caller that is a little slower than its worker: something is always left when it takes.
TEST_F(ResponderParts, WhatWasTakenOfALongReplyIsNotKept) {
  Caller caller(nullptr);
  Envelope call(caller, 1, {}, InParts(16));
  std::size_t most = 0;
  for (int i = 0; i < 10'000; ++i) {
    call.replies.resize(call.replies.size() + (i == 0 ? 3 : 1));
    ++call.next_reply;
    call.DropTaken();
    most = std::max(most, call.replies.size());
    ASSERT_EQ(call.replies.size() - call.next_reply, 2u);
  }
  EXPECT_LE(most, 5u);
}

TEST_F(ResponderParts, TheCallersCreditReachesTheWorker) {
  const auto responder = Make();
  Serving worker(*responder);
  Asking asking(*responder);
  asking.Ask(1, InParts(2));
  EXPECT_EQ(worker.TakeOne().part_credit, 2u);
  asking.responder.AllowParts(asking.caller, 1, 2);  // told again
  EXPECT_EQ(ToldParts(worker), 0u);
  asking.responder.AllowParts(asking.caller, 1, 5);
  asking.responder.AllowParts(asking.caller, 1, 4);
  EXPECT_EQ(ToldParts(worker), 5u);
  EXPECT_EQ(ToldParts(worker), 0u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(worker.Part(1), Outcome::kOk);
  EXPECT_EQ(worker.Part(1), Outcome::kFailed);
  EXPECT_EQ(worker.Part(1), Outcome::kAlreadyDone);
  const std::vector<CallReply> replies = asking.Take();
  ASSERT_EQ(replies.size(), 6u);
  EXPECT_EQ(replies[5].outcome, Outcome::kFailed);
  EXPECT_EQ(replies[5].failure.code, "_PART_CREDIT");
  EXPECT_TRUE(replies[5].is_last);
  asking.responder.AllowParts(asking.caller, 1, 99);  // of a call that is over: ignored
  EXPECT_EQ(Look(*responder).counts.failed, 1u);
}

TEST_F(ResponderParts, CreditOfAQueuedCallIsNotLost) {
  const auto responder = Make();
  Serving worker(*responder, 0);
  Asking asking(*responder);
  asking.Ask(1, InParts(2));
  asking.responder.AllowParts(asking.caller, 1, 7);
  responder->SetCredit(worker.worker, {});
  EXPECT_EQ(worker.TakeOne().part_credit, 7u);
}

// Clauses: N14
TEST_F(ResponderParts, WhereMemoryIsShortTheRestComesLater) {
  // Room for two parts of the largest size beside what is there.
  const auto responder = Make({.bytes_max = 1'024, .message_bytes_max = 400});
  Serving worker(*responder);
  Asking asking(*responder);
  asking.Ask(1, InParts(10));
  EXPECT_EQ(worker.TakeOne().part_credit, 3u);  // one is always allowed
  asking.Ask(2, InParts(10));
  EXPECT_EQ(worker.TakeOne().part_credit, 1u);
  const std::string part(120, 'x');
  EXPECT_EQ(worker.Part(2, part), Outcome::kOk);
  EXPECT_EQ(ToldParts(worker), 0u);  // the first has what there is
  asking.Take();
  EXPECT_EQ(ToldParts(worker), 2u);  // nothing is on its way: one more
  EXPECT_EQ(worker.End(1), Outcome::kOk);
  std::uint64_t told = ToldParts(worker);  // what the first had is free again
  EXPECT_GT(told, 2u);
  std::uint64_t sent = 1;
  for (; sent < told; told = std::max(told, ToldParts(worker))) {
    EXPECT_EQ(worker.Part(2, part), Outcome::kOk);
    ++sent;
  }
  EXPECT_LT(sent, 10u);  // nobody takes them
  EXPECT_LE(Look(*responder).retained_bytes, 1'024u);
  EXPECT_EQ(worker.Part(2), Outcome::kFailed);
  asking.Take();
  EXPECT_EQ(Look(*responder).retained_bytes, 0u);
}

TEST_F(ResponderParts, PartsAreGathered) {
  const auto responder = Make();
  Serving worker(*responder);
  Asking asking(*responder);
  asking.Ask(1);
  EXPECT_GE(worker.TakeOne().part_credit, 1u);
  for (const char* part : {"one,", "", "two,"}) EXPECT_EQ(worker.Part(1, part), Outcome::kOk);
  EXPECT_THAT(asking.Take(), IsEmpty());
  EXPECT_EQ(worker.Reply(1, "three"), Outcome::kOk);
  const CallReply reply = asking.Only();
  EXPECT_EQ(reply.message.payload(), "one,");  // what stands beside it is that of the first
  ASSERT_NE(reply.joined_payload, nullptr);
  EXPECT_EQ(*reply.joined_payload, "one,two,three");
  EXPECT_EQ(Look(*responder).retained_bytes, 0u);
  asking.Ask(2);
  EXPECT_EQ(worker.Part(worker.TakeOne().call_id, "all"), Outcome::kOk);
  EXPECT_EQ(worker.End(2), Outcome::kOk);
  const CallReply all = asking.Only();
  EXPECT_EQ(all.message.payload(), "all");
  EXPECT_EQ(all.joined_payload, nullptr);
}

TEST_F(ResponderParts, GatheringNeverWaitsForCredit) {
  const auto responder = Make();
  Serving worker(*responder);
  Asking asking(*responder);
  asking.Ask(1);
  std::uint64_t allowed = worker.TakeOne().part_credit;
  for (std::uint64_t sent = 0; sent < 5'000; ++sent) {
    if (sent == allowed) allowed = ToldParts(worker);
    ASSERT_LT(sent, allowed);
    ASSERT_EQ(worker.Part(1, "x"), Outcome::kOk);
    if (sent % 100 == 0) allowed = std::max(allowed, ToldParts(worker));
  }
  EXPECT_EQ(worker.End(1), Outcome::kOk);
  EXPECT_EQ(asking.Only().joined_payload->size(), 5'000u);
}

// Clauses: N25
TEST_F(ResponderParts, TooLargeAloneOrTogether) {
  const auto responder = Make({.message_bytes_max = 100});
  Serving worker(*responder);
  Asking asking(*responder);
  const std::string fits(98, 'x');  // with tag and length
  asking.Ask(1);
  worker.TakeOne();
  EXPECT_EQ(worker.Reply(1, fits), Outcome::kOk);
  EXPECT_EQ(asking.Only().outcome, Outcome::kOk);
  asking.Ask(2);
  worker.TakeOne();
  EXPECT_EQ(worker.Reply(2, fits + "x"), Outcome::kReplyTooLarge);
  const CallReply alone = asking.Only();
  EXPECT_EQ(alone.outcome, Outcome::kReplyTooLarge);
  EXPECT_FALSE(alone.message);
  asking.Ask(3);
  worker.TakeOne();
  EXPECT_EQ(worker.Part(3, std::string(50, 'x')), Outcome::kOk);
  EXPECT_EQ(worker.Part(3, std::string(48, 'x')), Outcome::kOk);  // 100 together
  EXPECT_EQ(worker.Part(3, "x"), Outcome::kReplyTooLarge);
  EXPECT_EQ(worker.End(3), Outcome::kAlreadyDone);
  EXPECT_EQ(asking.Only().outcome, Outcome::kReplyTooLarge);
  asking.Ask(4, InParts(16));  // one by one they may be more in all
  worker.TakeOne();
  EXPECT_EQ(worker.Part(4, fits), Outcome::kOk);
  EXPECT_EQ(worker.Part(4, fits), Outcome::kOk);
  EXPECT_EQ(worker.Part(4, fits + "x"), Outcome::kReplyTooLarge);
  EXPECT_EQ(asking.Take().back().outcome, Outcome::kReplyTooLarge);
  EXPECT_EQ(Look(*responder).counts.too_large, 3u);
  EXPECT_EQ(Look(*responder).retained_bytes, 0u);
}

// Clauses: N23
TEST_F(ResponderParts, OnceAPartWentOutNobodyElseGetsIt) {
  const auto responder = Make();
  Serving other(*responder, 0);
  auto lost = std::make_unique<Serving>(*responder);
  Asking asking(*responder);
  CallOptions parts = InParts(16);
  parts.retry_on_loss = true;
  asking.Ask(1, parts, "went out");
  asking.Ask(2, Retrying(), "gathered");
  lost->Take();
  lost->Part(1);
  lost->Part(2);
  asking.Take();
  lost.reset();
  const CallReply reply = asking.Only();
  EXPECT_EQ(reply.call_id, 1u);
  EXPECT_EQ(reply.outcome, Outcome::kResponderGone);
  responder->SetCredit(other.worker, {});
  EXPECT_EQ(other.TakeOne().request.payload(), "gathered");
  other.Reply(1, "from the beginning");  // what the first had sent is void
  EXPECT_EQ(asking.Only().message.payload(), "from the beginning");
  EXPECT_EQ(Look(*responder).retained_bytes, 0u);
}

TEST_F(ResponderParts, AReleaseAfterAPartIsALoss) {
  const auto responder = Make();
  Serving worker(*responder), other(*responder, 0);
  Asking asking(*responder);
  asking.Ask(1, InParts(16));
  asking.Ask(2);
  asking.Ask(3, Retrying(), "retry");
  EXPECT_EQ(worker.Take().assignments.size(), 3u);
  for (std::uint64_t id = 1; id <= 3; ++id) {
    worker.Part(id);
    EXPECT_EQ(worker.Release(id), Outcome::kOk);
  }
  std::vector<CallReply> replies = asking.Take();
  ASSERT_EQ(replies.size(), 3u);
  EXPECT_EQ(replies[1].outcome, Outcome::kResponderGone);
  EXPECT_EQ(replies[2].outcome, Outcome::kResponderGone);
  responder->SetCredit(other.worker, {});
  EXPECT_EQ(other.TakeOne().request.payload(), "retry");
}

TEST_F(ResponderParts, ACallOfManyPartsLeavesRoomForOthers) {
  const auto responder = Make();
  Serving worker(*responder);
  Asking asking(*responder);
  asking.Ask(1, InParts(16));
  asking.Ask(2);
  worker.Take();
  for (int i = 0; i < 10; ++i) worker.Part(1);
  worker.Reply(2);
  EXPECT_EQ(asking.Take(3).back().call_id, 1u);
  EXPECT_EQ(asking.Take(3).front().call_id, 2u);
  EXPECT_EQ(asking.Take().size(), 5u);
}

}  // namespace
}  // namespace sluice::broker
