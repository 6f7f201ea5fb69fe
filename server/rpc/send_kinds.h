// SPDX-License-Identifier: Apache-2.0
// What differs between sending to a queue and publishing to a topic: names, not behaviour. The
// handlers (send_handlers.h) are written once, for a Kind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "broker/broker.h"
#include "rpc/convert.h"
#include "rpc/topic_convert.h"
#include "sluice/v1/queue.pb.h"
#include "sluice/v1/topic.pb.h"

namespace sluice::rpc {

struct QueueKind {
  using Channel = broker::Queue;
  using Request = v1::SendRequest;
  using Response = v1::SendResponse;
  using Open = v1::SendOpen;
  using Opened = v1::SendOpened;
  using StreamRequest = v1::SendStreamRequest;
  using StreamResponse = v1::SendStreamResponse;
  static constexpr bool kMayBeMany = false;

  static broker::Registry<broker::Queue>& Channels(broker::Broker& broker) {
    return broker.queues();
  }
  template <class Message>
  static const std::string& Name(const Message& message) {
    return message.queue();
  }
  static Status Send(broker::Queue& queue, broker::SendTicket& ticket, broker::Incoming incoming,
                     const broker::SendOptions& options, broker::NotifierPtr notifier) {
    return queue.Send(ticket, std::move(incoming), options, std::move(notifier));
  }
  static void Cancel(broker::Queue& queue, broker::SendTicket& ticket) { queue.CancelSend(ticket); }
  static std::optional<std::uint64_t> FreeHint(const broker::Queue& queue) {
    return queue.free_slots();
  }
};

struct TopicKind {
  using Channel = broker::Topic;
  using Request = v1::PublishRequest;
  using Response = v1::PublishResponse;
  using Open = v1::PublishOpen;
  using Opened = v1::PublishOpened;
  using StreamRequest = v1::PublishStreamRequest;
  using StreamResponse = v1::PublishStreamResponse;
  static constexpr bool kMayBeMany = true;

  static broker::Registry<broker::Topic>& Channels(broker::Broker& broker) {
    return broker.topics();
  }
  template <class Message>
  static const std::string& Name(const Message& message) {
    return message.topic();
  }
  static Status Send(broker::Topic& topic, broker::SendTicket& ticket, broker::Incoming incoming,
                     const broker::SendOptions& options, broker::NotifierPtr notifier) {
    return topic.Publish(ticket, std::move(incoming), options, std::move(notifier));
  }
  static void Cancel(broker::Topic& topic, broker::SendTicket& ticket) {
    topic.CancelPublish(ticket);
  }
  static std::optional<std::uint64_t> FreeHint(const broker::Topic& topic) {
    if (topic.spec().policy != broker::SlowPolicy::kBlock) return std::nullopt;
    return topic.free_slots();
  }
};

}  // namespace sluice::rpc
