// SPDX-License-Identifier: Apache-2.0
// One end of a NATS subject at full speed, as ends_bench is one of a queue: `produce` (publish,
// and a flush at the end) or `consume` (a subscription with a callback and no limit on what is
// pending).
#include <nats/nats.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <string>

#include "tests/bench/e2e/figures.h"

namespace sluice::bench {
namespace {

constexpr std::chrono::seconds kIdleBound{5};
constexpr int kFlushBoundMs = 60'000;

struct Options {
  std::string url = "nats://127.0.0.1:4222";
  std::string subject = "bench";
  std::uint64_t messages = 1'000'000;
};

int Fail(natsStatus status) {
  std::fprintf(stderr, "nats_bench: %s\n", natsStatus_GetText(status));
  return 1;
}

int Produce(const Options& options, natsConnection* connection) {
  SayReady();
  const std::uint64_t began_ns = NowNs();
  Payload payload;
  for (std::uint64_t sequence = 0; sequence < options.messages; ++sequence) {
    FillPayload(sequence, payload);
    const natsStatus status = natsConnection_Publish(
        connection, options.subject.c_str(), payload.data(), static_cast<int>(payload.size()));
    if (status != NATS_OK) return Fail(status);
  }
  const natsStatus status = natsConnection_FlushTimeout(connection, kFlushBoundMs);
  if (status != NATS_OK) return Fail(status);
  SayProduced(began_ns, NowNs(), 0);
  return 0;
}

struct Consumer {
  explicit Consumer(std::uint64_t all) : expected(all) {}

  std::mutex mutex;
  std::condition_variable complete;
  const std::uint64_t expected;
  Account account{0, 1};
  std::uint64_t ended_ns = 0;
  bool is_complete = false;
};

void OnMessage(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
  auto& consumer = *static_cast<Consumer*>(closure);
  {
    std::lock_guard lock(consumer.mutex);
    consumer.account.Take(
        {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))});
    if (consumer.account.distinct() == consumer.expected && !consumer.is_complete) {
      consumer.is_complete = true;
      consumer.ended_ns = NowNs();
      consumer.complete.notify_all();
    }
  }
  natsMsg_Destroy(message);
}

// False: no message for kIdleBound after the first, so the rest is lost.
bool WaitForAll(Consumer& consumer) {
  std::unique_lock lock(consumer.mutex);
  std::uint64_t distinct = 0;
  for (;;) {
    if (consumer.complete.wait_for(lock, kIdleBound, [&] { return consumer.is_complete; }))
      return true;
    if (consumer.account.distinct() > 0 && consumer.account.distinct() == distinct) return false;
    distinct = consumer.account.distinct();
  }
}

int Consume(const Options& options, natsConnection* connection) {
  Consumer consumer(options.messages);
  natsSubscription* subscription = nullptr;
  natsStatus status = natsConnection_Subscribe(&subscription, connection, options.subject.c_str(),
                                               OnMessage, &consumer);
  if (status == NATS_OK) status = natsSubscription_SetPendingLimits(subscription, -1, -1);
  if (status == NATS_OK) status = natsConnection_FlushTimeout(connection, kFlushBoundMs);
  if (status != NATS_OK) return Fail(status);
  SayReady();
  const bool has_all = WaitForAll(consumer);
  natsSubscription_Unsubscribe(subscription);
  std::lock_guard lock(consumer.mutex);
  SayConsumed(has_all ? consumer.ended_ns : NowNs(), consumer.expected, consumer.account);
  std::fflush(stdout);
  // The process ends here; taking the library apart in good order is not what is measured.
  std::_Exit(has_all ? 0 : 1);
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  sluice::bench::Options options;
  CLI::App app("One end of a NATS subject at full speed.", "nats_bench");
  app.require_subcommand(1);
  app.add_option("--url", options.url);
  app.add_option("--subject", options.subject);
  app.add_option("--messages", options.messages)->check(CLI::PositiveNumber);
  const CLI::App* const produce = app.add_subcommand("produce")->fallthrough();
  app.add_subcommand("consume")->fallthrough();
  CLI11_PARSE(app, argc, argv);
  natsConnection* connection = nullptr;
  const natsStatus status = natsConnection_ConnectTo(&connection, options.url.c_str());
  if (status != NATS_OK) return sluice::bench::Fail(status);
  return produce->parsed() ? sluice::bench::Produce(options, connection)
                           : sluice::bench::Consume(options, connection);
}
