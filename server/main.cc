// SPDX-License-Identifier: Apache-2.0
// sluiced: options -> Server -> wait for a signal -> drain -> exit code.
//
// The exit codes are told by --help (options_text.cc).
#include <absl/synchronization/mutex.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "last_resort.h"
#include "options.h"
#include "rpc/grpc_log.h"
#include "server.h"

// jemalloc's: what a burst took goes back to the system, also when nothing is allocated any more.
extern "C" const char* malloc_conf;
const char* malloc_conf = "background_thread:true";

namespace {

constexpr std::size_t kFilesToBegin = 32;

// By an operator over the wire; negative: as configured.
std::atomic<std::int64_t> asked_grace_ms = -1;
std::atomic<bool> is_going_down = false;

// One descriptor a connection: take all that we are allowed.
void RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Libraries abort without a word when they have none to begin with.
bool HasFilesToBegin() {
  std::vector<sluice::Fd> files;
  while (files.size() < kFilesToBegin && (files.empty() || files.back())) {
    files.emplace_back(eventfd(0, EFD_CLOEXEC));
  }
  return static_cast<bool>(files.back());
}

// The signals that end us, taken by sigwait alone. Blocked before any thread begins.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

// Null: one sentence has said why it cannot serve.
std::unique_ptr<sluice::Server> Started(const sluice::Options& options) {
  try {
    auto server = std::make_unique<sluice::Server>(options, [](std::chrono::milliseconds grace) {
      if (is_going_down.exchange(true)) return;  // asking again changes nothing
      asked_grace_ms = grace.count();
      kill(getpid(), SIGTERM);
    });
    const sluice::Status started = server->Start();
    if (started.ok()) return server;
    std::fprintf(stderr, "sluiced: %s\n", started.message().c_str());
  } catch (const std::exception& error) {  // no descriptor, thread or memory is left
    std::fprintf(stderr, "sluiced: cannot start: %s\n", error.what());
  }
  return nullptr;
}

int Run(const sluice::Options& options) {
  const sigset_t signals = BlockSignals();
  sluice::StartLog(options.log_level);
  RaiseFileLimit();
  sluice::rpc::TakeGrpcLog();

  if (!HasFilesToBegin()) {
    std::fprintf(stderr,
                 "sluiced: cannot start: fewer than %zu file descriptors are left (ulimit -n)\n",
                 kFilesToBegin);
    return 1;
  }
  const std::unique_ptr<sluice::Server> running = Started(options);
  if (running == nullptr) return 1;
  sluice::Server& server = *running;
  std::printf("sluiced listening on %s port %d\n", options.listen.c_str(), server.port());
  if (server.http_port() != 0) {
    std::printf("sluiced serves HTTP on %s port %d\n", options.http.c_str(), server.http_port());
  }
  std::fflush(stdout);

  int signal = 0;
  sigwait(&signals, &signal);
  is_going_down = true;
  const std::chrono::milliseconds asked(asked_grace_ms.load());
  const sluice::SystemClock clock;
  sluice::LastResort last_resort(signals, server.DrainBound(asked), clock);
  server.Drain(asked,
               [&last_resort](std::chrono::milliseconds wait) { return last_resort.Pause(wait); });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  // Debian's abseil checks every lock for cycles: a global spin lock, and aborts on false alarms.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const auto parsed = sluice::ParseOptions(argc, argv);
  if (const auto* ended = std::get_if<sluice::OptionsExit>(&parsed)) {
    std::fputs(ended->text.c_str(), ended->exit_code == 0 ? stdout : stderr);
    return ended->exit_code;
  }
  const int exit_code = Run(std::get<sluice::Options>(parsed));
  sluice::StopLog();
  return exit_code;
}
