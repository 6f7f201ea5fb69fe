// SPDX-License-Identifier: Apache-2.0
#include "tests/admin/metrics_fixture.h"

#include <sstream>

#include "admin/metrics_page.h"

namespace sluice::admin {

using namespace std::chrono_literals;

Series ParsePage(const std::string& page) {
  Series series;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == '#') continue;
    const std::size_t space = line.rfind(' ');
    EXPECT_NE(space, std::string::npos) << line;
    if (space == std::string::npos) continue;
    const bool is_new = series.emplace(line.substr(0, space), std::stod(line.substr(space))).second;
    EXPECT_TRUE(is_new) << "twice: " << line;
  }
  EXPECT_TRUE(page.empty() || page.back() == '\n');
  return series;
}

std::vector<std::string> FamiliesOf(const std::string& page) {
  std::vector<std::string> names;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("# TYPE ")) continue;
    names.push_back(line.substr(7, line.find(' ', 7) - 7));
  }
  return names;
}

std::string MetricsFixture::Page(const std::string& text) const {
  const Response response = Get(text);
  EXPECT_EQ(response.status, 200) << response.body;
  return response.body;
}

std::string MetricsFixture::PageOf(broker::Broker& of, const rpc::CallStats& its_calls,
                                   std::uint32_t metrics_channels) const {
  const Sources about{.clock = sources.clock,
                      .broker = of,
                      .streams = sources.streams,
                      .connections = sources.connections,
                      .calls = its_calls,
                      .http = sources.http,
                      .metrics_channels = metrics_channels,
                      .started = sources.started,
                      .started_unix_us = sources.started_unix_us,
                      .workers = sources.workers,
                      .bounds = {},
                      .why_not_alive = sources.why_not_alive,
                      .why_not_ready = sources.why_not_ready,
                      .self_checks = sources.self_checks};
  return *MetricsPage(about, {});
}

Series MetricsFixture::Look() {
  const std::string page = Page();
  const Series series = ParsePage(page);
  std::map<std::string, std::string> shown;
  std::string family;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) family = line.substr(7, line.find(' ', 7) - 7);
    if (!line.starts_with("#")) shown[family] += line + "\n";
  }
  for (const auto& [name, values] : shown) seen_[name].insert(values);
  return series;
}

void MetricsFixture::Expect(std::initializer_list<std::pair<const char*, double>> expected) {
  const Series series = Look();
  for (const auto& [name, value] : expected) {
    const auto found = series.find(name);
    ASSERT_NE(found, series.end()) << name;
    EXPECT_DOUBLE_EQ(found->second, value) << name;
  }
  for (const char* kind : {"queue", "topic", "request", "config", "sessions"}) {
    const std::string name = "sluice_conservation_imbalance{kind=\"" + std::string(kind) + "\"}";
    EXPECT_EQ(series.at(name), 0) << name;
  }
}

std::shared_ptr<broker::Queue> MetricsFixture::DeclareQueue(const std::string& name,
                                                            std::uint64_t capacity) {
  broker::QueueSpec spec;
  spec.capacity = capacity;
  auto declared = broker.queues().Declare(name, spec);
  EXPECT_TRUE(declared.ok());
  return declared->channel;
}

std::shared_ptr<broker::Topic> MetricsFixture::DeclareTopic(const std::string& name,
                                                            std::uint64_t capacity,
                                                            broker::SlowPolicy policy) {
  broker::TopicSpec spec;
  spec.capacity = capacity;
  spec.policy = policy;
  auto declared = broker.topics().Declare(name, spec);
  EXPECT_TRUE(declared.ok());
  return declared->channel;
}

std::shared_ptr<broker::Responder> MetricsFixture::DeclareResponder(const std::string& name,
                                                                    std::uint64_t capacity) {
  broker::ResponderSpec spec;
  spec.capacity = capacity;
  auto declared = broker.responders().Declare(name, spec);
  EXPECT_TRUE(declared.ok());
  return declared->channel;
}

void MetricsFixture::Pass(Duration duration) {
  clock.Advance(duration);
  broker.timers().RunDue(clock.Now());
}

broker::Outcome MetricsFixture::Send(broker::Queue& queue, broker::SendOptions options) {
  broker::Sending sending;
  options.mode = broker::SendMode::kTry;
  EXPECT_TRUE(queue.Send(sending.ticket, broker::Messages({"m"}), options, sending.told).ok());
  EXPECT_TRUE(queue.TakeAcks(sending.ticket, sending.acks));
  return sending.acks.at(0).outcome;
}

broker::Outcome MetricsFixture::Publish(broker::Topic& topic, broker::SendOptions options) {
  broker::Sending sending;
  options.mode = broker::SendMode::kTry;
  EXPECT_TRUE(topic.Publish(sending.ticket, broker::Messages({"m"}), options, sending.told).ok());
  EXPECT_TRUE(topic.TakeAcks(sending.ticket, sending.acks));
  return sending.acks.at(0).outcome;
}

broker::Received MetricsFixture::Receive(broker::Queue& queue, std::uint32_t messages,
                                         Duration lease) {
  broker::Receiving receiving;
  broker::ReceiveOptions options;
  options.max_messages = messages;
  options.lease = lease;
  options.deadline = clock.Now();
  EXPECT_TRUE(queue.Receive(receiving.ticket, std::move(options), receiving.told).ok());
  EXPECT_TRUE(queue.TakeReceived(receiving.ticket, receiving.received));
  return receiving.received;
}

std::uint32_t MetricsFixture::Settle(broker::Queue& queue, std::uint64_t lease, std::uint64_t first,
                                     std::uint32_t count, broker::SettleAction action,
                                     Duration delay) {
  broker::Settlement settlement;
  settlement.lease = lease;
  settlement.first_position = first;
  settlement.count = count;
  settlement.action = action;
  settlement.delay = delay;
  std::vector<broker::SettleResult> results;
  queue.Settle({&settlement, 1}, 0, results);
  return results.at(0).settled;
}

}  // namespace sluice::admin
