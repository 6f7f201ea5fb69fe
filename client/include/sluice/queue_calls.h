// SPDX-License-Identifier: Apache-2.0
/// What the unary calls of queues ask and answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sluice/message.h"
#include "sluice/outcome.h"
#include "sluice/queue_spec.h"
#include "sluice/send_outcome.h"
#include "sluice/settlement.h"

namespace sluice {
inline namespace abi1 {

template <class Description>
struct DeclareReply {
  Description description;
  bool created = false;  ///< By this call.
};

struct ListQueuesReply {
  std::vector<QueueDescription> queues;
  std::string next_page_token;  ///< Empty: there are no more.
};

struct SendRequest {
  std::string queue;
  std::vector<Message> messages;  ///< 1 to 65,536; at most 4 MiB in all.
  std::optional<QueueSpec> spec;  ///< Declares the queue if it is absent.
  bool atomic = true;             ///< All or none.
  SendMode mode = SendMode::kWait;
  std::chrono::milliseconds wait{0};  ///< 0: as long as the deadline allows.
  std::uint64_t first_sequence = 0;   ///< At least 1 with a producer_id.
  std::string producer_id;            ///< 16 bytes, or empty.
  std::string session_id;
};

struct SendReply {
  std::uint64_t epoch = 0;
  std::uint64_t capacity = 0;
  std::vector<SendOutcome> outcomes;  ///< In order; they tell of every message once.
};

struct ReceiveRequest {
  std::string queue;
  std::string consumer;
  std::uint32_t max_messages = 1;
  std::uint64_t max_bytes = 0;  ///< 0: 256 KiB.
  std::chrono::milliseconds wait{0};
  std::chrono::milliseconds lease_time{0};  ///< 0: 30 s.
  std::string session_id;
};

struct ReceiveReply {
  Outcome outcome = Outcome::kUnspecified;  ///< OK, EMPTY or CLOSED.
  Batch batch;
  std::uint64_t lease = 0;
  std::chrono::milliseconds lease_time{0};
  std::uint64_t epoch = 0;
  ClosedReason reason = ClosedReason::kUnspecified;
};

}  // namespace abi1
}  // namespace sluice
