// SPDX-License-Identifier: Apache-2.0
#include "rpc/stream_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/support/manual_clock.h"

namespace sluice::rpc {
namespace {

using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr char kMethod[] = "/sluice.v1.QueueService/SendStream";

class StreamTableTest : public ::testing::Test {
 protected:
  std::shared_ptr<StreamInfo> Add(StreamTable& table, const std::string& peer,
                                  bool is_stream = true) {
    std::shared_ptr<StreamInfo> info;
    EXPECT_TRUE(table.Add(kMethod, peer, is_stream, clock_.Now(), info).ok());
    return info;
  }
  void ExpectRefused(StreamTable& table, const std::string& peer, const std::string& limit,
                     const std::string& scope) {
    std::shared_ptr<StreamInfo> info;
    const Status status = table.Add(kMethod, peer, true, clock_.Now(), info);
    EXPECT_EQ(status.code(), Code::kResourceExhausted);
    EXPECT_EQ(status.reason(), "TOO_MANY_STREAMS");
    EXPECT_THAT(status.details(), Contains(Pair("limit", limit)));
    EXPECT_THAT(status.details(), Contains(Pair("scope", scope)));
    EXPECT_GT(status.retry_delay().count(), 0);
    EXPECT_EQ(info == nullptr, scope == "on this connection");
    if (info != nullptr) table.Remove(*info);  // it was told
  }
  static std::vector<std::uint64_t> Ids(const std::vector<StreamView>& views) {
    std::vector<std::uint64_t> ids;
    for (const StreamView& view : views) ids.push_back(view.id);
    return ids;
  }

  testing::ManualClock clock_;
};

TEST_F(StreamTableTest, CountsStreamsAndCalls) {
  StreamTable table({});
  const auto stream = Add(table, "ipv4:10.0.0.1:1");
  const auto unary = Add(table, "ipv4:10.0.0.1:1", /*is_stream=*/false);
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(table.streams(), 1u);
  EXPECT_NE(stream->id, unary->id);
  table.Remove(*unary);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(table.streams(), 1u);
  table.Remove(*unary);  // again: nothing
  table.Remove(*stream);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.streams(), 0u);
  EXPECT_THAT(table.List(clock_.Now()), IsEmpty());
}

TEST_F(StreamTableTest, AllTogetherAreBounded) {
  StreamTable table({.streams_max = 2});
  const auto first = Add(table, "ipv4:10.0.0.1:1");
  const auto second = Add(table, "ipv4:10.0.0.2:2", /*is_stream=*/false);
  ExpectRefused(table, "ipv4:10.0.0.3:3", "2", "in all");
  table.Remove(*first);
  const auto third = Add(table, "ipv4:10.0.0.3:3");
  ExpectRefused(table, "ipv4:10.0.0.3:3", "2", "in all");
}

TEST_F(StreamTableTest, OneConnectionIsBounded) {
  StreamTable table({.streams_per_connection_max = 2});
  const auto first = Add(table, "ipv4:10.0.0.1:1");
  const auto second = Add(table, "ipv4:10.0.0.1:1");
  ExpectRefused(table, "ipv4:10.0.0.1:1", "2", "on this connection");
  const auto other = Add(table, "ipv4:10.0.0.1:2");  // another connection of the same address
  table.Remove(*second);
  const auto third = Add(table, "ipv4:10.0.0.1:1");
  ExpectRefused(table, "ipv4:10.0.0.1:1", "2", "on this connection");
}

// Who does not read that he is refused for what others do is refused for what he does himself.
TEST_F(StreamTableTest, RefusedCallsThatStayMeetTheBoundOfTheirConnection) {
  StreamTable table({.streams_max = 1, .streams_per_connection_max = 3});
  const auto first = Add(table, "ipv4:10.0.0.1:1");
  std::vector<std::shared_ptr<StreamInfo>> refused(4);
  for (auto& info : refused) {
    EXPECT_FALSE(table.Add(kMethod, "ipv4:10.0.0.2:2", true, clock_.Now(), info).ok());
  }
  EXPECT_NE(refused[2], nullptr);
  EXPECT_EQ(refused[3], nullptr);
  EXPECT_EQ(table.size(), 1u) << "they are not open";
  EXPECT_EQ(table.Figures(clock_.Now()).per_connection, 3u);
  for (int i = 0; i < 3; ++i) table.Remove(*refused[static_cast<std::size_t>(i)]);
  EXPECT_EQ(table.Figures(clock_.Now()).per_connection, 1u);
  ExpectRefused(table, "ipv4:10.0.0.2:2", "1", "in all");
}

TEST_F(StreamTableTest, OneAddressIsBoundedWhateverItsPorts) {
  StreamTable table({.streams_per_address_max = 2});
  const auto first = Add(table, "ipv6:%5B::1%5D:1");
  const auto second = Add(table, "ipv6:%5B::1%5D:2");
  ExpectRefused(table, "ipv6:%5B::1%5D:3", "2", "from this address");
  ExpectRefused(table, "ipv6:%5B::1%5D:1", "2", "from this address");
  const auto other = Add(table, "ipv6:%5B::2%5D:1");
  table.Remove(*first);
  const auto third = Add(table, "ipv6:%5B::1%5D:3");
  EXPECT_EQ(table.size(), 3u);
}

TEST_F(StreamTableTest, ARefusalLeavesNoTrace) {
  StreamTable table({.streams_per_connection_max = 1, .streams_per_address_max = 1});
  for (int round = 0; round < 3; ++round) {
    const auto info = Add(table, "ipv4:10.0.0.1:1");
    ExpectRefused(table, "ipv4:10.0.0.1:2", "1", "from this address");
    ExpectRefused(table, "ipv4:10.0.0.1:1", "1", "on this connection");
    table.Remove(*info);
  }
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(StreamTableTest, WithoutABoundAnAddressMayHaveMany) {
  StreamTable table({.streams_per_address_max = 0});
  std::vector<std::shared_ptr<StreamInfo>> infos;
  for (int port = 0; port < 2'000; ++port) {
    infos.push_back(Add(table, "ipv4:10.0.0.1:" + std::to_string(port)));
  }
  EXPECT_EQ(table.size(), 2'000u);
}

TEST_F(StreamTableTest, AViewTellsEverything) {
  StreamTable table({});
  const auto info = Add(table, "ipv4:10.0.0.1:1");
  StreamTable::SetChannel(*info, "orders");
  info->state = "attached";
  info->held_messages = 3;
  info->credit_messages = 64;
  info->waiting_messages = 5;
  clock_.Advance(milliseconds(10));
  info->WriteBegan(clock_.Now(), 4'096);
  clock_.Advance(milliseconds(7));
  const std::vector<StreamView> views = table.List(clock_.Now());
  ASSERT_EQ(views.size(), 1u);
  const StreamView& view = views[0];
  EXPECT_EQ(view.id, info->id);
  EXPECT_EQ(view.method, kMethod);
  EXPECT_EQ(view.peer, "ipv4:10.0.0.1:1");
  EXPECT_EQ(view.channel, "orders");
  EXPECT_EQ(view.state, "attached");
  EXPECT_EQ(view.age, milliseconds(17));
  EXPECT_EQ(view.write_stalled, milliseconds(7));
  EXPECT_EQ(view.write_bytes, 4'096u);
  EXPECT_EQ(view.held_messages, 3u);
  EXPECT_EQ(view.credit_messages, 64u);
  EXPECT_EQ(view.waiting_messages, 5u);
  info->WriteEnded();
  EXPECT_EQ(table.List(clock_.Now())[0].write_stalled, Duration::zero());
  EXPECT_EQ(table.List(clock_.Now())[0].write_bytes, 0u);
}

TEST_F(StreamTableTest, TheLongestStalledComesFirstThenTheOldest) {
  StreamTable table({});
  const auto old_idle = Add(table, "p:1");
  clock_.Advance(milliseconds(1));
  const auto stalled_late = Add(table, "p:1");
  const auto idle_twin = Add(table, "p:1");  // as old as stalled_late
  const auto idle_second_twin = Add(table, "p:1");
  clock_.Advance(milliseconds(1));
  const auto stalled_first = Add(table, "p:1");
  stalled_first->WriteBegan(clock_.Now(), 1);
  clock_.Advance(milliseconds(1));
  stalled_late->WriteBegan(clock_.Now(), 1);
  clock_.Advance(milliseconds(1));
  EXPECT_THAT(Ids(table.List(clock_.Now())),
              ElementsAre(stalled_first->id, stalled_late->id, old_idle->id, idle_twin->id,
                          idle_second_twin->id));
}

TEST_F(StreamTableTest, FiguresAreReadWhileTheyAreWritten) {
  StreamTable table({.streams_max = 100});
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&table, this, i] {
      const std::string peer = "ipv4:10.0.0.1:" + std::to_string(i);
      for (int round = 0; round < 300; ++round) {
        const auto info = Add(table, peer);
        info->WriteBegan(clock_.Now(), 1);
        StreamTable::SetChannel(*info, "queue-" + std::to_string(round));
        info->state = "busy";
        info->WriteEnded();
        table.Remove(*info);
      }
    });
  }
  for (int i = 0; i < 300; ++i) EXPECT_LE(table.List(clock_.Now()).size(), 3u);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(table.size(), 0u);
}

// The daemon's own connection, by which it asks itself whether it answers.
TEST_F(StreamTableTest, OurOwnCallsAreNeitherBoundedNorShown) {
  OwnPeer own;
  StreamTable table({.streams_max = 1}, &own);
  own.Set("ipv4:127.0.0.1:7");
  const auto client = Add(table, "ipv4:127.0.0.1:8");
  const auto ours = Add(table, "ipv4:127.0.0.1:7");
  EXPECT_EQ(ours->id, 0u);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(Ids(table.List(clock_.Now())), std::vector{client->id});
  table.Remove(*ours);
  EXPECT_EQ(table.size(), 1u);
  own.Set("ipv4:127.0.0.1:9");
  ExpectRefused(table, "ipv4:127.0.0.1:7", "1", "in all");
}

}  // namespace
}  // namespace sluice::rpc
