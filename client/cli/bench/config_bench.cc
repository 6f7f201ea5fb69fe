// SPDX-License-Identifier: Apache-2.0
// bench config: setters set keys, one call after the other; watchers follow all of them, and may
// see the latest only: what they skip is counted as coalesced. Lost is a key whose last value a
// watcher did not see. Latencies: of a set to its answer, and to the watchers' callbacks.
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
#include "sluice/watcher.h"

namespace sluice::bench {
namespace {

const BenchWords kWords = {"setters", "watchers", "With --rate: so many are due together", 20'000};

struct ConfigBenchOptions : BenchOptions {
  std::size_t keys = 16;
};

// The keys of one setter, in turn: sequence i goes to key i modulo `keys`.
struct Setter {
  std::uint64_t taken = 0;
  std::uint64_t accepted = 0;
  Histogram latencies;
};

// Its connection's thread owns account and latencies until it is closed.
struct Watching {
  Watching(std::uint64_t run, std::size_t producers) : account(run, producers), last(producers) {}

  Account account;
  Histogram latencies;
  std::deque<std::atomic<std::uint64_t>> last;  // Count of each setter's, up to the last seen.
  std::optional<Watcher> watcher;
};

std::string Prefix(const Run& run) { return run.channel() + "/"; }

std::string KeyOf(const Run& run, std::size_t setter, std::uint64_t key) {
  return Prefix(run) + std::to_string(setter) + "/" + std::to_string(key);
}

Status Open(Watching& watching, Run& run, const cli::Invocation& invocation) {
  auto client = invocation.Connect();
  if (!client.ok()) return client.status();
  WatcherOptions with;
  with.prefixes = {Prefix(run)};
  with.reconnect.enabled = false;  // A loss is a fault of the run.
  with.on_change = [&watching, &run](const ConfigSnapshot& entry) {
    if (entry->deleted) return;  // By the end of the run.
    const std::uint64_t now = NowNs();
    const auto head = watching.account.Take(entry->value);
    if (head) {
      watching.latencies.Record(now - std::min(now, head->intended_ns));
      watching.last[head->producer] = head->sequence + 1;
    }
    run.Moved(1, now);
  };
  auto watcher = client->OpenWatcher(with, invocation.CallDeadline());
  if (!watcher.ok()) return watcher.status();
  watching.watcher.emplace(*std::move(watcher));
  return watching.watcher->WaitForSnapshot(invocation.CallDeadline());
}

Status SetAll(Setter& setter, Client& client, std::size_t number, Pace& pace, const Run& run,
              std::size_t keys) {
  SetKeyRequest request;
  request.value.resize(run.options().size);
  while (pace.Next()) {
    FillPayload({run.id(), number, pace.sequence(), pace.intended_ns()}, request.value);
    request.key = KeyOf(run, number, pace.sequence() % keys);
    const auto reply = client.SetKey(request, kStallBound);
    ++setter.taken;
    if (!reply.ok()) return reply.status();
    const std::uint64_t now = NowNs();
    if (reply->ok()) ++setter.accepted;
    setter.latencies.Record(now - std::min(now, pace.intended_ns()));
  }
  return Status();
}

bool HasAll(const std::deque<Watching>& watchings, const std::deque<Setter>& setters) {
  return std::all_of(watchings.begin(), watchings.end(), [&](const Watching& watching) {
    return std::equal(
        setters.begin(), setters.end(), watching.last.begin(),
        [](const Setter& setter, std::uint64_t last) { return last >= setter.taken; });
  });
}

void Sum(std::deque<Watching>& watchings, const std::deque<Setter>& setters, std::size_t keys,
         Report& report) {
  Histogram sets;
  for (const Setter& setter : setters) {
    report.sent += setter.accepted;
    report.refused += setter.taken - setter.accepted;
    sets.Add(setter.latencies);
  }
  Histogram watches;
  std::uint64_t coalesced = 0;
  for (Watching& watching : watchings) {
    if (!watching.watcher) continue;
    (void)watching.watcher->Close(kStallBound);
    watching.watcher.reset();
    report.Add(watching.account);
    coalesced += Less(report.sent, watching.account.distinct());
    watches.Add(watching.latencies);
    for (std::size_t i = 0; i < setters.size(); ++i) {
      const std::uint64_t taken = setters[i].taken;
      for (std::uint64_t last = Less(taken, keys); last < taken; ++last)
        report.lost += watching.account.Has(i, last) ? 0 : 1;
    }
  }
  report.latencies.emplace_back("set", std::move(sets));
  report.latencies.emplace_back("watch", std::move(watches));
  report.notes.emplace_back("coalesced", coalesced);
}

void DeleteKeys(Run& run, const cli::Invocation& invocation) {
  std::string page_token;
  do {
    const auto page =
        run.admin().ListKeys(Prefix(run), invocation.CallDeadline(), 0, page_token, true);
    run.AddFault(page.status());
    if (!page.ok()) return;
    for (const ConfigEntry& entry : page->entries)
      run.AddFault(run.admin().DeleteKey(entry.key, invocation.CallDeadline()).status());
    page_token = page->next_page_token;
  } while (!page_token.empty());
}

int Bench(const ConfigBenchOptions& options, const cli::Invocation& invocation) {
  if (options.batch > 0 && options.rate <= 0)
    return cli::FailUsage("--batch needs --rate: a setter sets one after the other");
  Run run("config", options, kWords, invocation);
  run.report().settings["keys"] = options.keys;
  if (Status status = run.Begin(invocation); !status.ok()) return cli::Fail(status);
  std::deque<Watching> watchings;
  for (std::size_t i = 0; i < options.consumers; ++i) {
    run.AddFault(Open(watchings.emplace_back(run.id(), run.options().producers), run, invocation));
  }
  std::deque<Setter> setters(run.options().producers);
  auto clients = OpenAll(run, [&] { return invocation.Connect(); });
  if (run.report().faults.empty()) {
    run.Send([&](std::size_t producer, Pace& pace) {
      return SetAll(setters[producer], clients[producer], producer, pace, run, options.keys);
    });
    run.AwaitReceipt([&] { return HasAll(watchings, setters); });
  }
  Sum(watchings, setters, options.keys, run.report());
  DeleteKeys(run, invocation);
  return Print(run.Finish(), invocation.json);
}

}  // namespace

void AddConfigBench(CLI::App& app, cli::Invocation& invocation) {
  const auto options = std::make_shared<ConfigBenchOptions>();
  CLI::App* const verb = cli::AddPlainVerb(
      app, invocation,
      {"config",
       "Sets and watches keys of its own",
       {"sluice bench config", "sluice bench config --setters 4 --watchers 10 --keys 100",
        "sluice bench config --rate 1000 --duration 10 --json"}},
      [options](const cli::Invocation& with) { return Bench(*options, with); });
  AddBenchOptions(*verb, *options, kWords);
  cli::AddWhole(*verb, "--keys", options->keys, "Keys of each setter, set in turn", 1, 10'000)
      ->capture_default_str();
}

}  // namespace sluice::bench
