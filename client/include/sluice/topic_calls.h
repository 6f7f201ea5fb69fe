// SPDX-License-Identifier: Apache-2.0
/// What the unary calls of topics ask and answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sluice/message.h"
#include "sluice/queue_calls.h"
#include "sluice/topic_spec.h"

namespace sluice {
inline namespace abi1 {

struct DescribeTopicReply {
  TopicDescription description;
  std::vector<SubscriberDescription> subscribers;  ///< Oldest stream first.
  std::string next_page_token;                     ///< Empty: there are no more subscribers.
};

struct ListTopicsReply {
  std::vector<TopicDescription> topics;
  std::string next_page_token;  ///< Empty: there are no more.
};

struct PublishRequest {
  std::string topic;
  std::vector<Message> messages;  ///< 1 to 65,536; at most 4 MiB in all.
  std::optional<TopicSpec> spec;  ///< Declares the topic if it is absent.
  bool atomic = true;             ///< All or none.
  SendMode mode = SendMode::kWait;
  std::chrono::milliseconds wait{0};  ///< 0: as long as the deadline allows.
  std::uint64_t first_sequence = 0;   ///< At least 1 with a producer_id.
  std::string producer_id;            ///< 16 bytes, or empty.
  std::string session_id;
};

using PublishReply = SendReply;

}  // namespace abi1
}  // namespace sluice
