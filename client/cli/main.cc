// SPDX-License-Identifier: Apache-2.0
// sluice: Sluice's command line.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <utility>
#include <vector>

#include "completion.h"
#include "numbers.h"
#include "output.h"
#include "verbs.h"

namespace sluice::cli {
namespace {

constexpr char kFooter[] =
    "Exit codes:\n"
    "  0  done\n"
    "  1  refused: the answer was FULL, EMPTY, CLOSED, TIMED_OUT, UNKNOWN, NO_SUBSCRIBERS,\n"
    "     NO_RESPONDER, RESPONDER_GONE, FAILED, CONFLICT, ABSENT, NOT_SERVING or the like; or a\n"
    "     benchmark found something wrong\n"
    "  2  usage: options, arguments or input that make no sense, here or to the daemon, or a\n"
    "     stdin or stdout that does not work\n"
    "  3  unreachable: no connection, or no answer within --timeout\n"
    "  4  not found\n"
    "  5  any other fault of the daemon; the line on stderr has its code and reason\n"
    "  130  send or publish was stopped by Ctrl-C or SIGTERM\n"
    "\n"
    "Examples:\n"
    "  sluice declare jobs --capacity 1000\n"
    "  sluice send jobs hello world\n"
    "  sluice receive jobs --count 2\n"
    "  seq 1000 | sluice send jobs\n"
    "  sluice topic declare events\n"
    "  sluice subscribe events\n"
    "  sluice publish events hello\n"
    "  sluice serve upper --declare -- tr a-z A-Z\n"
    "  sluice call upper hello\n"
    "  sluice set app/log-level debug\n"
    "  sluice watch --prefix app/ --json\n"
    "  sluice bench queue --rate 10000 --duration 10\n"
    "  source <(sluice completion bash)";

using AddFamily = void (*)(CLI::App&, Invocation&);
// As --help shows them.
const std::vector<std::pair<const char*, std::vector<AddFamily>>> kGroups = {
    {"Queues", {AddQueueVerbs, AddSendVerb, AddReceiveVerb}},
    {"Topics", {AddTopicVerbs, AddPublishVerb, AddSubscribeVerb}},
    {"Requests", {AddResponderVerbs, AddCallVerb, AddServeVerb}},
    {"Config keys", {AddSetVerb, AddKeyVerbs, AddWatchVerb}},
    {"The daemon", {AddAdminVerbs, AddBenchVerbs}},
    {"The shell", {AddCompletionVerb}}};

void AddVerbs(CLI::App& app, Invocation& invocation) {
  app.add_option("--address", invocation.address, "Daemon, as host:port")
      ->envname("SLUICE_ADDRESS")
      ->capture_default_str();
  app.add_option("--timeout", invocation.timeout_s,
                 "Seconds that connecting, or one call, may take")
      ->envname("SLUICE_TIMEOUT")
      ->check(NumberBetween(0.001, 86400.0))
      ->capture_default_str();
  app.add_flag("--json", invocation.json, "Answer as JSON, one object a line");
  app.set_version_flag("--version", SLUICE_VERSION);
  app.footer(kFooter);
  app.require_subcommand(1);
  for (const auto& [name, families] : kGroups) {
    for (const AddFamily add : families) {
      const std::size_t before = app.get_subcommands({}).size();
      add(app, invocation);
      const auto verbs = app.get_subcommands({});
      for (std::size_t i = before; i < verbs.size(); ++i) verbs[i]->group(name);
    }
  }
}

// A descriptor that is closed would be the first one that gRPC opens, and what is printed would go
// into a socket. What stands in its place fails to be read, or written, as a closed one does.
void FillClosedDescriptors() {
  const std::pair<int, int> places[] = {
      {STDIN_FILENO, O_WRONLY}, {STDOUT_FILENO, O_RDONLY}, {STDERR_FILENO, O_WRONLY}};
  for (const auto& [descriptor, mode] : places) {
    // The lowest free one is taken: this one.
    if (fcntl(descriptor, F_GETFD) == -1) (void)open("/dev/null", mode);
  }
}

// Of a verb that there is not, CLI11 says only that one is missing. Empty: it is something else.
std::string MistypedVerb(const CLI::App& app) {
  const CLI::App* noun = &app;
  std::string words;
  while (!noun->get_subcommands().empty()) {
    noun = noun->get_subcommands().front();
    words += noun->get_name() + " ";
  }
  const auto left = app.remaining(true);
  if (noun->get_require_subcommand_min() == 0 || left.empty() || left[0].starts_with("-"))
    return {};
  return "there is no verb " + words + left[0] + " (see sluice " + words + "--help)";
}

int FailParse(const CLI::App& app, const CLI::ParseError& error) {
  const std::string mistyped = MistypedVerb(app);
  return FailUsage(mistyped.empty() ? std::string(error.what()) + " (see sluice --help)"
                                    : mistyped);
}

// What could not be printed was not done, whatever the verb thought of it.
int Finish(int code) { return FlushOutput() || code != kDone ? code : FailOutput(); }

int Main(int argc, char** argv) {
  FillClosedDescriptors();
  std::ios::sync_with_stdio(false);
  // A closed stdout is an error to be handled: what was not printed goes back.
  std::signal(SIGPIPE, SIG_IGN);

  CLI::App app("Talks to a Sluice daemon.", "sluice");
  Invocation invocation;
  AddVerbs(app, invocation);
  if (argc > 1 && std::string(argv[1]) == kCompleteVerb) {
    return Finish(Complete(app, invocation, {argv + 2, argv + argc}));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return Finish(app.exit(error));  // --help, --version
    return FailParse(app, error);
  }
  return Finish(invocation.run(invocation));
}

}  // namespace
}  // namespace sluice::cli

int main(int argc, char** argv) { return sluice::cli::Main(argc, argv); }
