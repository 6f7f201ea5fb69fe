// SPDX-License-Identifier: Apache-2.0
// One end of a queue at full speed, with the client's defaults: `produce` (SendStream, every
// message acked) or `consume` (ReceiveStream, every payload checked and acked). Exit 0 if every
// message had outcome OK, or every payload came once, in order and whole.
#include <absl/synchronization/mutex.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "sluice/client.h"
#include "tests/bench/e2e/figures.h"

namespace sluice::bench {
namespace {

constexpr std::chrono::seconds kOpenBound{10};
constexpr std::chrono::seconds kRunBound{300};

struct Options {
  std::string address = "127.0.0.1:7400";
  std::string queue = "bench";
  std::uint64_t messages = 1'000'000;
  std::uint64_t capacity = 0;
};

int Fail(const Status& status) {
  std::fprintf(stderr, "queue_bench: %s\n", status.ToString().c_str());
  return 1;
}

QueueSpec SpecOf(const Options& options) {
  QueueSpec spec;
  spec.capacity = options.capacity;
  return spec;
}

int Produce(const Options& options, Client& client) {
  SenderOptions with;
  with.queue = options.queue;
  with.spec = SpecOf(options);
  auto sender = client.OpenSender(with, kOpenBound);
  if (!sender.ok()) return Fail(sender.status());
  SayReady();
  const Deadline bound(kRunBound);
  const std::uint64_t began_ns = NowNs();
  Payload payload;
  for (std::uint64_t sequence = 0; sequence < options.messages; ++sequence) {
    FillPayload(sequence, payload);
    const auto sent = sender->Send({{payload.data(), payload.size()}, {}, {}, {}}, bound);
    if (!sent.ok()) return Fail(sent.status());
  }
  const auto end = sender->Finish(bound);
  if (!end.ok()) return Fail(end.status());
  const std::uint64_t refused = options.messages - sender->counts().ok;
  SayProduced(began_ns, NowNs(), refused);
  return refused == 0 ? 0 : 1;
}

int Consume(const Options& options, Client& client) {
  PayloadAccount account(options.messages);  // The callback's alone, until the stream has ended.
  ReceiverOptions with;
  with.queue = options.queue;
  with.spec = SpecOf(options);
  with.on_batch = [&account](QueueReceiver& receiver, Batch& batch) {
    for (const Delivery& delivery : batch) account.Take(delivery.payload);
    (void)receiver.Ack(batch);  // A stream that is over says so by its end.
    if (account.is_complete()) (void)receiver.StopReceiving();
  };
  auto receiver = client.OpenReceiver(with, kOpenBound);
  if (!receiver.ok()) return Fail(receiver.status());
  SayReady();
  Batch none;
  // Ends when the last ack is settled. A loss leaves it waiting, and the bound reports it.
  const bool has_ended = receiver->Next(none, kRunBound) == NextOutcome::kEnded;
  const std::uint64_t ended_ns = NowNs();
  SayConsumed(ended_ns, account);
  const bool is_whole = has_ended && account.is_complete() && account.duplicated() == 0 &&
                        account.out_of_order() == 0 && account.corrupt() == 0;
  return is_whole ? 0 : 1;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  sluice::bench::Options options;
  CLI::App app("One end of a queue at full speed.", "queue_bench");
  app.require_subcommand(1);
  app.add_option("--address", options.address);
  app.add_option("--queue", options.queue);
  app.add_option("--messages", options.messages)->check(CLI::PositiveNumber);
  app.add_option("--capacity", options.capacity, "0: the daemon's default");
  const CLI::App* const produce = app.add_subcommand("produce")->fallthrough();
  app.add_subcommand("consume")->fallthrough();
  CLI11_PARSE(app, argc, argv);
  sluice::ClientOptions with;
  with.address = options.address;
  auto client = sluice::Client::Connect(with);
  if (!client.ok()) return sluice::bench::Fail(client.status());
  return produce->parsed() ? sluice::bench::Produce(options, *client)
                           : sluice::bench::Consume(options, *client);
}
