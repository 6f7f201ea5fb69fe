// SPDX-License-Identifier: Apache-2.0
// bench topic: publishers publish, each subscriber gets everything, or is told what it missed.
// Latency: to the subscriber's callback.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <memory>
#include <optional>

#include "bench_verbs.h"
#include "numbers.h"
#include "posting.h"
#include "run.h"

namespace sluice::bench {
namespace {

const BenchWords kWords = {
    "publishers", "subscribers",
    "At full speed: wait for the outcomes of so many before the next (else never). With --rate: so "
    "many are due together",
    100'000};

struct TopicBenchOptions : BenchOptions {
  std::uint64_t capacity = 0;
  SlowPolicy policy = SlowPolicy::kLag;
};

// Its connection's thread owns account, latencies and missed until it is closed.
struct Subscription {
  Subscription(std::uint64_t run, std::size_t producers) : account(run, producers) {}

  Account account;
  Histogram latencies;
  std::uint64_t missed = 0;
  std::optional<Subscriber> subscriber;
};

Status Open(Subscription& subscription, Run& run, const cli::Invocation& invocation) {
  auto client = invocation.Connect();
  if (!client.ok()) return client.status();
  SubscriberOptions with;
  with.topic = run.channel();
  with.reconnect.enabled = false;  // A loss is a fault of the run.
  with.on_event = [&subscription, &run](SubscriberEvent& event) {
    const std::uint64_t now = NowNs();
    subscription.missed += event.missed;
    std::uint64_t moved = event.missed;
    for (const Delivery& delivery : event.batch) {
      const auto head = subscription.account.Take(delivery.payload);
      if (!head) continue;  // What is not the run's does not bring it nearer to its end.
      ++moved;
      subscription.latencies.Record(now - std::min(now, head->intended_ns));
    }
    if (moved > 0) run.Moved(moved, now);
  };
  auto subscriber = client->OpenSubscriber(with, invocation.CallDeadline());
  if (!subscriber.ok()) return subscriber.status();
  subscription.subscriber.emplace(*std::move(subscriber));
  return Status();
}

Result<Publisher> OpenPublisher(const Run& run, const cli::Invocation& invocation) {
  auto client = invocation.Connect();
  if (!client.ok()) return client.status();
  PublisherOptions with;
  with.topic = run.channel();
  with.reconnect.enabled = false;
  return client->OpenPublisher(with, invocation.CallDeadline());
}

void Sum(std::deque<Subscription>& subscriptions, std::uint64_t accepted, Report& report) {
  Histogram latencies;
  std::uint64_t missed = 0;
  for (Subscription& subscription : subscriptions) {
    if (!subscription.subscriber) continue;
    (void)subscription.subscriber->Close(kStallBound);
    subscription.subscriber.reset();
    report.Add(subscription.account);
    report.lost += Less(accepted, subscription.account.distinct() + subscription.missed);
    missed += subscription.missed;
    latencies.Add(subscription.latencies);
  }
  report.latencies.emplace_back("deliver", std::move(latencies));
  report.notes.emplace_back("missed", missed);
}

int Bench(const TopicBenchOptions& options, const cli::Invocation& invocation) {
  Run run("topic", options, kWords, invocation);
  run.report().settings["capacity"] = options.capacity;
  run.report().settings["policy"] = ToString(options.policy);
  if (Status status = run.Begin(invocation); !status.ok()) return cli::Fail(status);
  TopicSpec spec;
  spec.capacity = options.capacity;
  spec.policy = options.policy;
  const auto declared = run.admin().DeclareTopic(run.channel(), spec, invocation.CallDeadline());
  if (!declared.ok()) return cli::Fail(declared.status());

  std::deque<Subscription> subscriptions;
  for (std::size_t i = 0; i < options.consumers; ++i) {
    run.AddFault(
        Open(subscriptions.emplace_back(run.id(), run.options().producers), run, invocation));
  }
  auto publishers = OpenAll(run, [&] { return OpenPublisher(run, invocation); });
  Posted posted;
  if (run.report().faults.empty()) {
    run.Send([&](std::size_t producer, Pace& pace) {
      return PostAll(publishers[producer], producer, pace, run, posted);
    });
    run.AwaitReceipt([&] { return run.moved() >= posted.accepted * options.consumers; });
  }
  Report& report = run.report();
  Sum(subscriptions, posted.accepted, report);
  report.sent = posted.accepted;
  report.refused = posted.taken - posted.accepted;
  const auto deleted = run.admin().DeleteTopic(run.channel(), invocation.CallDeadline());
  run.AddFault(deleted.status());
  return Print(run.Finish(), invocation.json);
}

}  // namespace

void AddTopicBench(CLI::App& app, cli::Invocation& invocation) {
  const auto options = std::make_shared<TopicBenchOptions>();
  CLI::App* const verb =
      cli::AddPlainVerb(app, invocation,
                        {"topic",
                         "Publishes and subscribes over a topic of its own",
                         {"sluice bench topic", "sluice bench topic --policy block --subscribers 3",
                          "sluice bench topic --rate 20000 --duration 10 --json"}},
                        [options](const cli::Invocation& with) { return Bench(*options, with); });
  AddBenchOptions(*verb, *options, kWords);
  cli::AddWhole(*verb, "--capacity", options->capacity, "Of the topic (0: the daemon's default)");
  cli::AddChoice(*verb, invocation, "--policy", options->policy,
                 {{"lag", SlowPolicy::kLag}, {"block", SlowPolicy::kBlock}},
                 "lag: what a slow subscriber misses is counted, as missed; block: publishers wait "
                 "for it");
}

}  // namespace sluice::bench
