// SPDX-License-Identifier: Apache-2.0
// What is counted of calls that are really made.
#include "rpc/call_stats.h"

#include "rpc/method_names.h"
#include "rpc/method_table.h"
#include "tests/rpc/rpc_fixture.h"

namespace sluice::rpc {
namespace {

TEST(MethodNames, HaveTheTypesOfTheirServices) {
  MethodTable methods;
  methods.Add(kSend, {.make = {}, .is_stream = false, .is_served_while_draining = false});
  methods.Add(kSendStream, {.make = {}, .is_stream = true, .is_served_while_draining = false});
  methods.Add("/sluice.v1.TopicService/Subscribe",
              {.make = {}, .is_stream = true, .is_served_while_draining = false});
  methods.Add("/no.Descriptor/X",
              {.make = {}, .is_stream = true, .is_served_while_draining = false});
  const std::vector<MethodName> names = MethodNames(methods);
  ASSERT_EQ(names.size(), 5u);
  EXPECT_EQ(names[0].service, "unknown");
  EXPECT_EQ(names[0].method, "unknown");
  EXPECT_EQ(names[1].service, "sluice.v1.QueueService");
  EXPECT_EQ(names[1].method, "Send");
  EXPECT_EQ(names[1].type, CallType::kUnary);
  EXPECT_EQ(names[2].type, CallType::kBidiStream);
  EXPECT_EQ(names[3].type, CallType::kServerStream);
  EXPECT_EQ(names[4].type, CallType::kBidiStream);
}

TEST(CallStats, ReasonsOfOneWorkerAreBounded) {
  CallStats stats({{"s", "m", CallType::kUnary}}, 2);
  for (std::size_t i = 0; i < CallStats::kReasonsMax + 5; ++i) {
    stats.worker(0).CountRefused("R" + std::to_string(i));
  }
  stats.worker(0).CountRefused("R0");
  stats.worker(1).CountRefused("R0");
  const auto refused = stats.Refused();
  EXPECT_EQ(refused.size(), CallStats::kReasonsMax + 1);
  EXPECT_EQ(refused.at("R0"), 3u);
  EXPECT_EQ(refused.at("_other"), 5u);
}

TEST(CallStats, AWorkerIsBusyBetweenItsWaits) {
  CallStats stats({{"s", "m", CallType::kUnary}}, 1);
  WorkerCells& cells = stats.worker(0);
  const TimePoint start = TimePoint(std::chrono::seconds(100));
  cells.TurnBegins(start);
  EXPECT_EQ(stats.Workers()[0].busy, Duration::zero()) << "its first wait: nothing was done";
  cells.WaitEnds(start + std::chrono::seconds(5));
  cells.TurnEnds(3);
  cells.TurnBegins(start + std::chrono::seconds(7));
  cells.WaitEnds(start + std::chrono::seconds(20));
  cells.TurnEnds(0);
  cells.TurnBegins(start + std::chrono::seconds(21));
  const WorkerFigures figures = stats.Workers()[0];
  EXPECT_EQ(figures.busy, std::chrono::seconds(3));
  EXPECT_EQ(figures.turns, 2u);
  EXPECT_EQ(figures.events, 3u);
}

class CallStatsTest : public RpcTest {
 protected:
  MethodFigures Of(const std::string& method) const {
    for (const MethodFigures& figures : server_->call_stats().Methods()) {
      if (figures.name.method == method) return figures;
    }
    ADD_FAILURE() << method;
    return {};
  }
  std::uint64_t Handled(const std::string& method, Code code) const {
    return Of(method).handled[static_cast<std::size_t>(code)];
  }
  static std::uint64_t Sum(const MethodFigures& figures) {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : figures.handled) sum += count;
    return sum;
  }
  // Every call that began has ended, and is counted once.
  void ExpectSettled(const std::string& method) {
    Eventually([&] {
      const MethodFigures figures = Of(method);
      return figures.started == Sum(figures);
    });
  }
};

TEST_F(CallStatsTest, AUnaryCallIsCountedWithItsFramesAndItsTime) {
  Declare("q");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(TrySend("q", "payload"), v1::OUTCOME_OK);
  Eventually([&] { return Handled("Send", Code::kOk) == 3; });
  const MethodFigures figures = Of("Send");
  EXPECT_EQ(figures.started, 3u);
  EXPECT_EQ(figures.received, 3u);
  EXPECT_EQ(figures.sent, 3u);
  EXPECT_GT(figures.received_bytes, 3 * sizeof("payload"));
  EXPECT_GT(figures.sent_bytes, 0u);
  std::uint64_t timed = 0;
  for (const std::uint64_t count : figures.handling.counts) timed += count;
  EXPECT_EQ(timed, 3u);
  EXPECT_GT(figures.handling.sum_seconds, 0.0);
  Consume("q");
  const TimeBuckets ages = server_->call_stats().QueueAges();
  std::uint64_t delivered = 0;
  for (const std::uint64_t count : ages.counts) delivered += count;
  EXPECT_EQ(delivered, 1u);
}

TEST_F(CallStatsTest, ARefusedCallIsCountedByItsReason) {
  Settle("nobody", 1, v1::SETTLE_ACTION_ACK, 1, 1);
  Eventually([&] { return Handled("Settle", Code::kNotFound) == 1; });
  EXPECT_EQ(server_->call_stats().Refused().at("QUEUE_NOT_FOUND"), 1u);
  const auto call = client().Start("/sluice.v1.QueueService/Nothing");
  EXPECT_EQ(call->End().error_code(), grpc::StatusCode::UNIMPLEMENTED);
  Eventually([&] { return Handled("unknown", Code::kUnimplemented) == 1; });
  EXPECT_EQ(server_->call_stats().Refused().at("METHOD_NOT_SERVED"), 1u);
}

TEST_F(CallStatsTest, AStreamIsOpenUntilItsClientGoes) {
  Declare("q");
  auto stream = StartReceiving(client(), OpenReceiving("q"));
  EXPECT_EQ(Of("ReceiveStream").started, 1u);
  EXPECT_EQ(Sum(Of("ReceiveStream")), 0u);
  Fill("q", 5);
  EXPECT_EQ(stream->ReadMessages(5).size(), 5u);
  EXPECT_GE(Of("ReceiveStream").sent, 2u) << "that it is attached, and messages";
  stream.reset();  // cancels
  ExpectSettled("ReceiveStream");
  EXPECT_EQ(Handled("ReceiveStream", Code::kCancelled), 1u);
}

TEST_F(CallStatsTest, WorkersCountTheirTurns) {
  Declare("q");
  Eventually([&] {
    std::uint64_t turns = 0, events = 0;
    Duration busy{0};
    for (const WorkerFigures& worker : server_->call_stats().Workers()) {
      turns += worker.turns;
      events += worker.events;
      busy += worker.busy;
    }
    return turns > 0 && events > 0 && busy > Duration::zero();
  });
}

}  // namespace
}  // namespace sluice::rpc
