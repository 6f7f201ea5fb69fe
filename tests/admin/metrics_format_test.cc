// SPDX-License-Identifier: Apache-2.0
// The text itself: each family once, labels escaped, promtool content; and how much of it there is.
#include <sys/wait.h>

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "admin/metrics_page.h"
#include "tests/admin/metrics_fixture.h"

namespace sluice::admin {
namespace {

using MetricsFormat = MetricsFixture;

TEST_F(MetricsFormat, EachFamilyIsBegunOnceAndHasItsHelp) {
  DeclareQueue("q", 8);
  const std::string page = Page();
  std::vector<std::string> families = FamiliesOf(page);
  EXPECT_GT(families.size(), 100u);
  for (const std::string& family : families) {
    EXPECT_NE(page.find("# HELP " + family + " "), std::string::npos) << family;
  }
  std::sort(families.begin(), families.end());
  EXPECT_EQ(std::adjacent_find(families.begin(), families.end()), families.end());
}

TEST_F(MetricsFormat, NamesSayWhatTheyAre) {
  const std::string page = Page();
  for (const std::string& family : FamiliesOf(page)) {
    const bool is_ours = family.starts_with("sluice_");
    EXPECT_TRUE(is_ours || family.starts_with("process_") || family.starts_with("grpc_server_"))
        << family;
    EXPECT_TRUE(std::all_of(family.begin(), family.end(), [](unsigned char c) {
      return std::islower(c) || c == '_';
    })) << family;
    const bool is_counter = page.find("# TYPE " + family + " counter\n") != std::string::npos;
    EXPECT_EQ(is_counter, family.ends_with("_total")) << family;
  }
}

TEST_F(MetricsFormat, EverySeriesIsThereFromTheStart) {
  const Series series = ParsePage(Page());
  for (const char* name :
       {"sluice_queue_accepted_total", "sluice_queue_refused_total{outcome=\"FULL\"}",
        "sluice_topic_refused_total{outcome=\"NO_SUBSCRIBERS\"}",
        "sluice_request_completed_total{outcome=\"RESPONDER_GONE\"}",
        "sluice_config_sets_total{outcome=\"CONFLICT\"}",
        "sluice_calls_refused_total{reason=\"DRAINING\"}",
        "grpc_server_handled_total{grpc_type=\"bidi_stream\",grpc_service=\"s.S\","
        "grpc_method=\"SendStream\",grpc_code=\"Unavailable\"}",
        "sluice_queue_channel_depth{channel=\"_other\"}"}) {
    ASSERT_TRUE(series.contains(name)) << name;
    EXPECT_EQ(series.at(name), 0) << name;
  }
}

TEST_F(MetricsFormat, LabelsAreEscaped) {
  calls.worker(0).CountRefused("a\"b\\c\nd");
  EXPECT_NE(Page().find("sluice_calls_refused_total{reason=\"a\\\"b\\\\c\\nd\"} 1\n"),
            std::string::npos);
}

TEST_F(MetricsFormat, ReasonsAreBounded) {
  for (std::size_t i = 0; i < 2 * rpc::CallStats::kReasonsMax; ++i) {
    calls.worker(0).CountRefused("REASON_" + std::to_string(i));
  }
  const Series series = ParsePage(Page());
  EXPECT_EQ(series.at("sluice_calls_refused_total{reason=\"_other\"}"),
            static_cast<double>(rpc::CallStats::kReasonsMax));
  EXPECT_TRUE(series.contains("sluice_calls_refused_total{reason=\"REASON_99\"}"));
  EXPECT_FALSE(series.contains("sluice_calls_refused_total{reason=\"REASON_100\"}"));
}

TEST_F(MetricsFormat, NobodyIsNamedButChannels) {
  const auto queue = DeclareQueue("q", 8);
  broker::Receiver receiver;
  broker::ConsumerOptions options;
  options.name = "somebody";
  options.peer = "ipv4:10.9.8.7:6";
  EXPECT_TRUE(queue->Attach(receiver.consumer, options, receiver.told).ok());
  std::shared_ptr<rpc::StreamInfo> stream;
  ASSERT_TRUE(streams.Add("/s.S/SendStream", "ipv4:10.9.8.7:6", true, clock.Now(), stream).ok());
  const std::string page = Page();
  EXPECT_EQ(page.find("somebody"), std::string::npos);
  EXPECT_EQ(page.find("10.9.8.7"), std::string::npos);
  queue->Detach(receiver.consumer, broker::Leaving::kFinished);
  streams.Remove(*stream);
}

// 10,000 channels of all kinds, in use; methods, workers and shown channels as a daemon has them.
TEST_F(MetricsFormat, ManyChannelsStayWithinAMegabyte) {
  const std::string some = "a.channel.with.a.name.of.usual.length.";
  for (int i = 0; i < 3'334; ++i) {
    const std::string name = some + std::to_string(i);
    EXPECT_EQ(Send(*DeclareQueue(name, 8)), broker::Outcome::kOk);
    DeclareTopic(name, 8, broker::SlowPolicy::kLag);
    DeclareResponder(name);
  }
  std::vector<rpc::MethodName> methods;
  for (int i = 0; i < 45; ++i) {
    methods.push_back({"sluice.v1.SomeService", "Method" + std::to_string(i),
                       i % 4 == 0 ? rpc::CallType::kBidiStream : rpc::CallType::kUnary});
  }
  const rpc::CallStats its_calls(std::move(methods), 64);
  const TimePoint begin = SystemClock().Now();
  const std::string page = PageOf(broker, its_calls, 100);
  const auto took = std::chrono::duration<double, std::milli>(SystemClock().Now() - begin);
  std::printf("10,002 channels: %zu bytes, %.1f ms\n", page.size(), took.count());
  EXPECT_LT(page.size(), 1'000'000u);
  EXPECT_EQ(ParsePage(page).at("sluice_queue_depth"), 3'334);
  EXPECT_EQ(ParsePage(page).at("sluice_queue_channel_depth{channel=\"_other\"}"), 3'234);
}

TEST_F(MetricsFormat, PromtoolIsContent) {
  QueuesSend();
  CallsAreMade();
  FILE* promtool = popen("promtool check metrics", "w");
  ASSERT_NE(promtool, nullptr);
  const std::string page = Page();
  std::fwrite(page.data(), 1, page.size(), promtool);
  const int status = pclose(promtool);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "see what it says above";
}

}  // namespace
}  // namespace sluice::admin
