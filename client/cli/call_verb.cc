// SPDX-License-Identifier: Apache-2.0
// call: asks a responder, and prints the reply.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "input.h"
#include "message_json.h"
#include "outgoing.h"
#include "output.h"
#include "sluice/caller.h"
#include "verbs.h"

namespace sluice::cli {
namespace {

struct CallVerbOptions : MessageOptions {
  std::string responder;
  std::optional<std::string> request;
  bool wait = false;
  bool retry = false;
  bool parts = false;
};

// What is not OK, as an object with its outcome.
Json RefusalJson(const CallReply& reply) {
  Json json = {{"outcome", ToString(reply.outcome)}};
  if (reply.outcome == Outcome::kClosed) json["reason"] = ToString(reply.reason);
  if (reply.outcome == Outcome::kFailed)
    json["failure"] = {{"code", reply.failure.code}, {"text", reply.failure.text}};
  if (reply.full_reason != FullReason::kUnspecified) {
    json["full_reason"] = ToString(reply.full_reason);
  }
  json["handed_out"] = reply.handed_out;
  return json;
}

int Refuse(const CallReply& reply, bool json) {
  if (json) PrintJson(RefusalJson(reply));
  std::string text = Describe(reply.outcome, reply.reason, reply.full_reason);
  if (reply.outcome == Outcome::kFailed) {
    std::string why = reply.failure.text;  // One line: commands write several to their stderr.
    while (why.ends_with('\n')) why.pop_back();
    for (char& c : why) c = c == '\n' ? ' ' : c;
    text += " " + reply.failure.code + ": " + why;
  } else if (reply.handed_out) {
    text += ": it may have been done";
  } else {
    text += ": not done";
  }
  return FailRefused(text);
}

int CallWhole(const CallVerbOptions& options, const OwnedMessage& request, Invocation& with,
              Client& client) {
  std::vector<Header> headers;
  CallRequest call;
  call.responder = options.responder;
  call.message = View(request, headers);
  call.timeout = Seconds(with.timeout_s);
  call.wait_for_responder = options.wait;
  call.retry_on_responder_loss = options.retry;
  // The daemon's TIMED_OUT comes first: it knows whether a worker had it.
  const auto reply = client.Call(call, with.CallDeadline(call.timeout));
  if (!reply.ok()) return Fail(reply.status());
  if (!reply->ok()) return Refuse(*reply, with.json);
  if (with.json) {
    Json json = {{"outcome", "OK"}};
    if (reply->has_message) json.update(ToJson(reply->message));
    PrintJson(json);
  } else if (reply->has_message) {
    PrintPayload(reply->message.payload);
  }
  return FlushOutput() ? kDone : FailOutput();
}

int CallInParts(const CallVerbOptions& options, const OwnedMessage& request, Invocation& with,
                Client& client) {
  CallerOptions open;
  open.reconnect.enabled = false;
  auto caller = client.OpenCaller(open, with.CallDeadline());
  if (!caller.ok()) return Fail(caller.status());
  std::vector<Header> headers;
  CallOptions call;
  call.responder = options.responder;
  call.timeout = Seconds(with.timeout_s);
  call.wait_for_responder = options.wait;
  call.retry_on_responder_loss = options.retry;
  auto parts = caller->CallParts(View(request, headers), call);
  if (!parts.ok()) return Fail(parts.status());
  const Deadline deadline = with.CallDeadline(call.timeout);
  for (std::uint64_t number = 1;; ++number) {
    const auto part = parts->Next(deadline);
    if (!part.ok()) return Fail(part.status());
    if (!part->ok()) return Refuse(*part, with.json);
    if (with.json) {
      Json json = {{"part", number}};
      if (part->has_message) json.update(ToJson(part->message));
      if (part->last) json["outcome"] = "OK";
      PrintJson(json);
    } else if (part->has_message) {
      PrintPayload(part->message.payload);
    }
    if (!FlushOutput()) return FailOutput();
    if (part->last) return kDone;
  }
}

int Call(const CallVerbOptions& options, Invocation& with, Client& client) {
  auto request = options.Read();
  if (!request.ok()) return Fail(request.status());
  if (options.request) {
    request->payload = *options.request;
  } else if (isatty(STDIN_FILENO) != 1) {
    auto payload = ReadStdin();
    if (!payload.ok()) return Fail(payload.status());
    request->payload = *std::move(payload);
  }
  return options.parts ? CallInParts(options, *request, with, client)
                       : CallWhole(options, *request, with, client);
}

}  // namespace

void AddCallVerb(CLI::App& app, Invocation& invocation) {
  const auto options = std::make_shared<CallVerbOptions>();
  CLI::App* const verb =
      AddVerb(app, invocation,
              {"call",
               "Asks a responder, and prints its reply; TIMED_OUT after --timeout",
               {"sluice call upper hello", "sluice call upper --timeout 2 < text",
                "sluice call report 2024 --parts", "sluice call upper hello --wait --json"}},
              [options](Invocation& with, Client& client) { return Call(*options, with, client); });
  AddName(*verb, invocation, options->responder, Names::kResponders, "responder");
  verb->add_option("request", options->request, "The request; without it, all of stdin");
  AddMessageOptions(*verb, *options);
  verb->add_flag("--wait", options->wait, "Stay in line while nobody serves");
  verb->add_flag("--parts", options->parts, "Print each part of the reply as it comes");
  verb->add_flag("--retry", options->retry,
                 "If the worker is lost, another one gets it: it may be done twice");
}

}  // namespace sluice::cli
