// SPDX-License-Identifier: Apache-2.0
// Field numbers of what is read and written by hand (proto/sluice/v1), and the plain records of the
// fields that stand beside the messages of a frame.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::wire {

// Every frame that carries a batch has its messages here, at the top level.
inline constexpr std::uint32_t kMessagesField = 1;
// ReceiveResponse, ReceiveStreamResponse, SubscribeResponse.
inline constexpr std::uint32_t kRunsField = 2;
// SendStreamResponse, PublishStreamResponse.
inline constexpr std::uint32_t kAcksField = 3;

namespace message_field {
inline constexpr std::uint32_t kPayload = 1;
inline constexpr std::uint32_t kHeaders = 2;
inline constexpr std::uint32_t kId = 3;
inline constexpr std::uint32_t kContentType = 4;
}  // namespace message_field

namespace header_field {  // Of an entry of the map `headers`.
inline constexpr std::uint32_t kKey = 1;
inline constexpr std::uint32_t kValue = 2;
}  // namespace header_field

namespace run_field {
inline constexpr std::uint32_t kFirstPosition = 1;
inline constexpr std::uint32_t kCount = 2;
inline constexpr std::uint32_t kAcceptedUnixUs = 3;
inline constexpr std::uint32_t kAttempts = 4;
inline constexpr std::uint32_t kFailures = 5;
}  // namespace run_field

namespace ack_field {
inline constexpr std::uint32_t kFirstSequence = 1;
inline constexpr std::uint32_t kCount = 2;
inline constexpr std::uint32_t kOutcome = 3;
inline constexpr std::uint32_t kFirstPosition = 4;
inline constexpr std::uint32_t kDurability = 5;
inline constexpr std::uint32_t kDuplicate = 6;
inline constexpr std::uint32_t kReason = 7;
inline constexpr std::uint32_t kDeliveredTo = 8;
inline constexpr std::uint32_t kFullReason = 9;
}  // namespace ack_field

struct Header {
  std::string_view key;
  std::string_view value;
};

// What the broker says of `count` messages in a row. The runs of a frame partition its messages in
// order.
struct Run {
  std::uint64_t first_position = 0;
  std::uint32_t count = 0;
  std::uint64_t accepted_unix_us = 0;
  std::uint32_t attempts = 0;
  std::uint32_t failures = 0;

  friend bool operator==(const Run&, const Run&) = default;
};

// The outcome of `count` messages in a row of one producer. `outcome`, `durability` and the reasons
// are numbers of the enums of proto/sluice/v1.
struct Ack {
  std::uint64_t first_sequence = 0;
  std::uint32_t count = 0;
  std::uint32_t outcome = 0;
  std::uint64_t first_position = 0;
  std::uint32_t durability = 0;
  bool is_duplicate = false;
  std::uint32_t reason = 0;
  std::uint32_t delivered_to = 0;
  std::uint32_t full_reason = 0;
};

}  // namespace sluice::wire
