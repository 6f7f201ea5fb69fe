// SPDX-License-Identifier: Apache-2.0
#include "invocation.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <utility>

#include "output.h"
#include "signals.h"

namespace sluice::cli {
namespace {

constexpr std::chrono::milliseconds kLeaveMax{2000};

}  // namespace

std::chrono::milliseconds Seconds(double seconds) {
  // Less a microsecond: 2.007 s is a little above 2007 ms in binary, and is meant to be those.
  const auto ms = static_cast<std::int64_t>(std::ceil(seconds * 1000 - 0.001));
  return std::chrono::milliseconds(seconds > 0 ? std::max<std::int64_t>(ms, 1) : ms);
}

std::string Describe(Outcome outcome, ClosedReason reason, FullReason full_reason) {
  std::string text = ToString(outcome);
  if (outcome == Outcome::kClosed) text += " " + ToString(reason);
  if (full_reason != FullReason::kUnspecified) text += " " + ToString(full_reason);
  return text;
}

Deadline Invocation::CallDeadline() const { return Deadline(Seconds(timeout_s)); }

Deadline Invocation::CallDeadline(std::chrono::milliseconds wait) const {
  return Deadline(Seconds(timeout_s) + wait);
}

Deadline Invocation::CloseDeadline() const {
  return SignalsCaught() == 0 ? CallDeadline() : Deadline(std::min(Seconds(timeout_s), kLeaveMax));
}

Result<Client> Invocation::Connect() const {
  ClientOptions options;
  options.address = address;
  options.connect_timeout = Seconds(timeout_s);
  return Client::Connect(options);
}

CLI::App* AddPlainVerb(CLI::App& app, Invocation& invocation, const VerbText& text,
                       std::function<int(Invocation&)> run) {
  CLI::App* const verb = app.add_subcommand(text.name, text.about);
  verb->fallthrough();  // --address, --json and --timeout may stand behind the verb, too.
  std::string footer = text.examples.empty() ? "" : "Examples:";
  for (const std::string& example : text.examples) footer += "\n  " + example;
  verb->footer(footer);
  verb->callback([&invocation, run = std::move(run)] { invocation.run = run; });
  return verb;
}

CLI::App* AddVerb(CLI::App& app, Invocation& invocation, const VerbText& text,
                  std::function<int(Invocation&, Client&)> run) {
  return AddPlainVerb(app, invocation, text, [run = std::move(run)](Invocation& with) {
    auto client = with.Connect();
    return client.ok() ? run(with, *client) : Fail(client.status());
  });
}

CLI::App* AddNoun(CLI::App& app, const std::string& name, const std::string& about) {
  CLI::App* const noun = app.add_subcommand(name, about);
  noun->fallthrough();
  noun->require_subcommand(1);
  return noun;
}

CLI::Option* AddName(CLI::App& verb, Invocation& invocation, std::string& target, Names names,
                     const std::string& what) {
  CLI::Option* const option = verb.add_option(what, target, "Name")->required();
  invocation.names[option] = names;
  return option;
}

int Fail(const Status& status) {
  PrintError("sluice: " + status.ToString() + "\n");
  if (status.reason() == "STREAM_ENDED")
    return kRefused;  // The channel is closed: an answer, not a fault.
  switch (status.code()) {
    case Code::kOk:
      return kDone;
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
      return kUnreachable;
    case Code::kNotFound:
      return kNotFound;
    case Code::kInvalidArgument:
      return kUsage;  // Whether this end or the daemon saw it.
    default:
      return status.reason() == "BAD_OPTION" ? kUsage : kFault;
  }
}

int FailUsage(const std::string& text) {
  PrintError("sluice: " + text + "\n");
  return kUsage;
}

int FailRefused(const std::string& text) {
  PrintError("sluice: " + text + "\n");
  return kRefused;
}

int FailOutput() { return FailUsage("cannot write to stdout"); }

int FailEnd(const StreamEnd& end, const std::string& what) {
  if (end.kind == StreamEnd::Kind::kLost) return Fail(end.status);
  if (end.kind == StreamEnd::Kind::kClosed && end.reason == ClosedReason::kFinished) return kDone;
  return FailRefused(what + " ended, " + ToString(end));
}

Status BadOption(const std::string& text, Status::Details details) {
  return Status(Code::kInvalidArgument, "BAD_OPTION", text, std::move(details));
}

}  // namespace sluice::cli
