// SPDX-License-Identifier: Apache-2.0
// sluice: Sluice's command line.
#include <absl/synchronization/mutex.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>

#include "session.h"

namespace {

constexpr char kFooter[] =
    "Exit codes:\n"
    "  0  done\n"
    "  1  refused: the answer was FULL, EMPTY, CLOSED, TIMED_OUT, UNKNOWN, or NOT_SERVING\n"
    "  2  usage: options, arguments or input that make no sense, or a stdout that takes nothing\n"
    "  3  unreachable: no connection, or no answer within --timeout\n"
    "  4  not found\n"
    "  5  any other fault of the daemon; the line on stderr has its code and reason\n"
    "\n"
    "Examples:\n"
    "  sluice declare jobs --capacity 1000\n"
    "  sluice send jobs hello world\n"
    "  sluice receive jobs --count 2\n"
    "  seq 1000 | sluice send jobs\n"
    "  sluice receive jobs --follow --json\n"
    "  sluice describe jobs --json";

}  // namespace

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  std::ios::sync_with_stdio(false);
  std::signal(
      SIGPIPE,
      SIG_IGN);  // A closed stdout is an error to be handled: what was not printed goes back.

  CLI::App app("Talks to a Sluice daemon.", "sluice");
  sluice::cli::Session session;
  app.add_option("--address", session.address, "Daemon, as host:port")
      ->envname("SLUICE_ADDRESS")
      ->capture_default_str();
  app.add_option("--timeout", session.timeout_s, "Seconds that connecting, or one call, may take")
      ->check(CLI::Range(0.001, 86400.0))
      ->capture_default_str();
  app.add_flag("--json", session.json, "Answer as JSON, one object a line");
  app.footer(kFooter);
  app.require_subcommand(1);
  sluice::cli::AddQueueVerbs(app, session);
  sluice::cli::AddSendVerb(app, session);
  sluice::cli::AddReceiveVerb(app, session);
  sluice::cli::AddAdminVerbs(app, session);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    return sluice::cli::FailUsage(std::string(error.what()) + " (see sluice --help)");
  }
  const int code = session.run(session);
  std::cout.flush();
  return code;
}
