// SPDX-License-Identifier: Apache-2.0
// The Subscribe stream behind a Subscriber.
//
//   opening -> announcing -> ready: events -> ended
//
// A loss goes back to opening. Once it has been ready it resumes: it tells where each topic is that
// was announced and not closed, and the daemon tells how it goes on.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sluice/subscriber.h"
#include "sluice/v1/topic.pb.h"
#include "taking_stream.h"

namespace sluice {
inline namespace abi1 {

// OK, or BAD_OPTION with the field.
Status Check(const SubscriberOptions& options);

inline std::size_t Units(const SubscriberEvent& event) {
  return event.kind == SubscriberEvent::Kind::kMessages ? event.batch.size() : 1;
}

class SubscribingStream final : public TakingStream<SubscriberEvent, Published> {
 public:
  // Requires: checked options.
  SubscribingStream(std::shared_ptr<Transport> transport, SubscriberOptions options);

  Result<StreamEnd> Close(Deadline deadline);

  std::vector<TopicPosition> positions() const;
  SubscribeStats stats() const;

 private:
  std::string OpenFrame() override;
  Reading OnFrame(grpc::ByteBuffer& frame) override;
  void OnWritable() override {}
  void OnLost(const StreamEnd& why) override;

  // The transport's thread:
  void OnSubscribed(const v1::Subscribed& subscribed, std::size_t bytes);
  void OnLagged(const v1::SubscribeResponse& response, std::size_t bytes);
  void OnClosed(const v1::Closed& closed, std::size_t bytes);
  void OnMessages(std::uint32_t topic_ref, Batch&& batch);
  void Tell(SubscriberEvent&& event, std::size_t bytes);
  // The place of a topic of this attempt. Null: the daemon has not announced it.
  TopicPosition* TopicOf(std::uint32_t topic_ref);

  const SubscriberOptions options_;
  // The transport's thread alone:
  std::string other_;
  std::map<std::uint32_t, std::string> refs_;  // Of this attempt.
  bool was_ready_ = false;
  Reading reading_ = Reading::kContinue;  // After the frame under way.

  // Guarded by mutex_:
  std::map<std::string, TopicPosition> topics_;  // Announced and not closed.
  SubscribeStats stats_;
};

}  // namespace abi1
}  // namespace sluice
