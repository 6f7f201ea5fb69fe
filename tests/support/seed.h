// SPDX-License-Identifier: Apache-2.0
// The seed of a random test: printed, and given back by SLUICE_SEED to replay a failure.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace sluice::testing {

inline std::uint64_t Seed(const char* test) {
  const char* given = std::getenv("SLUICE_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("%s: SLUICE_SEED=%llu\n", test, static_cast<unsigned long long>(seed));
  return seed;
}

}  // namespace sluice::testing
