// SPDX-License-Identifier: Apache-2.0
// All kinds of ends at work, on orders from stdin:
//   run N      answers "point" when N more things went through in all
//   recover    answers "recovered" when something went through at every pair of ends again
//   stop       comes to rest, tells what was done, and ends: 0 if no promise was broken
//
// Usage: torture_ends ADDRESS
#include <absl/synchronization/mutex.h>

#include <cstdio>
#include <iostream>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "tests/torture/ends/party.h"

namespace sluice::torture {
namespace {

using Parties = std::vector<std::unique_ptr<Party>>;

// A look at counters, again and again: the thing under test tells no thread of this one.
template <class Condition>
bool Until(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

std::uint64_t Total(const Parties& parties) {
  return std::accumulate(
      parties.begin(), parties.end(), std::uint64_t{0},
      [](std::uint64_t sum, const auto& party) { return sum + party->progress(); });
}

bool Run(const Parties& parties, std::uint64_t count) {
  const std::uint64_t wanted = Total(parties) + count;
  if (!Until([&] { return Total(parties) >= wanted; })) return false;
  std::printf("point\n");
  return true;
}

bool Recover(const Parties& parties) {
  for (const auto& party : parties) {
    const std::uint64_t before = party->progress();
    if (Until([&] { return party->progress() > before + 2; })) continue;
    std::printf("stuck: nothing goes through at %s\n", party->name().c_str());
    return false;
  }
  std::printf("recovered\n");
  return true;
}

int Stop(const Parties& parties) {
  int broken = 0;
  for (const auto& party : parties) {
    party->Stop();
    std::printf("%s: %s\n", party->name().c_str(), party->told().c_str());
    for (const std::string& violation : party->violations()) {
      std::printf("BROKEN: %s\n", violation.c_str());
      ++broken;
    }
  }
  std::printf("stopped\n");
  return broken == 0 ? 0 : 1;
}

int Work(const std::string& address) {
  ClientOptions options;
  options.address = address;
  auto client = Opened(Client::Connect(options));
  Parties parties;
  parties.push_back(MakeQueueParty(client));
  parties.push_back(MakeTopicParty(client));
  parties.push_back(MakeRequestParty(client));
  parties.push_back(MakeConfigParty(client));
  std::printf("ready\n");
  std::string order;
  while (std::cin >> order) {
    bool is_done = true;
    if (order == "run") {
      std::uint64_t count = 0;
      std::cin >> count;
      is_done = Run(parties, count);
    } else if (order == "recover") {
      is_done = Recover(parties);
    } else {
      return Stop(parties);
    }
    if (!is_done) break;
  }
  Stop(parties);
  return 1;
}

}  // namespace
}  // namespace sluice::torture

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  try {
    return sluice::torture::Work(argc > 1 ? argv[1] : "127.0.0.1:7400");
  } catch (const std::exception& failure) {
    std::printf("failed: %s\n", failure.what());
    return 1;
  }
}
