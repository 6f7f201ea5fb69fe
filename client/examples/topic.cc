// SPDX-License-Identifier: Apache-2.0
// A topic: everybody who subscribed sees every message, or is told exactly how many it missed.
//
// Usage: example_topic [ADDRESS]
#include <cstdio>
#include <string>

#include "sluice/client.h"

using namespace std::chrono_literals;

namespace {

constexpr char kTopic[] = "example.orders.eu";

int Fail(const sluice::Status& status) {
  std::fprintf(stderr, "example_topic: %s\n", status.ToString().c_str());
  return 1;
}

// Messages until `last` came; what was missed is counted, not lost in silence.
int Follow(sluice::Subscriber& subscriber, const char* who, std::string_view last) {
  std::uint64_t missed = 0;
  while (true) {
    const auto next = subscriber.Recv().Wait(10s);
    if (!next) return Fail(next.status());
    if (!next->has_message()) {  // a lag, or where the topic begins
      missed += next->event().missed;
      continue;
    }
    const std::string_view payload = next->message().payload;
    std::printf("%s: %.*s\n", who, static_cast<int>(payload.size()), payload.data());
    if (payload == last) break;
  }
  std::printf("%s missed %llu\n", who, static_cast<unsigned long long>(missed));
  return 0;
}

int Run(const std::string& address) {
  sluice::ClientOptions where;
  where.address = address;
  auto client = sluice::Client::Connect(where);
  if (!client) return Fail(client.status());
  sluice::TopicSpec spec;
  spec.capacity = 4;
  spec.resume_window = 0ms;
  if (auto declared = client->DeclareTopic(kTopic, spec, 5s); !declared) {
    return Fail(declared.status());
  }

  sluice::PublisherOptions publishing;
  publishing.topic = kTopic;
  auto publisher = client->OpenPublisher(publishing, 5s);
  if (!publisher) return Fail(publisher.status());
  // Nobody listens: the publisher is told, and nothing is kept.
  const sluice::SendOutcome alone = publisher->Publish({"order 0", {}, {}, {}}).Wait(5s);
  std::printf("to nobody: %s\n", ToString(alone.outcome).c_str());

  // By name, and by a pattern that topics to come may match, too.
  sluice::SubscriberOptions by_name;
  by_name.topic = kTopic;
  auto named = client->OpenSubscriber(by_name, 5s);
  if (!named) return Fail(named.status());
  sluice::SubscriberOptions by_pattern;
  by_pattern.pattern = "example.orders.*";
  auto all = client->OpenSubscriber(by_pattern, 5s);
  if (!all) return Fail(all.status());

  for (int i = 1; i <= 3; ++i) {
    const std::string order = "order " + std::to_string(i);
    const sluice::SendOutcome published = publisher->Publish({order, {}, {}, {}}).Wait(5s);
    std::printf("%s: %s, offered to %u\n", order.c_str(), ToString(published.outcome).c_str(),
                published.delivered_to);
  }
  if (Follow(*named, "by name", "order 3") != 0) return 1;
  if (Follow(*all, "by pattern", "order 3") != 0) return 1;

  // One that begins at 1 when only the last four are kept is told what it missed.
  for (int i = 4; i <= 6; ++i) {
    const std::string order = "order " + std::to_string(i);
    if (!publisher->Publish({order, {}, {}, {}}).Wait(5s)) return 1;
  }
  sluice::SubscriberOptions back;
  back.topic = kTopic;
  back.resume = {{kTopic, publisher->opened().epoch, 1}};
  auto returned = client->OpenSubscriber(back, 5s);
  if (!returned) return Fail(returned.status());
  if (Follow(*returned, "from position 1", "order 6") != 0) return 1;

  if (auto end = publisher->Close(5s); !end) return Fail(end.status());
  const auto deleted = client->DeleteTopic(kTopic, 5s);
  return deleted.ok() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) { return Run(argc > 1 ? argv[1] : "127.0.0.1:7400"); }
