// SPDX-License-Identifier: Apache-2.0
// What every verb has: the options before it, the connection, and the way to say what went wrong.
#pragma once

#include <CLI/App.hpp>
#include <chrono>
#include <functional>
#include <string>

#include "sluice/client.h"

namespace sluice::cli {

// The command's answer to its caller; part of its interface, listed in --help.
enum ExitCode : int {
  kDone = 0,
  kRefused =
      1,       // A channel's answer other than OK: FULL, EMPTY, CLOSED, TIMED_OUT, UNKNOWN, STALE.
  kUsage = 2,  // Options, arguments or input that make no sense; nothing was asked.
  kUnreachable = 3,  // No connection, or no answer in time.
  kNotFound = 4,
  kFault = 5,  // Any other status of the daemon.
};

struct Session {
  std::string address = "127.0.0.1:7400";
  double timeout_s = 10;  // Of one call, and of connecting.
  bool json = false;

  // Set by the verb that was given.
  std::function<int(Session&)> run;

  [[nodiscard]] Deadline CallDeadline() const;
  // For a call that waits by itself.
  [[nodiscard]] Deadline CallDeadline(std::chrono::milliseconds wait) const;
  [[nodiscard]] Result<Client> Connect() const;
};

// Adds a verb; `run` gets a connection. The session outlives the app.
CLI::App* AddVerb(CLI::App& app, Session& session, const std::string& name,
                  const std::string& about, std::function<int(Session&, Client&)> run);

// One line on stderr: code, reason, message, details. Answers the exit code for it.
int Fail(const Status& status);
int FailUsage(const std::string& text);
int FailRefused(const std::string& text);

std::chrono::milliseconds Seconds(double seconds);

void AddQueueVerbs(CLI::App& app, Session& session);
void AddSendVerb(CLI::App& app, Session& session);
void AddReceiveVerb(CLI::App& app, Session& session);
void AddAdminVerbs(CLI::App& app, Session& session);

}  // namespace sluice::cli
