// SPDX-License-Identifier: Apache-2.0
#include "invocation.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <utility>

#include "output.h"

namespace sluice::cli {

std::chrono::milliseconds Seconds(double seconds) {
  return std::chrono::milliseconds(std::llround(seconds * 1000));
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

CLI::Option* AddSeconds(CLI::App& verb, const std::string& option, double& target,
                        const std::string& about) {
  return verb.add_option(option, target, about)->check(CLI::Range(0.0, 4294967.0));
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
