// SPDX-License-Identifier: Apache-2.0
// send: from arguments, from lines of stdin, or from JSON lines of stdin.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <mutex>
#include <span>

#include "message_json.h"
#include "output.h"
#include "session.h"

namespace sluice::cli {
namespace {

struct SendOptions {
  std::string queue;
  std::vector<std::string> payloads;
  std::vector<std::string> headers;  // key=value
  std::string id;
  std::string content_type;
  bool json_lines = false;
  bool mode_try = false;
  bool declare = false;
  double wait_s = 0;
};

// What is sent, and the first range that was not OK.
class Sending {
 public:
  Sending(const SendOptions& options, bool json) : options_(options), json_(json) {}

  int Run(Session& session, Client& client);

 private:
  void OnOutcome(const SendOutcome& outcome);
  Status SendAll(QueueSender& sender);
  Status SendOne(QueueSender& sender, const OwnedMessage& message);
  Status ReadHeaders();

  const SendOptions& options_;
  const bool json_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::mutex mutex_;  // Outcomes come on the client's thread.
  std::optional<SendOutcome> refused_;
};

void Sending::OnOutcome(const SendOutcome& outcome) {
  std::lock_guard lock(mutex_);
  if (outcome.outcome != Outcome::kOk && !refused_) refused_ = outcome;
  if (json_) PrintJson(ToJson(outcome));
}

Status Sending::ReadHeaders() {
  for (const std::string& header : options_.headers) {
    const std::size_t at = header.find('=');
    if (at == std::string::npos || at == 0) {
      return Status(Code::kInvalidArgument, "BAD_OPTION", "a header is written key=value",
                    {{"field", "--header"}, {"value", header}});
    }
    headers_.emplace_back(header.substr(0, at), header.substr(at + 1));
  }
  return Status();
}

Status Sending::SendOne(QueueSender& sender, const OwnedMessage& message) {
  std::vector<Header> headers;
  for (const auto& [key, value] : message.headers) headers.push_back({key, value});
  return sender.Send({message.payload, message.id, message.content_type, headers}).status();
}

Status Sending::SendAll(QueueSender& sender) {
  OwnedMessage message{{}, options_.id, options_.content_type, headers_};
  for (const std::string& payload : options_.payloads) {
    message.payload = payload;
    if (Status status = SendOne(sender, message); !status.ok()) return status;
  }
  if (!options_.payloads.empty()) return Status();
  std::uint64_t number = 0;
  for (std::string line; std::getline(std::cin, line);) {
    ++number;
    if (options_.json_lines) {
      const auto parsed = FromJsonLine(line);
      if (!parsed.ok()) {
        Status::Details details = parsed.status().details();
        details["line"] = std::to_string(number);
        return Status(parsed.status().code(), parsed.status().reason(), parsed.status().message(),
                      details);
      }
      message = *parsed;
    } else {
      message.payload = std::move(line);
    }
    if (Status status = SendOne(sender, message); !status.ok()) return status;
  }
  return Status();
}

int Sending::Run(Session& session, Client& client) {
  if (Status status = ReadHeaders(); !status.ok()) return Fail(status);
  SenderOptions with;
  with.queue = options_.queue;
  if (options_.declare) with.spec = QueueSpec();
  with.mode = options_.mode_try ? SendMode::kTry : SendMode::kWait;
  with.wait = Seconds(options_.wait_s);
  with.on_outcome = [this](const SendOutcome& outcome) { OnOutcome(outcome); };
  auto sender = client.OpenSender(with, session.CallDeadline());
  if (!sender.ok()) return Fail(sender.status());

  const Status sent = SendAll(*sender);
  // What was taken has its outcome before the answer, also when the rest could not be taken.
  const auto end = sender->Finish(Deadline::Never());
  const SendCounts counts = sender->counts();
  if (!json_) std::cout << counts.ok << " of " << counts.taken << " sent\n";
  std::cout.flush();
  if (end.ok() && end->kind == StreamEnd::Kind::kLost) return Fail(end->status);
  if (!sent.ok()) return Fail(sent);
  if (!refused_) return kDone;
  std::string text = ToString(refused_->outcome);
  if (refused_->outcome == Outcome::kClosed) text += " " + ToString(refused_->reason);
  return FailRefused(text + ": " + std::to_string(counts.taken - counts.ok) + " of " +
                     std::to_string(counts.taken) + " not sent, the first is number " +
                     std::to_string(refused_->first_sequence));
}

}  // namespace

void AddSendVerb(CLI::App& app, Session& session) {
  const auto options = std::make_shared<SendOptions>();
  CLI::App* const verb = AddVerb(app, session, "send", "Sends messages, and waits for room",
                                 [options](Session& with, Client& client) {
                                   return Sending(*options, with.json).Run(with, client);
                                 });
  verb->add_option("queue", options->queue, "Name")->required();
  CLI::Option* const payloads = verb->add_option(
      "payload", options->payloads, "One message each; none: a message a line of stdin");
  verb->add_option("--header", options->headers, "key=value, on every message; may be repeated")
      ->allow_extra_args(false);
  verb->add_option("--id", options->id, "The sender's name for the message");
  verb->add_option("--content-type", options->content_type, "Media type");
  verb->add_flag("--json-lines", options->json_lines,
                 "stdin has JSON objects: payload or payload_base64, headers, id, content_type")
      ->excludes(payloads);
  CLI::Option* const wait =
      verb->add_option("--wait", options->wait_s, "Seconds to wait for room (0: no limit)")
          ->check(CLI::Range(0.0, 4294967.0));
  verb->add_flag("--try", options->mode_try, "Do not wait for room: FULL")->excludes(wait);
  verb->add_flag("--declare", options->declare,
                 "Make the queue with default settings, if it is not there");
}

}  // namespace sluice::cli
