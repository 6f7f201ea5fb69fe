// SPDX-License-Identifier: Apache-2.0
// receive: some messages and out, or --follow. A message is acknowledged after it was written to
// stdout.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "message_json.h"
#include "numbers.h"
#include "output.h"
#include "signals.h"
#include "stream_notes.h"
#include "verbs.h"

namespace sluice::cli {
namespace {

constexpr std::uint32_t kBatchMax = 1000;

struct ReceiveOptions {
  std::string queue;
  std::uint64_t count = 0;  // 0: one; with --follow: no limit.
  bool follow = false;
  bool ack = true;
  bool take_over = false;
  bool standby = false;
  bool reconnect = true;
  std::string consumer;
  double wait_s = 0;
};

// False: stdout takes nothing more, so nothing of it may count as done.
bool Print(const Delivery* begin, const Delivery* end, bool json) {
  for (const Delivery* delivery = begin; delivery != end; ++delivery)
    PrintDelivery(*delivery, json);
  return FlushOutput();
}

// With unary calls: each batch is leased, printed, settled.
int ReceiveSome(const ReceiveOptions& options, Invocation& invocation, Client& client) {
  const std::uint64_t wanted = std::max<std::uint64_t>(options.count, 1);
  std::uint64_t received = 0;
  while (received < wanted) {
    ReceiveRequest request;
    request.queue = options.queue;
    request.consumer = options.consumer;
    request.max_messages =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted - received, kBatchMax));
    request.wait = Seconds(options.wait_s);
    const auto reply = client.Receive(request, invocation.CallDeadline(request.wait));
    if (!reply.ok()) return Fail(reply.status());
    if (reply->outcome != Outcome::kOk) {
      return FailRefused(Describe(reply->outcome, reply->reason) + ": " + std::to_string(received) +
                         " of " + std::to_string(wanted) + " messages received");
    }
    const bool is_out = Print(reply->batch.begin(), reply->batch.end(), invocation.json);
    std::vector<Settlement> settlements;
    for (const PositionRange& range : reply->batch.ranges()) {
      const bool is_done = options.ack && is_out;
      settlements.push_back(
          {range, is_done ? SettleAction::kAck : SettleAction::kRelease, {}, {}, reply->lease});
    }
    const auto settled = client.Settle(options.queue, settlements, invocation.CallDeadline());
    if (!settled.ok()) return Fail(settled.status());
    if (!is_out) return FailOutput();
    for (const SettleResult& result : *settled) {
      if (result.outcome != Outcome::kOk) {
        return FailRefused(ToString(result.outcome) +
                           ": the lease ran out before the message was settled");
      }
    }
    received += reply->batch.size();
    if (!options.ack) break;  // They are back in their place: a second call would give them again.
  }
  return kDone;
}

AttachMode ModeOf(const ReceiveOptions& options) {
  if (options.take_over) return AttachMode::kTakeOver;
  return options.standby ? AttachMode::kStandby : AttachMode::kRefuse;
}

// With a stream, until the queue ends, a signal comes, or count is reached.
int Follow(const ReceiveOptions& options, Invocation& invocation, Client& client) {
  CatchSignals();
  ReceiverOptions with;
  with.queue = options.queue;
  with.consumer = options.consumer;
  with.mode = ModeOf(options);
  with.reconnect.enabled = options.reconnect;
  with.on_state = StateNotes(invocation.json);
  auto receiver = client.OpenReceiver(with, invocation.CallDeadline());
  if (!receiver.ok()) return Fail(receiver.status());

  const std::string receiving = "receiving from " + options.queue;
  std::uint64_t left = options.count == 0 ? UINT64_MAX : options.count;
  auto last = std::chrono::steady_clock::now();
  Batch batch;
  while (left > 0 && SignalsCaught() == 0) {
    const NextOutcome next = receiver->Next(batch, kSignalPoll);
    if (next == NextOutcome::kEnded) return FailEnd(*receiver->end(), receiving);
    if (next == NextOutcome::kTimedOut) {
      const bool waits =
          options.wait_s <= 0 || std::chrono::steady_clock::now() - last < Seconds(options.wait_s);
      if (waits) continue;
      (void)receiver->Close(invocation.CloseDeadline());
      return FailRefused("EMPTY: no message within --wait");
    }
    // What is beyond the count, or could not be printed, is handed back by Close.
    const std::size_t take = std::min<std::uint64_t>(left, batch.size());
    if (!Print(batch.begin(), batch.begin() + take, invocation.json)) {
      (void)receiver->Close(invocation.CloseDeadline());
      return FailOutput();
    }
    for (std::size_t i = 0; i < take && options.ack; ++i) {
      if (Status status = receiver->Ack(batch[i].range()); !status.ok()) return Fail(status);
    }
    left -= take;
    last = std::chrono::steady_clock::now();
  }
  const auto end = receiver->Close(invocation.CloseDeadline());
  return end.ok() ? FailEnd(*end, receiving) : Fail(end.status());
}

}  // namespace

void AddReceiveVerb(CLI::App& app, Invocation& invocation) {
  const auto options = std::make_shared<ReceiveOptions>();
  CLI::App* const verb =
      AddVerb(app, invocation,
              {"receive",
               "Receives messages of a queue and prints their payloads, a line each",
               {"sluice receive jobs", "sluice receive jobs --count 10 --wait 5",
                "sluice receive jobs --follow --json", "sluice receive jobs --follow --standby"}},
              [options](Invocation& with, Client& client) {
                return options->follow ? Follow(*options, with, client)
                                       : ReceiveSome(*options, with, client);
              });
  AddName(*verb, invocation, options->queue, Names::kQueues, "queue");
  AddWhole(*verb, "--count", options->count, "Messages wanted (default 1; with --follow: no limit)",
           1);
  CLI::Option* const follow =
      verb->add_flag("--follow", options->follow, "Go on until the queue ends, or Ctrl-C");
  AddSeconds(*verb, "--wait", options->wait_s,
             "Seconds to wait for a message (0: not at all; with --follow: no limit)");
  verb->add_flag("--ack,!--no-ack", options->ack,
                 "Settle what was printed (default), or give it back")
      ->default_str("true");
  verb->add_option("--consumer", options->consumer, "A name for people, and for sharing the seat");
  CLI::Option* const standby =
      verb->add_flag("--standby", options->standby, "Wait in line if there is a consumer")
          ->needs(follow);
  verb->add_flag("--take-over", options->take_over, "Take the seat of the consumer that is there")
      ->needs(follow)
      ->excludes(standby);
  AddReconnectFlag(*verb, options->reconnect)->needs(follow);
}

}  // namespace sluice::cli
