// SPDX-License-Identifier: Apache-2.0
// watch: the latest of keys, the mark that this was all, and their changes.
#include <CLI/CLI.hpp>
#include <memory>
#include <set>

#include "key_json.h"
#include "numbers.h"
#include "signals.h"
#include "sluice/watcher.h"
#include "stream_notes.h"
#include "verbs.h"

namespace sluice::cli {
namespace {

struct WatchOptions {
  std::vector<std::string> selectors;
  std::uint64_t count = 0;  // 0: no limit.
  bool are_prefixes = false;
  bool reconnect = true;
};

class Watching {
 public:
  Watching(const WatchOptions& options, Invocation& invocation)
      : options_(options),
        with_(invocation),
        left_(options.count == 0 ? UINT64_MAX : options.count) {}

  int Run(Client& client);

 private:
  Status PrintSnapshot(Watcher& watcher);
  void Print(const ConfigEntry& entry);

  const WatchOptions& options_;
  const Invocation& with_;
  std::uint64_t left_;
};

void Watching::Print(const ConfigEntry& entry) {
  --left_;
  if (with_.json) {
    PrintJson(ToJson(entry));
  } else if (entry.deleted) {
    PrintText(entry.key + " deleted\n");
  } else {
    PrintText(entry.key + " = " + Shown(entry.value) + "\n");
  }
}

// The snapshot comes as changes. All of it has come when the watcher says so; then what waits here
// to be taken holds each of its keys, as it was or as it is now.
Status Watching::PrintSnapshot(Watcher& watcher) {
  if (Status status = watcher.WaitForSnapshot(with_.CallDeadline()); !status.ok()) return status;
  std::set<std::string> missing;
  for (const ConfigSnapshot& entry : watcher.All()) missing.insert(entry->key);
  const std::size_t keys = missing.size();
  while (left_ > 0 && !missing.empty()) {
    const auto change = watcher.Next(with_.CallDeadline());
    if (!change.ok()) return change.status();
    missing.erase((*change)->key);
    Print(**change);
  }
  if (left_ > 0) {
    PrintEvent(with_.json, {{"event", "end_of_snapshot"}, {"keys", keys}},
               "end of snapshot, " + std::to_string(keys) + " keys");
  }
  return Status();
}

int Watching::Run(Client& client) {
  CatchSignals();
  WatcherOptions with;
  (options_.are_prefixes ? with.prefixes : with.keys) = options_.selectors;
  with.reconnect.enabled = options_.reconnect;
  with.on_state = StateNotes(with_.json);
  auto watcher = client.OpenWatcher(with, with_.CallDeadline());
  if (!watcher.ok()) return Fail(watcher.status());
  if (Status status = PrintSnapshot(*watcher); !status.ok()) return Fail(status);
  while (FlushOutput() && left_ > 0 && SignalsCaught() == 0) {
    const auto change = watcher->Next(kSignalPoll);
    if (change.ok()) {
      Print(**change);
    } else if (const auto end = watcher->end()) {
      return FailEnd(*end, "watching");
    } else if (change.status().reason() != "DEADLINE") {
      return Fail(change.status());
    }
  }
  (void)watcher->Close(with_.CloseDeadline());
  return FlushOutput() ? kDone : FailOutput();
}

}  // namespace

void AddWatchVerb(CLI::App& app, Invocation& invocation) {
  const auto options = std::make_shared<WatchOptions>();
  CLI::App* const verb = AddVerb(
      app, invocation,
      {"watch",
       "Prints the latest of keys, and then their changes, each key's latest only",
       {"sluice watch app/log-level app/limit", "sluice watch --prefix app/ --json",
        "sluice watch leader --count 1"}},
      [options](Invocation& with, Client& client) { return Watching(*options, with).Run(client); });
  invocation.names[verb->add_option("key", options->selectors, "Names; they need not be there yet")
                       ->required()] = Names::kKeys;
  verb->add_flag("--prefix", options->are_prefixes, "The names are what keys begin with");
  AddWhole(*verb, "--count", options->count,
           "End after so many entries, those of the snapshot included", 1);
  AddReconnectFlag(*verb, options->reconnect);
}

}  // namespace sluice::cli
