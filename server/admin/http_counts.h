// SPDX-License-Identifier: Apache-2.0
// What the HTTP port counts: written by its thread, read by anybody.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace sluice::admin {

struct HttpCounts {
  // Answers by the first digit of their status, [2] ... [5]; the rest stays 0.
  std::array<std::atomic<std::uint64_t>, 6> answers{};
  std::atomic<std::uint64_t> connections_accepted = 0;
  std::atomic<std::uint64_t> connections_refused = 0;  // over the bound, in all or of an address
  std::atomic<std::uint64_t> accept_failures = 0;      // out of descriptors, mostly
  std::atomic<std::uint64_t> timed_out = 0;            // requests and answers that took too long
  std::atomic<std::uint32_t> connections = 0;          // open now
  std::atomic<std::uint64_t> unsent_bytes = 0;         // of answers that are being written now
};

}  // namespace sluice::admin
