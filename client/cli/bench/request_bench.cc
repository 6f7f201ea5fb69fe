// SPDX-License-Identifier: Apache-2.0
// bench request: callers ask, workers answer with what they were asked. Latency: to the reply.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "bench_verbs.h"
#include "posting.h"
#include "run.h"
#include "sluice/caller.h"
#include "sluice/responder.h"

namespace sluice::bench {
namespace {

constexpr std::uint64_t kWindow = 64;
constexpr std::uint64_t kOpenMax = 100'000;  // Of one caller at a fixed rate.
constexpr std::chrono::seconds kCallTimeout{30};

const BenchWords kWords = {
    "callers", "workers",
    "At full speed: calls of a caller that are open at once (64). With --rate: so many are due "
    "together",
    20'000};

// One worker: its handler's thread owns the account until it is closed.
struct Worker {
  Worker(std::uint64_t run, std::size_t producers) : account(run, producers) {}

  Account account;
  std::optional<Responder> responder;
};

Status Open(Worker& worker, const Run& run, const cli::Invocation& invocation) {
  auto client = invocation.Connect();
  if (!client.ok()) return client.status();
  ResponderOptions with;
  with.responder = run.channel();
  with.reconnect.enabled = false;  // A loss is a fault of the run.
  with.handler = [&worker](Request& request, Reply reply) {
    (void)worker.account.Take(request.payload());
    (void)reply.Send(request.payload());  // What became of it is the caller's to tell.
  };
  auto responder = client->OpenResponder(with, invocation.CallDeadline());
  if (!responder.ok()) return responder.status();
  worker.responder.emplace(*std::move(responder));
  return Status();
}

// The calls of one caller that are under way, and what came of those that are over.
class Calls {
 public:
  Calls(std::size_t producer, std::uint64_t window, Run& run)
      : producer_(producer), window_(window), run_(run) {}

  // Waits for room. False: nothing came for kStallBound.
  bool Start(Caller& caller, const Pace& pace, std::string& payload);
  bool AwaitAll();

  std::uint64_t started = 0;
  std::uint64_t answered = 0;
  std::uint64_t refused = 0;
  std::uint64_t corrupt = 0;
  Histogram latencies;
  std::map<std::string, std::uint64_t> outcomes;  // Other than OK.

 private:
  using Slot = std::optional<Operation<Result<CallReply>>>;

  void OnReply(std::size_t slot, const PayloadHead& asked, const Result<CallReply>& reply);

  const std::size_t producer_;
  const std::uint64_t window_;
  Run& run_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::deque<std::size_t> free_;
  std::uint64_t open_ = 0;
  std::deque<Slot> slots_;  // Grow as needed; a slot that is free may be used again.
};

void Calls::OnReply(std::size_t slot, const PayloadHead& asked, const Result<CallReply>& reply) {
  const std::uint64_t now = NowNs();
  std::lock_guard lock(mutex_);
  if (reply.ok() && reply->ok()) {
    ++answered;
    const auto head = ReadPayload(reply->message.payload);
    if (!head || *head != asked) ++corrupt;
    latencies.Record(now - std::min(now, asked.intended_ns));
  } else {
    ++refused;
    ++outcomes[reply.ok() ? ToString(reply->outcome) : reply.status().reason()];
  }
  run_.Moved(1, now);
  free_.push_back(slot);
  --open_;
  ended_.notify_all();
}

bool Calls::Start(Caller& caller, const Pace& pace, std::string& payload) {
  const PayloadHead head = {run_.id(), producer_, pace.sequence(), pace.intended_ns()};
  FillPayload(head, payload);
  CallOptions with;
  with.timeout = kCallTimeout;
  std::unique_lock lock(mutex_);
  if (!ended_.wait_for(lock, kStallBound, [this] { return open_ < window_; })) return false;
  std::size_t slot = slots_.size();
  if (free_.empty()) {
    slots_.emplace_back();
  } else {
    slot = free_.front();
    free_.pop_front();
  }
  ++open_;
  ++started;
  Slot& place = slots_[slot];
  lock.unlock();
  place.emplace(caller.Call(payload, with));
  place->Start([this, slot, head](const Result<CallReply>& reply) { OnReply(slot, head, reply); });
  return true;
}

bool Calls::AwaitAll() {
  std::unique_lock lock(mutex_);
  return ended_.wait_for(lock, kCallTimeout + kStallBound, [this] { return open_ == 0; });
}

Result<Caller> OpenCaller(const Run& run, const cli::Invocation& invocation) {
  auto client = invocation.Connect();
  if (!client.ok()) return client.status();
  CallerOptions with;
  with.responder = run.channel();
  with.reconnect.enabled = false;
  return client->OpenCaller(with, invocation.CallDeadline());
}

Status CallAll(Calls& calls, Caller& caller, Pace& pace, const Run& run) {
  std::string payload(run.options().size, '\0');
  bool moves = true;
  while (moves && pace.Next()) moves = calls.Start(caller, pace, payload);
  moves = moves && calls.AwaitAll();
  if (moves) return caller.Close(kStallBound).status();
  return Status(Code::kDeadlineExceeded, "DEADLINE", "calls have no outcome");
}

void Sum(std::deque<Worker>& workers, std::deque<Calls>& callers, Report& report) {
  for (Worker& worker : workers) {
    if (!worker.responder) continue;
    (void)worker.responder->Close(kStallBound);
    worker.responder.reset();
  }
  Histogram latencies;
  std::map<std::string, std::uint64_t> outcomes;
  for (const Calls& calls : callers) {
    report.sent += calls.started;
    report.received += calls.answered;
    report.refused += calls.refused;
    report.checksum += calls.corrupt;
    report.lost += calls.started - calls.answered - calls.refused;
    latencies.Add(calls.latencies);
    for (const auto& [outcome, count] : calls.outcomes) outcomes[outcome] += count;
  }
  report.latencies.emplace_back("reply", std::move(latencies));
  for (const auto& [outcome, count] : outcomes) report.notes.emplace_back(outcome, count);
}

int Bench(const BenchOptions& options, const cli::Invocation& invocation) {
  Run run("request", options, kWords, invocation);
  if (Status status = run.Begin(invocation); !status.ok()) return cli::Fail(status);
  const std::uint64_t batch = options.batch > 0 ? options.batch : kWindow;
  const std::uint64_t window = options.rate > 0 ? kOpenMax : batch;
  ResponderSpec spec;
  spec.capacity =
      std::max<std::uint64_t>(1024, std::min<std::uint64_t>(1'048'576, window * options.producers));
  run.report().settings["capacity"] = spec.capacity;
  const auto declared =
      run.admin().DeclareResponder(run.channel(), spec, invocation.CallDeadline());
  if (!declared.ok()) return cli::Fail(declared.status());

  std::deque<Worker> workers;
  for (std::size_t i = 0; i < options.consumers; ++i) {
    run.AddFault(Open(workers.emplace_back(run.id(), run.options().producers), run, invocation));
  }
  std::deque<Calls> calls;  // Before the callers: these end first, and with them all callbacks.
  for (std::size_t i = 0; i < run.options().producers; ++i) calls.emplace_back(i, window, run);
  auto callers = OpenAll(run, [&] { return OpenCaller(run, invocation); });
  if (run.report().faults.empty()) {
    run.Send([&](std::size_t producer, Pace& pace) {
      return CallAll(calls[producer], callers[producer], pace, run);
    });
  }
  callers.clear();
  Report& report = run.report();
  Sum(workers, calls, report);
  Account together(run.id(), run.options().producers);
  for (const Worker& worker : workers) together.Add(worker.account);
  report.duplicates = together.duplicates();
  report.order = together.out_of_order();
  report.checksum += together.corrupt();
  const auto deleted = run.admin().DeleteResponder(run.channel(), invocation.CallDeadline());
  run.AddFault(deleted.status());
  return Print(run.Finish(), invocation.json);
}

}  // namespace

void AddRequestBench(CLI::App& app, cli::Invocation& invocation) {
  const auto options = std::make_shared<BenchOptions>();
  CLI::App* const verb = cli::AddPlainVerb(
      app, invocation,
      {"request",
       "Asks and answers over a responder of its own",
       {"sluice bench request", "sluice bench request --callers 4 --workers 2 --batch 16",
        "sluice bench request --rate 5000 --duration 10 --json"}},
      [options](const cli::Invocation& with) { return Bench(*options, with); });
  AddBenchOptions(*verb, *options, kWords);
}

}  // namespace sluice::bench
