// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/e2e/figures.h"

#include <sys/resource.h>

#include <cinttypes>
#include <cstdio>

namespace sluice::bench {
namespace {

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

void SayReady() {
  std::puts("ready");
  std::fflush(stdout);
}

void SayProduced(std::uint64_t began_ns, std::uint64_t ended_ns, std::uint64_t refused) {
  std::printf("{\"began_ns\":%" PRIu64 ",\"ended_ns\":%" PRIu64 ",\"refused\":%" PRIu64
              ",\"cpu_s\":%.3f}\n",
              began_ns, ended_ns, refused, CpuSeconds());
}

void SayConsumed(std::uint64_t ended_ns, std::uint64_t expected, const Account& account) {
  std::printf("{\"ended_ns\":%" PRIu64 ",\"received\":%" PRIu64 ",\"lost\":%" PRIu64
              ",\"duplicated\":%" PRIu64 ",\"out_of_order\":%" PRIu64 ",\"corrupt\":%" PRIu64
              ",\"cpu_s\":%.3f}\n",
              ended_ns, account.distinct(), expected - account.distinct(), account.duplicates(),
              account.out_of_order(), account.corrupt(), CpuSeconds());
}

}  // namespace sluice::bench
