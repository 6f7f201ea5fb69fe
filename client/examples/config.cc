// SPDX-License-Identifier: Apache-2.0
// A config key: the newest value, for everybody who goes by it, and never a backlog.
//
// Usage: example_config [ADDRESS]
#include <cstdio>
#include <string>

#include "sluice/client.h"

using namespace std::chrono_literals;

namespace {

constexpr char kKey[] = "example/rate";

int Fail(const sluice::Status& status) {
  std::fprintf(stderr, "example_config: %s\n", status.ToString().c_str());
  return 1;
}

std::string Text(const sluice::ConfigSnapshot& entry) {
  return entry == nullptr || entry->deleted ? "not there" : entry->value;
}

int Run(const std::string& address) {
  sluice::ClientOptions where;
  where.address = address;
  auto client = sluice::Client::Connect(where);
  if (!client) return Fail(client.status());
  sluice::ConfigWriter writer = client->MakeConfigWriter();
  auto first = writer.Set(kKey, "100", 5s);
  if (!first) return Fail(first.status());

  sluice::WatcherOptions watching;
  watching.keys = {kKey};
  auto watcher = client->OpenWatcher(watching, 5s);
  if (!watcher) return Fail(watcher.status());
  // Whoever starts knows the value before it does anything.
  if (auto known = watcher->WaitForSnapshot(5s); !known.ok()) return Fail(known);
  std::printf("at the start: %s\n", Text(watcher->Get(kKey)).c_str());

  // Set only if it is still what was read: of two who do so at once, one is told what there is.
  const sluice::KeyVersion read = first->entry->at;
  auto mine = writer.CompareAndSet(kKey, read, "200", 5s);
  auto theirs = writer.CompareAndSet(kKey, read, "300", 5s);
  if (!mine) return Fail(mine.status());
  if (!theirs) return Fail(theirs.status());
  std::printf("200: %s; 300: %s, it is %s\n", ToString(mine->outcome).c_str(),
              ToString(theirs->outcome).c_str(), theirs->entry->value.c_str());

  const auto raise = [](const sluice::ConfigEntry* latest) {
    return std::to_string(std::stoi(latest->value) + 50);
  };
  auto raised = writer.Update(kKey, raise, 5s);
  if (!raised) return Fail(raised.status());
  auto seen = watcher->WaitFor(
      kKey, [](const sluice::ConfigSnapshot& entry) { return Text(entry) == "250"; }, 5s);
  if (!seen) return Fail(seen.status());
  std::printf("the watcher sees %s\n", Text(*seen).c_str());

  // Tied to a session: it is there as long as its owner is.
  sluice::SessionOptions here;
  auto session = client->OpenSession(here, 5s);
  if (!session) return Fail(session.status());
  sluice::ConfigWriterOptions tied;
  tied.session_id = session->id();
  sluice::ConfigWriter presence = client->MakeConfigWriter(tied);
  if (auto set = presence.Set(kKey, "while I am here", 5s); !set) return Fail(set.status());
  if (auto end = session->Close(5s); !end) return Fail(end.status());
  auto gone = watcher->WaitFor(
      kKey, [](const sluice::ConfigSnapshot& entry) { return Text(entry) == "not there"; }, 5s);
  if (!gone) return Fail(gone.status());
  std::printf("after its owner left: %s\n", Text(*gone).c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return Run(argc > 1 ? argv[1] : "127.0.0.1:7400"); }
