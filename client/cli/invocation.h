// SPDX-License-Identifier: Apache-2.0
// What every verb has: the options before it, the connection, and the way to say what went wrong.
#pragma once

#include <CLI/App.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sluice/client.h"

namespace sluice::cli {

// The command's answer to its caller; part of its interface, listed in --help.
enum ExitCode : int {
  kDone = 0,
  kRefused = 1,      // A channel's answer other than OK: FULL, EMPTY, CLOSED, CONFLICT, FAILED, ...
  kUsage = 2,        // Options, arguments or input that make no sense; nothing was done.
  kUnreachable = 3,  // No connection, or no answer in time.
  kNotFound = 4,
  kFault = 5,          // Any other status of the daemon.
  kInterrupted = 130,  // As a shell says of a command that Ctrl-C ended.
};

// Where a shell finds the words that an argument may be.
enum class Names : std::uint8_t { kQueues, kTopics, kResponders, kKeys };

struct Invocation {
  std::string address = "127.0.0.1:7400";
  double timeout_s = 10;  // Of one call, and of connecting.
  bool json = false;

  // Set by the verb that was given.
  std::function<int(Invocation&)> run;

  // For completion (completion.h); filled while the verbs are added.
  std::map<const CLI::Option*, Names> names;
  std::map<const CLI::Option*, std::vector<std::string>> choices;

  [[nodiscard]] Deadline CallDeadline() const;
  // For a call that waits by itself.
  [[nodiscard]] Deadline CallDeadline(std::chrono::milliseconds wait) const;
  // For leaving in good order. After a signal it is short: who asks to stop does not wait for a
  // daemon that does not answer.
  [[nodiscard]] Deadline CloseDeadline() const;
  [[nodiscard]] Result<Client> Connect() const;
};

struct VerbText {
  std::string name;
  std::string about;
  std::vector<std::string> examples;  // Whole command lines.
};

// Adds a verb; `run` gets a connection. The invocation outlives the app.
CLI::App* AddVerb(CLI::App& app, Invocation& invocation, const VerbText& text,
                  std::function<int(Invocation&, Client&)> run);
// The same for a verb that makes its connections itself, or none.
CLI::App* AddPlainVerb(CLI::App& app, Invocation& invocation, const VerbText& text,
                       std::function<int(Invocation&)> run);
// A noun: one of its verbs follows.
CLI::App* AddNoun(CLI::App& app, const std::string& name, const std::string& about);

// The name of a channel or key, required.
CLI::Option* AddName(CLI::App& verb, Invocation& invocation, std::string& target, Names names,
                     const std::string& what = "name");

// An option that is one of some words.
template <class Value>
CLI::Option* AddChoice(CLI::App& verb, Invocation& invocation, const std::string& option,
                       Value& target, const std::map<std::string, Value>& words,
                       const std::string& about) {
  CLI::Option* const added = verb.add_option(option, target, about)
                                 ->transform(CLI::CheckedTransformer(words, CLI::ignore_case));
  for (const auto& [word, value] : words) invocation.choices[added].push_back(word);
  return added;
}

// One line on stderr: code, reason, message, details. Answers the exit code for it.
int Fail(const Status& status);
int FailUsage(const std::string& text);
int FailRefused(const std::string& text);
int FailOutput();

// The end of a stream that was not asked for.
int FailEnd(const StreamEnd& end, const std::string& what);

Status BadOption(const std::string& text, Status::Details details = {});

// Rounded up: 0, which often means no limit, is never what came of something above it.
std::chrono::milliseconds Seconds(double seconds);
// "CLOSED REQUESTED", "FULL", "FULL SERVER_MEMORY".
std::string Describe(Outcome outcome, ClosedReason reason,
                     FullReason full_reason = FullReason::kUnspecified);

}  // namespace sluice::cli
