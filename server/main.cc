// SPDX-License-Identifier: Apache-2.0
// sluiced: options -> Server -> wait for a signal -> drain -> exit code.
//
// Exit codes: 0 drained; 1 cannot serve (one sentence says why); 2 wrong usage.
#include <absl/synchronization/mutex.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <string>

#include "base/log.h"
#include "options.h"
#include "rpc/grpc_log.h"
#include "server.h"

namespace {

std::atomic<std::int64_t> asked_grace_ms = -1;

// One descriptor a connection: take all that we are allowed.
void RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
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

int Run(const sluice::Options& options) {
  const sigset_t signals = BlockSignals();
  RaiseFileLimit();
  sluice::StartLog(options.log_level);
  sluice::rpc::TakeGrpcLog();

  sluice::Server server(options, [](std::chrono::milliseconds grace) {
    asked_grace_ms = grace.count();
    kill(getpid(), SIGTERM);
  });
  const sluice::Status started = server.Start();
  if (!started.ok()) {
    std::fprintf(stderr, "sluiced: %s\n", started.message().c_str());
    return 1;
  }
  std::printf("sluiced listening on %s port %d\n", options.listen.c_str(), server.port());
  std::fflush(stdout);

  int signal = 0;
  sigwait(&signals, &signal);
  server.Drain(std::chrono::milliseconds(asked_grace_ms.load()),
               [&signals](std::chrono::milliseconds wait) {
                 const timespec time{.tv_sec = wait.count() / 1'000,
                                     .tv_nsec = wait.count() % 1'000 * 1'000'000};
                 return sigtimedwait(&signals, nullptr, &time) > 0;  // asked a second time
               });
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
