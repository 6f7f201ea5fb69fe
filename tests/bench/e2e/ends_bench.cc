// SPDX-License-Identifier: Apache-2.0
// One end of a channel at full speed, with the client's defaults: `produce` (SendStream, every
// message acked) and `consume` (ReceiveStream, every payload checked and acked) of a queue;
// `publish` (PublishStream, every message acked) and `subscribe` (every payload checked) of a topic
// that makes its publisher wait for a slow subscriber, so that nothing is missed. Exit 0 if every
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
  std::string channel = "bench";
  std::uint64_t messages = 1'000'000;
  std::uint64_t capacity = 0;
};

int Fail(const Status& status) {
  std::fprintf(stderr, "ends_bench: %s\n", status.ToString().c_str());
  return 1;
}

QueueSpec SpecOf(const Options& options) {
  QueueSpec spec;
  spec.capacity = options.capacity;
  return spec;
}

// `sender` has posted all, and knows of each that it is OK.
int SendAll(const Options& options, SendingEnd& sender) {
  SayReady();
  const Deadline bound(kRunBound);
  const std::uint64_t began_ns = NowNs();
  Payload payload;
  for (std::uint64_t sequence = 0; sequence < options.messages; ++sequence) {
    FillPayload(sequence, payload);
    const auto sent = sender.Post({{payload.data(), payload.size()}, {}, {}, {}}, bound);
    if (!sent.ok()) return Fail(sent.status());
  }
  const auto end = sender.Close(bound);
  if (!end.ok()) return Fail(end.status());
  const std::uint64_t refused = options.messages - sender.counts().ok;
  SayProduced(began_ns, NowNs(), refused);
  return refused == 0 ? 0 : 1;
}

int Produce(const Options& options, Client& client) {
  SenderOptions with;
  with.queue = options.channel;
  with.spec = SpecOf(options);
  auto sender = client.OpenSender(with, kOpenBound);
  return sender.ok() ? SendAll(options, *sender) : Fail(sender.status());
}

TopicSpec TopicSpecOf(const Options& options) {
  TopicSpec spec;
  spec.capacity = options.capacity;
  spec.policy = SlowPolicy::kBlock;
  return spec;
}

int Publish(const Options& options, Client& client) {
  PublisherOptions with;
  with.topic = options.channel;
  with.spec = TopicSpecOf(options);
  auto publisher = client.OpenPublisher(with, kOpenBound);
  return publisher.ok() ? SendAll(options, *publisher) : Fail(publisher.status());
}

int Report(const Options& options, bool has_ended, const Account& account) {
  SayConsumed(NowNs(), options.messages, account);
  const bool is_whole = has_ended && account.distinct() == options.messages &&
                        account.duplicates() == 0 && account.out_of_order() == 0 &&
                        account.corrupt() == 0;
  return is_whole ? 0 : 1;
}

// What is missed is lost, and reported so.
int Subscribe(const Options& options, Client& client) {
  Account account(0, 1);
  SubscriberOptions with;
  with.topic = options.channel;
  with.spec = TopicSpecOf(options);
  auto subscriber = client.OpenSubscriber(with, kOpenBound);
  if (!subscriber.ok()) return Fail(subscriber.status());
  SayReady();
  const Deadline bound(kRunBound);
  SubscriberEvent event;
  while (account.distinct() < options.messages &&
         subscriber->Next(event, bound) == NextOutcome::kGiven) {
    for (const Delivery& delivery : event.batch) account.Take(delivery.payload);
  }
  return Report(options, true, account);
}

int Consume(const Options& options, Client& client) {
  Account account(0, 1);  // The callback's alone, until the stream has ended.
  ReceiverOptions with;
  with.queue = options.channel;
  with.spec = SpecOf(options);
  with.on_batch = [&account, &options](Receiver& receiver, Batch& batch) {
    for (const Delivery& delivery : batch) account.Take(delivery.payload);
    (void)receiver.Ack(batch);  // A stream that is over says so by its end.
    if (account.distinct() == options.messages) (void)receiver.StopReceiving();
  };
  auto receiver = client.OpenReceiver(with, kOpenBound);
  if (!receiver.ok()) return Fail(receiver.status());
  SayReady();
  Batch none;
  // Ends when the last ack is settled. A loss leaves it waiting, and the bound reports it.
  const bool has_ended = receiver->Next(none, kRunBound) == NextOutcome::kEnded;
  return Report(options, has_ended, account);
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  sluice::bench::Options options;
  CLI::App app("One end of a channel at full speed.", "ends_bench");
  app.require_subcommand(1);
  app.add_option("--address", options.address);
  app.add_option("--channel", options.channel);
  app.add_option("--messages", options.messages)->check(CLI::PositiveNumber);
  app.add_option("--capacity", options.capacity, "0: the daemon's default");
  const CLI::App* const produce = app.add_subcommand("produce")->fallthrough();
  const CLI::App* const consume = app.add_subcommand("consume")->fallthrough();
  const CLI::App* const publish = app.add_subcommand("publish")->fallthrough();
  app.add_subcommand("subscribe")->fallthrough();
  CLI11_PARSE(app, argc, argv);
  sluice::ClientOptions with;
  with.address = options.address;
  auto client = sluice::Client::Connect(with);
  if (!client.ok()) return sluice::bench::Fail(client.status());
  if (produce->parsed()) return sluice::bench::Produce(options, *client);
  if (consume->parsed()) return sluice::bench::Consume(options, *client);
  if (publish->parsed()) return sluice::bench::Publish(options, *client);
  return sluice::bench::Subscribe(options, *client);
}
