// SPDX-License-Identifier: Apache-2.0
/// The receiving end of a topic, or of all topics that match a pattern. Client::OpenSubscriber
/// makes one.
///
/// Events      come in one order: messages, a lag, where a topic begins or goes on, the end of a
///             topic. For each topic messages + missed = advance of position (N30): nothing is left
///             out in silence.
/// Faces       Next waits for an event with a batch: the fast one. Recv is an Operation of one
///             message, or event: Wait, Start, co_await. on_event gets events on the client's
///             thread. One of them a subscriber.
/// Buffer      Events that nobody took are held up to buffered_bytes_max; beyond it the stream is
///             not read, and this subscriber lags, and nobody else (N30).
/// A loss      The stream is opened again (stream_state.h) where each topic was: a kSubscribed
/// event
///             says what became of it: CONTINUED, a GAP of exactly `missed`, or RESET when the
///             topic's life is another (N31). Nothing that came before is lost.
/// Ends        Close and the destructor cancel: a subscription is nothing that could be finished.
///             The destructor takes 1 s at most.
/// Threads     All functions may be called from any thread at once, Next from one at a time.
///             Callbacks run on the client's thread and must not wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sluice/deadline.h"
#include "sluice/message.h"
#include "sluice/operation.h"
#include "sluice/outcome.h"
#include "sluice/received.h"
#include "sluice/status.h"
#include "sluice/stream_state.h"
#include "sluice/topic_spec.h"

namespace sluice {
inline namespace abi1 {

class SubscribingStream;

enum class SubscribeStart : std::uint8_t {
  kLatest = 1,    ///< With what is published from now on.
  kEarliest = 2,  ///< With the oldest retained.
  kPosition = 3,  ///< With start_position; of one topic only.
};

/// A place in one life of a topic.
struct TopicPosition {
  std::string topic;
  std::uint64_t epoch = 0;
  std::uint64_t next_position = 0;  ///< The one wanted next.
};

/// How what follows joins on to what was before (N31).
enum class Continuity : std::uint8_t {
  kUnspecified = 0,
  kContinued = 1,  ///< Nothing is missing.
  kGap = 2,        ///< `missed` were overwritten.
  kReset = 3,      ///< Another life of the topic: what was missed cannot be said.
  kFresh = 4,      ///< It begins here for this subscriber.
};

std::string ToString(Continuity continuity);

struct SubscriberEvent {
  enum class Kind : std::uint8_t {
    kMessages,     ///< `batch`.
    kLagged,       ///< `missed` were overwritten before they could be sent (B8).
    kSubscribed,   ///< The topic begins or goes on: `continuity`, with kGap `missed`.
    kTopicClosed,  ///< It ends for `reason`; other topics of a pattern go on.
  };
  Kind kind = Kind::kMessages;
  std::string topic;
  std::uint64_t epoch = 0;          ///< Of the topic's life; 0: it is gone.
  std::uint64_t next_position = 0;  ///< The one that comes next; with kMessages, after them.
  Batch batch;
  std::uint64_t missed = 0;
  Continuity continuity = Continuity::kUnspecified;
  ClosedReason reason = ClosedReason::kUnspecified;
};

/// One message, or the event that came in its place. True for a message. Copies share the bytes.
class Published {
 public:
  Published(std::shared_ptr<const SubscriberEvent> event, std::size_t index)
      : event_(std::move(event)), index_(index) {}

  bool has_message() const { return event_->kind == SubscriberEvent::Kind::kMessages; }
  explicit operator bool() const { return has_message(); }
  /// Requires: has_message().
  const Delivery& message() const { return event_->batch[index_]; }
  /// With the topic. Its batch is shared by all its messages.
  const SubscriberEvent& event() const { return *event_; }

 private:
  std::shared_ptr<const SubscriberEvent> event_;
  std::size_t index_;
};

struct SubscriberOptions {
  std::string topic;    ///< One topic; or
  std::string pattern;  ///< all that match, those to come included: `orders.*`, `orders.>`.
  SubscribeStart start = SubscribeStart::kLatest;
  std::uint64_t start_position = 0;
  std::uint64_t start_epoch = 0;  ///< 0: whichever life the topic is in.
  /// Where another subscriber was (its positions()): `start` is then not read.
  std::optional<std::vector<TopicPosition>> resume;
  std::optional<TopicSpec> spec;  ///< Of `topic`: declares it if it is absent.
  bool end_on_lag = false;        ///< A lag is the end, LAGGED.
  std::string subscriber;         ///< A name for people; empty: none.
  std::size_t buffered_bytes_max = 1 << 20;
  /// Gives messages, and what says that some are missing (lags, gaps, resets), and nothing else.
  bool only_messages = false;

  /// Instead of Next and Recv. The event may be moved from. If it throws, that is counted.
  std::function<void(SubscriberEvent&)> on_event;

  ReconnectOptions reconnect;
  OnStreamState on_state;
};

struct SubscribeStats {
  std::uint64_t messages = 0;
  std::uint64_t batches = 0;
  std::uint64_t lags = 0;          ///< Events.
  std::uint64_t missed = 0;        ///< Messages, by lags and gaps.
  std::uint64_t resets = 0;        ///< Topics that were another life's after a loss.
  std::size_t buffered_bytes = 0;  ///< Come, and not taken yet.
  std::uint64_t reconnects = 0;    ///< Streams accepted after the first.
  std::uint64_t exceptions = 0;    ///< Thrown by its callbacks.
};

class Subscriber {
 public:
  explicit Subscriber(std::shared_ptr<SubscribingStream> stream);
  Subscriber(Subscriber&&) noexcept;
  Subscriber& operator=(Subscriber&&) noexcept;
  ~Subscriber();

  /// Waits for the next event and puts it into `event`, whose old bytes are freed. Events that had
  /// come before the end are still given out.
  NextOutcome Next(SubscriberEvent& event, Deadline deadline);
  /// The next message, or the event that comes in its place; or DEADLINE, WOULD_BLOCK, or how the
  /// stream ended.
  Operation<Result<Published>> Recv() const;

  /// Where each topic is, of what was received here: for `resume` in another process, once all that
  /// came was taken.
  std::vector<TopicPosition> positions() const;

  /// Cancels, and waits for the end. DEADLINE.
  Result<StreamEnd> Close(Deadline deadline);

  SubscribeStats stats() const;
  StreamState state() const;
  std::optional<StreamEnd> end() const;

 private:
  std::shared_ptr<SubscribingStream> stream_;
};

}  // namespace abi1
}  // namespace sluice
