// SPDX-License-Identifier: Apache-2.0
// receive: some messages and out, or --follow. A message is acknowledged after it was written to
// stdout.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <csignal>
#include <iostream>
#include <memory>

#include "message_json.h"
#include "output.h"
#include "session.h"

namespace sluice::cli {
namespace {

constexpr std::uint32_t kBatchMax = 1000;
constexpr std::chrono::milliseconds kSignalPoll{100};

std::atomic<bool> has_signal{false};

struct ReceiveOptions {
  std::string queue;
  std::uint64_t count = 0;  // 0: one; with --follow: no limit.
  bool follow = false;
  bool ack = true;
  bool take_over = false;
  bool standby = false;
  std::string consumer;
  double wait_s = 0;
};

// False: stdout takes nothing more, so nothing of it may count as done.
bool Print(const Delivery* begin, const Delivery* end, bool json) {
  for (const Delivery* delivery = begin; delivery != end; ++delivery)
    PrintDelivery(*delivery, json);
  std::cout.flush();
  return std::cout.good();
}

int FailOutput() { return FailUsage("cannot write to stdout"); }

// With unary calls: each batch is leased, printed, settled.
int ReceiveSome(const ReceiveOptions& options, Session& session, Client& client) {
  const std::uint64_t wanted = std::max<std::uint64_t>(options.count, 1);
  std::uint64_t received = 0;
  while (received < wanted) {
    ReceiveRequest request;
    request.queue = options.queue;
    request.consumer = options.consumer;
    request.max_messages =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted - received, kBatchMax));
    request.wait = Seconds(options.wait_s);
    const auto reply = client.Receive(request, session.CallDeadline(request.wait));
    if (!reply.ok()) return Fail(reply.status());
    if (reply->outcome != Outcome::kOk) {
      std::string text = ToString(reply->outcome);
      if (reply->outcome == Outcome::kClosed) text += " " + ToString(reply->reason);
      return FailRefused(text + ": " + std::to_string(received) + " of " + std::to_string(wanted) +
                         " messages received");
    }
    const bool is_out = Print(reply->batch.begin(), reply->batch.end(), session.json);
    std::vector<Settlement> settlements;
    for (const PositionRange& range : reply->batch.ranges()) {
      const bool is_done = options.ack && is_out;
      settlements.push_back(
          {range, is_done ? SettleAction::kAck : SettleAction::kRelease, {}, {}, reply->lease});
    }
    const auto settled = client.Settle(options.queue, settlements, session.CallDeadline());
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

int SayEnd(const StreamEnd& end, const std::string& queue) {
  if (end.kind == StreamEnd::Kind::kLost) return Fail(end.status);
  if (end.kind == StreamEnd::Kind::kClosed && end.reason == ClosedReason::kFinished) return kDone;
  return FailRefused("receiving from " + queue + " ended, " + ToString(end));
}

// With a stream, until the queue ends, a signal comes, or count is reached.
int Follow(const ReceiveOptions& options, Session& session, Client& client) {
  std::signal(SIGINT, [](int) { has_signal = true; });
  std::signal(SIGTERM, [](int) { has_signal = true; });
  ReceiverOptions with;
  with.queue = options.queue;
  with.consumer = options.consumer;
  with.mode = ModeOf(options);
  auto receiver = client.OpenReceiver(with, session.CallDeadline());
  if (!receiver.ok()) return Fail(receiver.status());

  std::uint64_t left = options.count == 0 ? UINT64_MAX : options.count;
  auto last = std::chrono::steady_clock::now();
  Batch batch;
  while (left > 0 && !has_signal) {
    const NextOutcome next = receiver->Next(batch, kSignalPoll);
    if (next == NextOutcome::kEnded) return SayEnd(*receiver->end(), options.queue);
    if (next == NextOutcome::kTimedOut) {
      const bool waits =
          options.wait_s <= 0 || std::chrono::steady_clock::now() - last < Seconds(options.wait_s);
      if (waits) continue;
      (void)receiver->Finish(session.CallDeadline());
      return FailRefused("EMPTY: no message within --wait");
    }
    // What is beyond the count, or could not be printed, is handed back by Finish.
    const std::size_t take = std::min<std::uint64_t>(left, batch.size());
    if (!Print(batch.begin(), batch.begin() + take, session.json)) {
      (void)receiver->Finish(session.CallDeadline());
      return FailOutput();
    }
    for (std::size_t i = 0; i < take && options.ack; ++i) {
      if (Status status = receiver->Ack({batch[i].position, 1}); !status.ok()) return Fail(status);
    }
    left -= take;
    last = std::chrono::steady_clock::now();
  }
  const auto end = receiver->Finish(session.CallDeadline());
  return end.ok() ? SayEnd(*end, options.queue) : Fail(end.status());
}

}  // namespace

void AddReceiveVerb(CLI::App& app, Session& session) {
  const auto options = std::make_shared<ReceiveOptions>();
  CLI::App* const verb =
      AddVerb(app, session, "receive", "Receives messages and prints their payloads, a line each",
              [options](Session& with, Client& client) {
                return options->follow ? Follow(*options, with, client)
                                       : ReceiveSome(*options, with, client);
              });
  verb->add_option("queue", options->queue, "Name")->required();
  verb->add_option("--count", options->count,
                   "Messages wanted (default 1; with --follow: no limit)")
      ->check(CLI::PositiveNumber);
  CLI::Option* const follow =
      verb->add_flag("--follow", options->follow, "Go on until the queue ends, or Ctrl-C");
  verb->add_option("--wait", options->wait_s,
                   "Seconds to wait for a message (0: not at all; with --follow: no limit)")
      ->check(CLI::Range(0.0, 4294967.0));
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
}

}  // namespace sluice::cli
