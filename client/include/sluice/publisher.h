// SPDX-License-Identifier: Apache-2.0
/// The sending end of a topic. Client::OpenPublisher makes one.
#pragma once

#include <optional>
#include <string>

#include "sluice/sending_end.h"
#include "sluice/topic_spec.h"

namespace sluice {
inline namespace abi1 {

struct PublisherOptions : SendingOptions {
  std::string topic;
  std::optional<TopicSpec> spec;  ///< Declares the topic if it is absent, after a loss, too.
};

class Publisher : public SendingEnd {
 public:
  explicit Publisher(std::shared_ptr<SendingStream> stream) : SendingEnd(std::move(stream)) {}

  /// One message, and what became of it: OK with the subscribers it was offered to, NO_SUBSCRIBERS
  /// and the others. The message is copied. Lazy, as every Operation.
  Operation<SendOutcome> Publish(const Message& message) const { return Ask(message); }
};

}  // namespace abi1
}  // namespace sluice
