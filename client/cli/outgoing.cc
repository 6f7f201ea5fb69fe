// SPDX-License-Identifier: Apache-2.0
#include "outgoing.h"

#include <CLI/CLI.hpp>
#include <span>

#include "channel_json.h"
#include "input.h"
#include "message_json.h"
#include "numbers.h"
#include "signals.h"

namespace sluice::cli {
namespace {

Status Post(SendingEnd& end, const OwnedMessage& message) {
  std::vector<Header> headers;
  const Message view = View(message, headers);
  for (;;) {
    Status status = end.Post(view, kSignalPoll).status();
    const bool has_no_room = status.reason() == "DEADLINE";
    if (!has_no_room || SignalsCaught() > 0) return status;
  }
}

}  // namespace

Result<OwnedMessage> MessageOptions::Read() const {
  OwnedMessage message;
  message.id = id;
  message.content_type = content_type;
  for (const std::string& header : headers) {
    const std::size_t at = header.find('=');
    if (at == std::string::npos || at == 0) {
      return BadOption("a header is written key=value", {{"field", "--header"}, {"value", header}});
    }
    message.headers.emplace_back(header.substr(0, at), header.substr(at + 1));
  }
  return message;
}

void AddMessageOptions(CLI::App& verb, MessageOptions& options) {
  verb.add_option("--header", options.headers, "key=value, on every message; may be repeated")
      ->allow_extra_args(false);
  verb.add_option("--id", options.id, "The sender's name for the message");
  verb.add_option("--content-type", options.content_type, "Media type");
}

void AddOutgoingOptions(CLI::App& verb, OutgoingOptions& options, const std::string& declared) {
  CLI::Option* const payloads = verb.add_option(
      "payload", options.payloads, "One message each; none: a message a line of stdin");
  AddMessageOptions(verb, options);
  verb.add_flag("--json-lines", options.json_lines,
                "stdin has JSON objects: payload or payload_base64, headers, id, content_type")
      ->excludes(payloads);
  CLI::Option* const wait =
      AddSeconds(verb, "--wait", options.wait_s, "Seconds to wait for room (0: no limit)");
  verb.add_flag("--try", options.mode_try, "Do not wait for room: FULL")->excludes(wait);
  verb.add_flag("--declare", options.declare,
                "Make the " + declared + " with default settings, if it is not there");
  verb.add_flag("--reconnect", options.reconnect,
                "Go on after a lost connection, without duplicates; else it is the end");
}

void Outgoing::Prepare(SendingOptions& with) {
  with.mode = options_.mode_try ? SendMode::kTry : SendMode::kWait;
  with.wait = Seconds(options_.wait_s);
  with.reconnect.enabled = options_.reconnect;
  with.on_outcome = [this](const SendOutcome& outcome) { OnOutcome(outcome); };
}

void Outgoing::OnOutcome(const SendOutcome& outcome) {
  if (with_.json) {
    PrintJson(ToJson(outcome));
    (void)FlushOutput();  // Whoever reads it learns of the messages so far while others wait.
  }
  std::lock_guard lock(mutex_);
  if (outcome.outcome != Outcome::kOk && !refused_) refused_ = outcome;
}

Status Outgoing::PostLines(SendingEnd& end, OwnedMessage message) const {
  InputLines lines;
  std::string line;
  for (std::uint64_t number = 1;; ++number) {
    const auto next = lines.Next(line);
    if (!next.ok() || !*next) return next.status();
    if (options_.json_lines) {
      const auto parsed = FromJsonLine(line);
      if (!parsed.ok()) {
        Status::Details details = parsed.status().details();
        details["line"] = std::to_string(number);
        return BadOption(parsed.status().message(), std::move(details));
      }
      message = *parsed;
    } else {
      message.payload = std::move(line);
    }
    if (Status status = Post(end, message); !status.ok()) return status;
  }
}

Status Outgoing::PostAll(SendingEnd& end) const {
  auto message = options_.Read();
  if (!message.ok()) return message.status();
  for (const std::string& payload : options_.payloads) {
    message->payload = payload;
    if (Status status = Post(end, *message); !status.ok()) return status;
  }
  return options_.payloads.empty() ? PostLines(end, *std::move(message)) : Status();
}

Result<StreamEnd> Outgoing::Close(SendingEnd& end) const {
  // What was taken has its outcome before the answer, also when the rest could not be taken.
  while (SignalsCaught() == 0 && end.Flush(kSignalPoll).reason() == "DEADLINE") continue;
  auto ended = end.Close(with_.CloseDeadline());
  if (!ended.ok()) (void)end.Flush(with_.CloseDeadline());  // It is cancelled: until all are told.
  return ended;
}

int Outgoing::Run(SendingEnd& end) {
  CatchSignals();
  const Status posted = PostAll(end);
  const auto ended = Close(end);
  const bool is_interrupted = SignalsCaught() > 0;
  const SendCounts counts = end.counts();
  const std::string sent =
      std::to_string(counts.ok) + " of " + std::to_string(counts.taken) + " sent";
  if (!with_.json) PrintText(sent + "\n");
  (void)FlushOutput();
  if (is_interrupted) {
    PrintError("sluice: interrupted: " + sent + ", " +
               std::to_string(counts.unknown + counts.pending) + " unknown\n");
    return kInterrupted;
  }
  if (ended.ok() && ended->kind == StreamEnd::Kind::kLost) return Fail(ended->status);
  if (!posted.ok()) return Fail(posted);
  std::lock_guard lock(mutex_);
  if (!refused_) return kDone;
  return FailRefused(Describe(refused_->outcome, refused_->reason, refused_->full_reason) + ": " +
                     std::to_string(counts.taken - counts.ok) + " of " +
                     std::to_string(counts.taken) + " not sent, the first is number " +
                     std::to_string(refused_->first_sequence));
}

}  // namespace sluice::cli
