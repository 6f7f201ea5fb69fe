// SPDX-License-Identifier: Apache-2.0
// A resend makes no duplicate: what became of a sequence is told again.
#include "broker/producer_table.h"
#include "tests/broker/queue_fixture.h"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;

class QueueProducer : public QueueFixture {
 protected:
  static std::string Id(int n) {
    std::string id = std::to_string(n);
    id.resize(kProducerIdBytes, '.');
    return id;
  }
  const std::string id = Id(0);
};

// Clauses: N9
TEST_F(QueueProducer, AnAcceptedSequenceIsOkAgainAndEntersOnce) {
  const auto queue = Make(10);
  EXPECT_EQ(Try(*queue, Numbered(1, 3), From(1, id)).at(0).first_position, 1u);
  const auto again = Try(*queue, Numbered(1, 5), From(1, id));
  ASSERT_EQ(again.size(), 2u);
  EXPECT_EQ(again[0].outcome, Outcome::kOk);
  EXPECT_EQ(again[0].count, 3u);
  EXPECT_TRUE(again[0].duplicate);
  EXPECT_EQ(again[0].first_position, 0u);
  EXPECT_EQ(again[1].first_sequence, 4u);
  EXPECT_EQ(again[1].count, 2u);
  EXPECT_FALSE(again[1].duplicate);
  EXPECT_EQ(again[1].first_position, 4u);
  const auto from_the_middle = Try(*queue, {"2", "3"}, From(2, id));
  ASSERT_EQ(from_the_middle.size(), 1u);
  EXPECT_TRUE(from_the_middle[0].duplicate);
  EXPECT_TRUE(Try(*queue, {"5"}, From(5, id)).at(0).duplicate);
  EXPECT_EQ(queue->Describe().duplicates, 6u);
  EXPECT_EQ(queue->Describe().accepted, 5u);
}

// Clauses: N9
TEST_F(QueueProducer, ARefusedSequenceIsRefusedAgainThoughThereIsRoom) {
  const auto queue = Make(1);
  const auto first = Try(*queue, {"1", "2"}, From(1, id));
  EXPECT_EQ(first.at(1).outcome, Outcome::kFull);
  EXPECT_EQ(Pop(*queue), "1");
  const auto again = Try(*queue, {"2"}, From(2, id));
  EXPECT_EQ(again.at(0).outcome, Outcome::kFull);
  EXPECT_TRUE(again.at(0).duplicate);
  EXPECT_EQ(Try(*queue, {"2"}, From(3, id)).at(0).outcome, Outcome::kOk) << "under a new sequence";
}

// Clauses: N9 M13
TEST_F(QueueProducer, ATimedOutSequenceIsTimedOutAgain) {
  const auto queue = Make(1);
  Try(*queue, {"0"});
  Sending sending;
  SendOptions options = From(1, id);
  options.deadline = Later(clock.Now(), 1s);
  Start(*queue, sending, {"1"}, options);
  Pass(1s);
  EXPECT_TRUE(Look(*queue, sending));
  EXPECT_EQ(sending.acks.at(0).outcome, Outcome::kTimedOut);
  EXPECT_EQ(Pop(*queue), "0");
  const auto again = Try(*queue, {"1"}, From(1, id));
  EXPECT_EQ(again.at(0).outcome, Outcome::kTimedOut);
  EXPECT_TRUE(again.at(0).duplicate);
}

TEST_F(QueueProducer, ClosedSpendsNothingAndARepeatOfWhatWasAcceptedIsStillOk) {
  const auto queue = Make(10);
  Try(*queue, {"1", "2"}, From(1, id));
  queue->Close(ClosedReason::kRequested);
  const auto acks = Try(*queue, {"2", "3"}, From(2, id));
  ASSERT_EQ(acks.size(), 2u);
  EXPECT_EQ(acks[0].outcome, Outcome::kOk);
  EXPECT_TRUE(acks[0].duplicate);
  EXPECT_EQ(acks[1].outcome, Outcome::kClosed);
  EXPECT_FALSE(acks[1].duplicate);
  Producer producer;
  const auto opened = queue->OpenProducer(producer, id, nullptr);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->last_sequence, 2u);
  queue->CloseProducer(producer);
}

TEST_F(QueueProducer, CancelledSequencesAreNotSpent) {
  const auto queue = Make(1);
  Sending sending;
  Start(*queue, sending, {"1", "2"}, From(1, id));
  queue->CancelSend(sending.ticket);
  EXPECT_EQ(Pop(*queue), "1");
  const auto again = Try(*queue, {"1", "2"}, From(1, id));
  ASSERT_EQ(again.size(), 2u);
  EXPECT_TRUE(again[0].duplicate);
  EXPECT_EQ(again[1].outcome, Outcome::kOk);
  EXPECT_EQ(again[1].first_position, 2u);
}

// A frame that was read while its original still waited is judged when its turn comes.
TEST_F(QueueProducer, DuplicatesAreJudgedWhenTheyEnter) {
  const auto queue = Make(1);
  Try(*queue, {"0"});
  Sending original, resend;
  Start(*queue, original, {"1"}, From(1, id));
  Start(*queue, resend, {"1", "2"}, From(1, id));
  EXPECT_EQ(Pop(*queue), "0");
  EXPECT_TRUE(Look(*queue, original));
  EXPECT_FALSE(Look(*queue, resend));
  EXPECT_TRUE(resend.acks.at(0).duplicate) << "the repeat needs no room";
  EXPECT_EQ(Pop(*queue), "1");
  EXPECT_TRUE(Look(*queue, resend));
  EXPECT_EQ(Pop(*queue), "2");
  EXPECT_EQ(Pop(*queue), "");
}

TEST_F(QueueProducer, SequencesMayHaveGapsAndWhatWasLeftOutIsUnknown) {
  const auto queue = Make(10);
  Try(*queue, {"a"}, From(5, id));
  Try(*queue, {"b"}, From(9, id));
  const auto acks = Try(*queue, Numbered(4, 7), From(4, id));
  ASSERT_EQ(acks.size(), 5u);
  EXPECT_EQ(acks[0].outcome, Outcome::kUnknown);  // 4
  EXPECT_FALSE(acks[0].duplicate);
  EXPECT_EQ(acks[1].outcome, Outcome::kOk);       // 5
  EXPECT_EQ(acks[2].outcome, Outcome::kUnknown);  // 6 to 8
  EXPECT_EQ(acks[2].count, 3u);
  EXPECT_EQ(acks[3].outcome, Outcome::kOk);  // 9
  EXPECT_TRUE(acks[3].duplicate);
  EXPECT_EQ(acks[4].first_position, 3u);  // 10 is new
}

TEST_F(QueueProducer, TheLastSixtyFourRangesAreRemembered) {
  const auto queue = Make(200);
  // Gaps keep ranges apart: 2, 4, 6, ...
  for (std::uint64_t i = 1; i <= kOutcomeRangesMax + 1; ++i) Try(*queue, {"x"}, From(2 * i, id));
  EXPECT_EQ(Try(*queue, {"x"}, From(2, id)).at(0).outcome, Outcome::kUnknown);
  EXPECT_EQ(Try(*queue, {"x"}, From(4, id)).at(0).outcome, Outcome::kOk);
  // Neighbours of equal outcome are one range.
  for (std::uint64_t i = 1; i <= 100; ++i) Try(*queue, {"x"}, From(1000 + i, id));
  EXPECT_EQ(Try(*queue, {"x"}, From(1001, id)).at(0).outcome, Outcome::kOk);
  EXPECT_EQ(queue->Describe().accepted, kOutcomeRangesMax + 101);
}

TEST_F(QueueProducer, AProducerIsForgottenTwoMinutesAfterItsLastUse) {
  const auto queue = Make(10);
  Try(*queue, {"1"}, From(1, id));
  Pass(1min);
  EXPECT_TRUE(Try(*queue, {"1"}, From(1, id)).at(0).duplicate);
  Pass(2min - 1ms);
  EXPECT_TRUE(Try(*queue, {"1"}, From(1, id)).at(0).duplicate);
  EXPECT_LE(timers.next(), clock.Now() + 2min);
  Pass(2min);
  EXPECT_FALSE(Try(*queue, {"1"}, From(1, id)).at(0).duplicate);
}

TEST_F(QueueProducer, WhoSpentNothingTakesNoPlaceAndNoMemory) {
  const auto queue = Make(10);
  Producer producer;
  ASSERT_TRUE(queue->OpenProducer(producer, id, nullptr).ok());
  queue->CloseProducer(producer);
  queue->Close(ClosedReason::kRequested);
  EXPECT_EQ(Try(*queue, {"1"}, From(1, id)).at(0).outcome, Outcome::kClosed);
  EXPECT_EQ(memory.snapshot().used, 0u);
  EXPECT_EQ(timers.next(), kNever) << "nobody is to be forgotten";
}

TEST_F(QueueProducer, ALiveStreamIsNotForgotten) {
  const auto queue = Make(10);
  Producer producer;
  ASSERT_TRUE(queue->OpenProducer(producer, id, nullptr).ok());
  Try(*queue, {"1"}, From(1, id));
  Pass(1h);
  EXPECT_TRUE(Try(*queue, {"1"}, From(1, id)).at(0).duplicate);
  queue->CloseProducer(producer);
  Pass(2min);
  EXPECT_FALSE(Try(*queue, {"1"}, From(1, id)).at(0).duplicate);
}

// Clauses: N3
TEST_F(QueueProducer, OpeningAgainSupersedesTheStreamAndCancelsWhatWaits) {
  const auto queue = Make(1);
  Producer old_stream, stream;
  auto told = std::make_shared<CountingNotifier>();
  ASSERT_TRUE(queue->OpenProducer(old_stream, id, told).ok());
  Sending sending, other;
  Start(*queue, sending, Numbered(1, 3), From(1, id));
  Start(*queue, other, {"other"}, {});
  const auto opened = queue->OpenProducer(stream, id, nullptr);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->last_sequence, 1u) << "read after the waiting ones were cancelled";
  EXPECT_EQ(opened->epoch, 7u);
  EXPECT_EQ(opened->capacity, 1u);
  EXPECT_EQ(told->count, 1);
  EXPECT_TRUE(queue->IsSuperseded(old_stream));
  EXPECT_FALSE(queue->IsSuperseded(stream));
  EXPECT_TRUE(Look(*queue, sending));
  EXPECT_EQ(sending.outcomes(), (Outcomes{Outcome::kOk, Outcome::kUnknown, Outcome::kUnknown}));
  EXPECT_EQ(queue->Describe().producers, 1u);
  queue->CloseProducer(old_stream);
  EXPECT_EQ(queue->Describe().producers, 1u);

  EXPECT_EQ(Pop(*queue), "1");
  EXPECT_EQ(Pop(*queue), "other");
  Sending resend;
  Start(*queue, resend, Numbered(2, 1), From(2, id));
  EXPECT_EQ(resend.acks.at(0).outcome, Outcome::kOk);
  EXPECT_FALSE(resend.acks.at(0).duplicate);
  queue->CloseProducer(stream);
}

// Clauses: N9
TEST_F(QueueProducer, NothingOfASupersededStreamEntersAnyMore) {
  const auto queue = Make(10);
  Producer old_stream, stream;
  ASSERT_TRUE(queue->OpenProducer(old_stream, id, nullptr).ok());
  ASSERT_EQ(queue->OpenProducer(stream, id, nullptr)->last_sequence, 0u);
  Sending late;  // Its stream has not heard of it.
  SendOptions options = From(1, id);
  options.producer = &old_stream;
  Start(*queue, late, {"late"}, options);
  EXPECT_EQ(late.outcomes(), Outcomes{Outcome::kUnknown});
  Sending sending;
  options.producer = &stream;
  Start(*queue, sending, {"new"}, options);
  EXPECT_EQ(sending.acks.at(0).outcome, Outcome::kOk);
  EXPECT_FALSE(sending.acks.at(0).duplicate) << "the new stream was told that 1 is not spent";
  EXPECT_EQ(Pop(*queue), "new");
  EXPECT_EQ(queue->Describe().accepted, 1u);
  queue->CloseProducer(old_stream);
  queue->CloseProducer(stream);
}

// Clauses: N1
TEST_F(QueueProducer, SupersedingTheOnlyProducerDoesNotEndATiedQueue) {
  QueueSpec spec;
  spec.lifetime = Lifetime::kTied;
  const auto queue = Make(spec);
  Producer old_stream, stream;
  ASSERT_TRUE(queue->OpenProducer(old_stream, id, nullptr).ok());
  ASSERT_TRUE(queue->OpenProducer(stream, id, nullptr).ok());
  queue->CloseProducer(old_stream);
  EXPECT_EQ(queue->Describe().state, QueueState::kOpen);
  queue->CloseProducer(stream);
  EXPECT_EQ(queue->Describe().state, QueueState::kEnded);
}

TEST_F(QueueProducer, BadIdsAndSequencesAreInvalid) {
  const auto queue = Make(10);
  Sending sending;
  for (const std::size_t size : {std::size_t{1}, std::size_t{15}, std::size_t{17}}) {
    Start(*queue, sending, {"1"}, From(1, std::string(size, 'x')));
    EXPECT_EQ(sending.status.code(), Code::kInvalidArgument);
    EXPECT_EQ(sending.status.details().at(0).second, "producer_id");
    Producer producer;
    EXPECT_FALSE(queue->OpenProducer(producer, std::string(size, 'x'), nullptr).ok());
    queue->CloseProducer(producer);
  }
  Start(*queue, sending, {"1"}, From(0, id));
  EXPECT_EQ(sending.status.code(), Code::kInvalidArgument);
  EXPECT_EQ(sending.status.details().at(0).second, "first_sequence");
  Start(*queue, sending, {"1", "2"}, From(~std::uint64_t{0} - 1, id));
  EXPECT_EQ(sending.status.reason(), "OUT_OF_BOUNDS");
  Start(*queue, sending, {"1", "2"}, From(~std::uint64_t{0} - 2, id));
  EXPECT_TRUE(sending.status.ok());
  EXPECT_EQ(queue->Describe().accepted, 2u);
}

TEST_F(QueueProducer, WithoutAnIdSequencesAreOnlyEchoed) {
  const auto queue = Make(10);
  EXPECT_EQ(Try(*queue, {"1"}, From(3)).at(0).first_sequence, 3u);
  const auto again = Try(*queue, {"1"}, From(3));
  EXPECT_FALSE(again.at(0).duplicate);
  EXPECT_EQ(again.at(0).first_position, 2u);
}

TEST_F(QueueProducer, TheLeastRecentlyUsedIdleProducerGivesWay) {
  const auto queue = Make(1);
  Producer live;
  ASSERT_TRUE(queue->OpenProducer(live, Id(0), nullptr).ok());
  Try(*queue, {"0"}, From(1, Id(0)));
  for (int i = 1; i < static_cast<int>(kProducersMax); ++i) Try(*queue, {"x"}, From(1, Id(i)));
  EXPECT_TRUE(Try(*queue, {"x"}, From(1, Id(1))).at(0).duplicate) << "at the bound all are known";
  Try(*queue, {"x"}, From(1, Id(10'000)));  // 2 is the oldest now
  EXPECT_TRUE(Try(*queue, {"x"}, From(1, Id(1))).at(0).duplicate);
  EXPECT_TRUE(Try(*queue, {"x"}, From(1, Id(0))).at(0).duplicate) << "who is live stays";
  EXPECT_FALSE(Try(*queue, {"x"}, From(1, Id(2))).at(0).duplicate);
  queue->CloseProducer(live);
}

TEST_F(QueueProducer, TooManyLiveProducersAreRefused) {
  const auto queue = Make(1);
  std::vector<std::unique_ptr<Producer>> producers;
  for (int i = 0; i < static_cast<int>(kProducersMax); ++i) {
    producers.push_back(std::make_unique<Producer>());
    ASSERT_TRUE(queue->OpenProducer(*producers.back(), Id(i), nullptr).ok());
  }
  Producer one_more;
  const auto refused = queue->OpenProducer(one_more, Id(-1), nullptr);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kResourceExhausted);
  EXPECT_EQ(refused.error().reason(), "TOO_MANY_PRODUCERS");
  Sending sending;
  Start(*queue, sending, {"x"}, From(1, Id(-1)));
  EXPECT_EQ(sending.status.reason(), "TOO_MANY_PRODUCERS");
  EXPECT_EQ(queue->Describe().accepted, 0u);
  EXPECT_TRUE(queue->OpenProducer(one_more, "", nullptr).ok()) << "without an id nothing is kept";
  queue->CloseProducer(one_more);
  for (auto& producer : producers) queue->CloseProducer(*producer);
}

// The table against its definition, over random frames.
TEST(ProducerMemoryTest, RecallGivesEverySpentSequenceItsOutcome) {
  ProducerMemory memory;
  memory.Spend(3, 2, Outcome::kOk);     // 3 4
  memory.Spend(5, 1, Outcome::kFull);   // 5
  memory.Spend(6, 4, Outcome::kFull);   // 6 ... 9, one range with 5
  memory.Spend(12, 1, Outcome::kFull);  // a gap before it
  EXPECT_EQ(memory.ranges.size(), 3u);
  const Outcome expected[] = {
      Outcome::kUnknown, Outcome::kUnknown, Outcome::kUnknown, Outcome::kOk,   Outcome::kOk,
      Outcome::kFull,    Outcome::kFull,    Outcome::kFull,    Outcome::kFull, Outcome::kFull,
      Outcome::kUnknown, Outcome::kUnknown, Outcome::kFull};
  for (std::uint64_t first = 0; first <= 12; ++first) {
    std::uint64_t sequence = first;
    while (sequence <= 12) {
      ASSERT_TRUE(memory.IsRepeat(sequence));
      const auto repeat = memory.Recall(sequence, 100);
      ASSERT_GT(repeat.count, 0u);
      for (std::uint32_t i = 0; i < repeat.count; ++i, ++sequence) {
        ASSERT_LE(sequence, 12u);
        EXPECT_EQ(repeat.outcome, expected[sequence]) << sequence;
      }
    }
  }
  EXPECT_FALSE(memory.IsRepeat(13));
  EXPECT_EQ(memory.Recall(6, 2).count, 2u);
}

}  // namespace
}  // namespace sluice::broker
