// SPDX-License-Identifier: Apache-2.0
#include "call_table.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice {
namespace {

class Nobody final : public CallSink {
 public:
  void Tell(CallPart /*part*/) override {}
  void Refuse(const Status& /*why*/) override {}
};

constexpr std::size_t kAny = 1 << 30;

std::uint64_t Add(CallTable& table, const std::string& payload, bool retry_safe = false) {
  v1::CallStart start;
  start.mutable_request()->set_payload(payload);
  return table.Add(std::move(start), retry_safe, Deadline::Never(), std::make_shared<Nobody>());
}

v1::CallStreamRequest Take(CallTable& table) {
  v1::CallStreamRequest request;
  EXPECT_TRUE(table.has_frame());
  EXPECT_TRUE(request.ParseFromString(table.TakeFrame()));
  return request;
}

std::vector<std::uint64_t> IdsOf(const v1::CallStreamRequest& request) {
  std::vector<std::uint64_t> ids;
  for (const v1::CallStart& call : request.calls()) ids.push_back(call.call_id());
  return ids;
}

using Ids = std::vector<std::uint64_t>;

TEST(CallTable, CallsGatherInOneFrameAsFarAsTheyMayBeOpen) {
  CallTable table(2, kAny);
  for (const char* payload : {"a", "b", "c"}) Add(table, payload);
  const auto first = Take(table);
  EXPECT_EQ(IdsOf(first), (Ids{1, 2}));
  EXPECT_EQ(first.calls(1).request().payload(), "b");
  EXPECT_FALSE(table.has_frame()) << "two are open";
  EXPECT_NE(table.Answered(1, /*last=*/true), nullptr);
  EXPECT_EQ(IdsOf(Take(table)), (Ids{3}));
  EXPECT_EQ(table.open(), 2u);
}

TEST(CallTable, BytesBoundWhatIsOpenButOneCallPasses) {
  CallTable table(100, 500);
  for (int i = 0; i < 3; ++i) Add(table, std::string(1000, 'x'));
  EXPECT_EQ(IdsOf(Take(table)), (Ids{1}));
  EXPECT_FALSE(table.has_frame());
  EXPECT_TRUE(table.Cancel(1));
  EXPECT_EQ(Take(table).cancel_size(), 1);
  EXPECT_EQ(IdsOf(Take(table)), (Ids{2}));
}

TEST(CallTable, CancelsGoBeforeTheCallsThatTakeTheirPlaces) {
  CallTable table(1, kAny);
  Add(table, "a");
  Add(table, "b");
  Add(table, "c");
  (void)Take(table);
  EXPECT_TRUE(table.Cancel(1));
  EXPECT_TRUE(table.Cancel(2)) << "it was not written: nobody need be told";
  EXPECT_FALSE(table.Cancel(2));
  const auto words = Take(table);
  ASSERT_EQ(words.cancel_size(), 1);
  EXPECT_EQ(words.cancel(0), 1u);
  EXPECT_EQ(words.calls_size(), 0);
  EXPECT_EQ(IdsOf(Take(table)), (Ids{3}));
}

TEST(CallTable, OnlyTheLatestCreditOfACallIsTold) {
  CallTable table(10, kAny);
  const std::uint64_t id = Add(table, "a");
  table.Allow(id, 5);
  (void)Take(table);
  EXPECT_FALSE(table.has_frame()) << "it was not open yet";
  table.Allow(id, 20);
  table.Allow(id, 24);
  const auto words = Take(table);
  ASSERT_EQ(words.part_credit_size(), 1);
  EXPECT_EQ(words.part_credit(0).parts(), 24u);
}

TEST(CallTable, ALostStreamLeavesInDoubtWhatWasOpenAndAsksTheRestAgain) {
  CallTable table(4, kAny);
  const std::uint64_t doubtful = Add(table, "a");
  const std::uint64_t safe = Add(table, "b", /*retry_safe=*/true);
  const std::uint64_t begun = Add(table, "c", /*retry_safe=*/true);
  (void)Take(table);
  const std::uint64_t waiting = Add(table, "d");
  EXPECT_NE(table.Answered(begun, /*last=*/false), nullptr);
  (void)doubtful;
  const auto lost = table.OnLost(CallTable::Loss::kInDoubt);
  EXPECT_EQ(lost.unknown.size(), 2u);
  EXPECT_EQ(lost.again, 1u);
  EXPECT_EQ(IdsOf(Take(table)), (Ids{safe, waiting}));
}

TEST(CallTable, AfterAGoodbyeEverythingUnansweredIsAskedAgain) {
  CallTable table(4, kAny);
  Add(table, "a");
  (void)Take(table);
  EXPECT_TRUE(table.OnLost(CallTable::Loss::kAnswered).unknown.empty());
  EXPECT_EQ(IdsOf(Take(table)), (Ids{1}));
}

TEST(CallTable, OfARefusedFrameOnlyTheBadCallIsOver) {
  CallTable table(10, kAny);
  Add(table, "open before");
  (void)Take(table);
  Add(table, "good");
  const std::uint64_t bad = Add(table, "bad");
  (void)Take(table);
  const auto lost = table.OnRefused(bad);
  EXPECT_NE(lost.refused, nullptr);
  EXPECT_EQ(lost.unknown.size(), 1u);
  EXPECT_EQ(IdsOf(Take(table)), (Ids{2})) << "nothing of the frame was begun";
}

TEST(CallTable, AnOverdueCallIsOverAtOnceOrWhenTheDaemonHasHadItsGrace) {
  using std::chrono::milliseconds;
  constexpr milliseconds kGrace{100};
  const auto start = std::chrono::steady_clock::now();
  const auto at = [start](int ms) { return start + milliseconds(ms); };
  CallTable table(1, kAny);
  const auto add = [&table](Deadline until) {
    table.Add(v1::CallStart(), false, until, std::make_shared<Nobody>());
  };
  add(at(20));
  add(at(10));
  add(at(30));
  EXPECT_EQ(IdsOf(Take(table)), (Ids{1}));
  EXPECT_EQ(table.next_due().at(), at(10));
  EXPECT_FALSE(table.TakeOverdue(at(9), kGrace).has_value());
  const auto waited = table.TakeOverdue(at(25), kGrace);
  ASSERT_TRUE(waited.has_value());
  EXPECT_FALSE(waited->was_written);
  EXPECT_FALSE(table.TakeOverdue(at(25), kGrace).has_value()) << "the daemon will say so";
  EXPECT_EQ(table.next_due().at(), at(30));
  EXPECT_NE(table.Answered(3, /*last=*/true), nullptr);
  EXPECT_EQ(table.next_due().at(), at(120));
  const auto written = table.TakeOverdue(at(120), kGrace);
  ASSERT_TRUE(written.has_value());
  EXPECT_TRUE(written->was_written);
  EXPECT_TRUE(table.next_due().is_never());
  EXPECT_EQ(Take(table).cancel_size(), 1);
  EXPECT_EQ(table.size(), 0u);
}

TEST(CallTable, ACallThatWasOpenWhenItsStreamWasLostMayHaveBeenDone) {
  CallTable table(1, kAny);
  const auto now = std::chrono::steady_clock::now();
  table.Add(v1::CallStart(), true, now, std::make_shared<Nobody>());
  (void)Take(table);
  EXPECT_EQ(table.OnLost(CallTable::Loss::kInDoubt).again, 1u);
  const auto overdue = table.TakeOverdue(now, std::chrono::milliseconds(0));
  ASSERT_TRUE(overdue.has_value());
  EXPECT_TRUE(overdue->was_written);
  EXPECT_FALSE(table.has_frame()) << "there is nobody to be told of it";
}

TEST(CallTable, TheBytesAreGoneWithTheCalls) {
  CallTable table(10, kAny);
  Add(table, std::string(100, 'x'));
  const std::uint64_t second = Add(table, std::string(100, 'x'));
  EXPECT_GT(table.bytes(), 200u);
  (void)Take(table);
  EXPECT_TRUE(table.Cancel(second));
  EXPECT_EQ(table.TakeAll().size(), 1u);
  EXPECT_EQ(table.bytes(), 0u);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_FALSE(table.has_frame());
}

}  // namespace
}  // namespace sluice
