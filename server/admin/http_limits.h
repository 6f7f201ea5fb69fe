// SPDX-License-Identifier: Apache-2.0
// Every bound of the HTTP port. /api/v1/limits shows them; past each of them is an answer, or the
// end of the connection.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace sluice::admin {

struct HttpLimits {
  std::uint32_t connections_max = 256;             // 503
  std::uint32_t connections_per_address_max = 32;  // 503
  std::uint32_t refusals_max = 64;                 // connections being told so; more are cut
  std::uint32_t header_bytes_max = 8'192;          // the request line included: 431
  // Of answers that clients have not read yet: 503.
  std::uint64_t unsent_bytes_max = std::uint64_t{8} << 20;
  std::chrono::milliseconds header_timeout{10'000};  // from its first byte to its end: 408
  std::chrono::milliseconds idle_timeout{60'000};    // between requests: closed
  std::chrono::milliseconds write_timeout{15'000};   // of one answer: cut
  std::chrono::milliseconds linger_timeout{1'000};   // after the last answer, until the peer closes
  std::chrono::milliseconds turn_timeout{5'000};     // for a page that has to wait its turn: 503
  std::chrono::milliseconds accept_pause{100};       // when out of descriptors
};

}  // namespace sluice::admin
