// SPDX-License-Identifier: Apache-2.0
#include "sluice/subscriber.h"

#include <utility>

#include "bad_option.h"
#include "hold.h"
#include "sluice/client.h"
#include "subscribing_stream.h"

namespace sluice {
inline namespace abi1 {
Status Check(const SubscriberOptions& options) {
  if (options.topic.empty() == options.pattern.empty()) {
    return BadOption("topic", options.topic, "or pattern must be given, and not both");
  }
  if (options.buffered_bytes_max == 0) {
    return BadOption("buffered_bytes_max", "0", "must be at least 1");
  }
  if (options.start == SubscribeStart::kPosition && options.start_position == 0) {
    return BadOption("start_position", "0", "begins at 1");
  }
  return Check(options.reconnect);
}

Subscriber::Subscriber(std::shared_ptr<SubscribingStream> stream) : stream_(std::move(stream)) {}
Subscriber::Subscriber(Subscriber&&) noexcept = default;

Subscriber& Subscriber::operator=(Subscriber&& other) noexcept {
  Subscriber old(std::move(*this));
  stream_ = std::move(other.stream_);
  return *this;
}

Subscriber::~Subscriber() { LetGo(stream_); }

NextOutcome Subscriber::Next(SubscriberEvent& event, Deadline deadline) {
  return stream_->Next(event, deadline);
}
Operation<Result<Published>> Subscriber::Recv() const { return stream_->Recv(); }
std::vector<TopicPosition> Subscriber::positions() const { return stream_->positions(); }
Result<StreamEnd> Subscriber::Close(Deadline deadline) { return stream_->Close(deadline); }
SubscribeStats Subscriber::stats() const { return stream_->stats(); }
StreamState Subscriber::state() const { return stream_->state(); }
std::optional<StreamEnd> Subscriber::end() const { return stream_->end(); }

Result<Subscriber> Client::OpenSubscriber(SubscriberOptions options, Deadline deadline) {
  if (Status status = Check(options); !status.ok()) return status;
  return OpenHandle<Subscriber>(
      transport_, std::make_shared<SubscribingStream>(transport_, std::move(options)), deadline);
}

}  // namespace abi1
}  // namespace sluice
