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
inline constexpr std::uint32_t kProducerBytes = 512;              // charged for each remembered
inline constexpr std::uint32_t kProducerRanges = 8;               // of its ranges are in that
inline constexpr std::uint32_t kOutcomeRangeBytes = 24;           // charged for each above those
inline constexpr std::chrono::minutes kEndedMemory{2};     // a channel that has ended answers
inline constexpr std::uint32_t kExpiredLeasesMax = 1'024;  // ranges remembered per queue
inline constexpr std::chrono::seconds kLeaseDefault{30};
inline constexpr std::chrono::hours kLeaseMax{12};
inline constexpr std::uint32_t kCreditDefault = 64;      // messages
inline constexpr std::uint32_t kBlockMsDefault = 5'000;  // a publish waits for slow subscribers
inline constexpr std::uint32_t kBlockMsMax = 60'000;
inline constexpr std::uint32_t kResumeWindowMsDefault = 60'000;
inline constexpr std::uint32_t kResumeWindowMsMax = 604'800'000;  // 7 days
inline constexpr std::uint32_t kStreamTopicsMax = 10'000;         // of one stream
inline constexpr std::uint32_t kLeftPatternsMax = 10'000;         // remembered, of the gone
inline constexpr std::uint32_t kProducerIdBytes = 16;
inline constexpr std::uint32_t kSessionIdBytes = 16;
inline constexpr std::uint32_t kPartCreditDefault = 16;          // parts of a reply
inline constexpr std::uint32_t kPartCreditMax = 1'024;           // at first
inline constexpr std::uint32_t kWorkerHoldsMax = 65'536;         // assignments, whatever its credit
inline constexpr std::uint32_t kFailureCodeBytesMax = 255;       // of a worker's failure
inline constexpr std::uint32_t kFailureTextBytesMax = 8u << 10;  // likewise
inline constexpr std::uint32_t kValueBytesMax = std::uint32_t{1} << 20;  // of a config key
inline constexpr std::uint32_t kContentTypeBytesMax = 255;               // likewise
inline constexpr std::uint32_t kTombstonesMax = 10'000;     // deleted keys that are remembered
inline constexpr std::uint32_t kWatchSelectorsMax = 1'000;  // keys and prefixes of one watcher
// Of all channels together.
inline constexpr std::uint64_t kNoMemoryLimit = ~std::uint64_t{0};
inline constexpr std::uint64_t kMemoryMaxLeast = std::uint64_t{4} << 20;
inline constexpr std::uint64_t kChannelPartOfMemory = 2;  // at most a half, where it does not say
inline constexpr std::uint64_t kWaitingPartOfMemory = 8;  // an eighth more for what waits in lines
inline constexpr std::uint64_t kWaitingBytesLeast = std::uint64_t{8} << 20;  // and at least
// What the broker draws stays within JavaScript's whole numbers.
inline constexpr std::uint64_t kDrawnMax = (std::uint64_t{1} << 53) - 1;

struct Limits {
  std::uint64_t capacity = 1'024;
  std::uint64_t bytes_max = std::uint64_t{64} << 20;
  std::uint32_t message_bytes_max = std::uint32_t{1} << 20;  // the default and the most
  std::uint32_t max_in_flight = 1'024;
  std::uint32_t channels_max = 100'000;  // named channels of all kinds
  std::uint32_t sessions_max = 10'000;
  std::uint64_t memory_bytes_max = kNoMemoryLimit;
};

}  // namespace sluice::broker
