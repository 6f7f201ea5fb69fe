// SPDX-License-Identifier: Apache-2.0
// Every bound of the broker, in one place. ServerInfo answers them; docs/wire.md explains them.
#pragma once

#include <chrono>
#include <cstdint>

namespace sluice::broker {

inline constexpr std::uint32_t kNameBytesMax = 255;
inline constexpr std::uint64_t kCapacityMax = 1'048'576;
inline constexpr std::uint32_t kMaxInFlightMax = 1'048'576;
inline constexpr std::uint64_t kBytesMaxLeast = 1'024;  // retained by a channel
inline constexpr std::uint64_t kBytesMaxMost = std::uint64_t{16} << 30;
inline constexpr std::uint32_t kDeliveryBytesMax = 256 * 1024;    // or one message
inline constexpr std::uint32_t kMessageOverheadBytes = 64;        // charged per message stored
inline constexpr std::uint32_t kStoredBatchBytesMax = 64 * 1024;  // or one message
inline constexpr std::uint32_t kProducersMax = 10'000;            // remembered per channel
inline constexpr std::uint32_t kOutcomeRangesMax = 64;            // remembered per producer
inline constexpr std::chrono::minutes kProducerMemory{2};         // after its last use
inline constexpr std::uint32_t kExpiredLeasesMax = 1'024;         // ranges remembered per queue
inline constexpr std::chrono::seconds kLeaseDefault{30};
inline constexpr std::chrono::hours kLeaseMax{12};
inline constexpr std::uint32_t kCreditDefault = 64;  // messages
inline constexpr std::uint32_t kProducerIdBytes = 16;
inline constexpr std::uint32_t kSessionIdBytes = 16;
// What the broker draws stays within JavaScript's whole numbers.
inline constexpr std::uint64_t kDrawnMax = (std::uint64_t{1} << 53) - 1;

struct Limits {
  std::uint64_t capacity = 1'024;
  std::uint64_t bytes_max = std::uint64_t{64} << 20;
  std::uint32_t message_bytes_max = std::uint32_t{1} << 20;  // the default and the most
  std::uint32_t max_in_flight = 1'024;
  std::uint32_t channels_max = 100'000;  // named channels of all kinds
  std::uint32_t sessions_max = 10'000;
};

}  // namespace sluice::broker
