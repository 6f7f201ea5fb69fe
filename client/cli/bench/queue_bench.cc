// SPDX-License-Identifier: Apache-2.0
// bench queue: producers send, consumers receive and acknowledge. Latency: to the consumer's
// callback.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
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
    "producers", "consumers",
    "At full speed: wait for the outcomes of so many before the next (else never). With --rate: so "
    "many are due together",
    100'000};

struct QueueBenchOptions : BenchOptions {
  std::uint64_t capacity = 0;
};

// One consumer: its own connection, whose thread owns account and latencies until it is closed.
struct Consumer {
  Consumer(std::uint64_t run, std::size_t producers) : account(run, producers) {}

  Account account;
  Histogram latencies;
  std::optional<Receiver> receiver;
};

Status Open(Consumer& consumer, Run& run, const cli::Invocation& invocation) {
  auto client = invocation.Connect();
  if (!client.ok()) return client.status();
  ReceiverOptions with;
  with.queue = run.channel();
  with.reconnect.enabled = false;  // A loss is a fault of the run.
  with.on_batch = [&consumer, &run](Receiver& receiver, Batch& batch) {
    const std::uint64_t now = NowNs();
    std::uint64_t own = 0;  // What is not the run's does not bring it nearer to its end.
    for (const Delivery& delivery : batch) {
      const auto head = consumer.account.Take(delivery.payload);
      if (!head) continue;
      ++own;
      consumer.latencies.Record(now - std::min(now, head->intended_ns));
    }
    (void)receiver.Ack(batch);  // A stream that is over says so by its end.
    run.Moved(own, now);
  };
  auto receiver = client->OpenReceiver(with, invocation.CallDeadline());
  if (!receiver.ok()) return receiver.status();
  consumer.receiver.emplace(*std::move(receiver));
  return Status();
}

Result<Sender> OpenSender(const Run& run, const cli::Invocation& invocation) {
  auto client = invocation.Connect();
  if (!client.ok()) return client.status();
  SenderOptions with;
  with.queue = run.channel();
  with.reconnect.enabled = false;
  return client->OpenSender(with, invocation.CallDeadline());
}

int Bench(const QueueBenchOptions& options, const cli::Invocation& invocation) {
  Run run("queue", options, kWords, invocation);
  run.report().settings["capacity"] = options.capacity;
  if (Status status = run.Begin(invocation); !status.ok()) return cli::Fail(status);
  QueueSpec spec;
  spec.capacity = options.capacity;
  spec.shared = options.consumers > 1;
  const auto declared = run.admin().DeclareQueue(run.channel(), spec, invocation.CallDeadline());
  if (!declared.ok()) return cli::Fail(declared.status());

  std::deque<Consumer> consumers;
  for (std::size_t i = 0; i < options.consumers; ++i) {
    run.AddFault(Open(consumers.emplace_back(run.id(), run.options().producers), run, invocation));
  }
  auto senders = OpenAll(run, [&] { return OpenSender(run, invocation); });
  Posted posted;
  if (run.report().faults.empty()) {
    run.Send([&](std::size_t producer, Pace& pace) {
      return PostAll(senders[producer], producer, pace, run, posted);
    });
    run.AwaitReceipt([&] { return run.moved() >= posted.accepted; });
  }
  Account together(run.id(), run.options().producers);
  Histogram latencies;
  for (Consumer& consumer : consumers) {
    if (!consumer.receiver) continue;
    (void)consumer.receiver->Close(kStallBound);
    consumer.receiver.reset();
    together.Add(consumer.account);
    latencies.Add(consumer.latencies);
  }
  Report& report = run.report();
  report.Add(together);
  report.sent = posted.accepted;
  report.refused = posted.taken - posted.accepted;
  report.lost = Less(posted.accepted, together.distinct());
  report.latencies.emplace_back("deliver", std::move(latencies));
  const auto deleted = run.admin().DeleteQueue(run.channel(), invocation.CallDeadline());
  run.AddFault(deleted.status());
  return Print(run.Finish(), invocation.json);
}

}  // namespace

void AddQueueBench(CLI::App& app, cli::Invocation& invocation) {
  const auto options = std::make_shared<QueueBenchOptions>();
  CLI::App* const verb = cli::AddPlainVerb(
      app, invocation,
      {"queue",
       "Sends and receives over a queue of its own",
       {"sluice bench queue", "sluice bench queue --rate 20000 --duration 10 --json",
        "sluice bench queue --producers 4 --consumers 2 --size 1024 --batch 100"}},
      [options](const cli::Invocation& with) { return Bench(*options, with); });
  AddBenchOptions(*verb, *options, kWords);
  cli::AddWhole(*verb, "--capacity", options->capacity, "Of the queue (0: the daemon's default)");
}

}  // namespace sluice::bench
