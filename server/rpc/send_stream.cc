// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "broker/refusals.h"
#include "rpc/byte_buffer.h"
#include "rpc/convert.h"
#include "rpc/send_handlers.h"
#include "wire/frame_writer.h"

namespace sluice::rpc {
namespace {

// Acks kept for a client that sends and does not read; then its frames are not read either.
constexpr std::size_t kAcksMax = 4'096;

bool IsSpent(broker::Outcome outcome) {
  return outcome != broker::Outcome::kClosed && outcome != broker::Outcome::kUnknown;
}

}  // namespace

template <class Kind>
SendStreamHandler<Kind>::SendStreamHandler(Call& call, const Services& services)
    : Handler(call), services_(services), frame_(call.worker().scratch()) {
  options_.producer = &producer_;
}

template <class Kind>
SendStreamHandler<Kind>::~SendStreamHandler() {
  Leave();
}

// However the stream ended: what still waits is cancelled, and the sender is dropped (N3).
template <class Kind>
void SendStreamHandler<Kind>::Leave() {
  if (channel_ == nullptr) return;
  Kind::Cancel(*channel_, ticket_);
  channel_->CloseProducer(producer_);
}

template <class Kind>
Status SendStreamHandler<Kind>::Open(const typename Kind::Open& open) {
  Result<broker::SendMode> mode = ModeOf(open.mode());
  if (!mode) return mode.error();
  if (Status id = CheckId("open.producer_id", open.producer_id(), broker::kProducerIdBytes);
      !id.ok()) {
    return id;
  }
  if (Status id = CheckId("open.session_id", open.session_id(), broker::kSessionIdBytes);
      !id.ok()) {
    return id;
  }
  options_.mode = *mode;
  options_.producer_id = open.producer_id();
  wait_ = std::chrono::milliseconds(open.wait_ms());
  if constexpr (Kind::kMayBeMany) {
    if (open.topic().empty() && open.producer_id().empty()) {
      auto spec = SpecOf(open.has_spec(), open.spec());
      if (!spec) return spec.error();
      options_.mode = broker::SendMode::kTry;  // no topic holds up another
      routes_ = std::make_unique<PublishRoutes>(services_.broker.topics(), std::move(*spec));
    }
  }
  if (routes_ == nullptr) {
    if (Status one = OpenOne(open); !one.ok()) return one;
  } else if (!open.session_id().empty()) {
    Status tied = services_.broker.sessions().Tie(open.session_id(), call().notifier());
    if (!tied.ok()) return tied;
  }
  session_id_ = open.session_id();
  is_open_ = true;
  return Status();
}

template <class Kind>
Status SendStreamHandler<Kind>::OpenOne(const typename Kind::Open& open) {
  auto spec = SpecOf(open.has_spec(), open.spec());
  if (!spec) return spec.error();
  auto channel = Kind::Channels(services_.broker).Open(Kind::Name(open), *spec);
  if (!channel) return channel.error();
  if (!open.session_id().empty()) {
    Status tied = services_.broker.sessions().Tie(open.session_id(), call().notifier());
    if (!tied.ok()) return tied;
  }
  auto opened = (*channel)->OpenProducer(producer_, open.producer_id(), call().notifier());
  if (!opened) return opened.error();
  channel_ = *channel;
  last_sequence_ = opened->last_sequence;
  opened_.set_epoch(opened->epoch);
  opened_.set_last_sequence(opened->last_sequence);
  opened_.set_capacity(opened->capacity);
  opened_.set_durability(v1::DURABILITY_MEMORY);
  opened_.set_message_bytes_max(channel_->spec().message_bytes_max);
  services_.streams.SetChannel(call().info(), channel_->name());
  return Status();
}

template <class Kind>
Status SendStreamHandler<Kind>::Accept(const grpc::ByteBuffer& buffer) {
  if (Status scanned = frame_.Scan(buffer); !scanned.ok()) return scanned;
  typename Kind::StreamRequest request;
  if (!request.ParseFromString(frame_.rest())) return MalformedRequest(request);
  if (is_open_ == request.has_open()) {
    return Status(Code::kInvalidArgument, "OUT_OF_ORDER",
                  is_open_ ? "open stands in a frame that is not the first"
                           : "the first frame has no open")
        .With("field", "open");
  }
  if (request.has_open()) {
    if (Status opened = Open(request.open()); !opened.ok()) return opened;
  }
  if (frame_.messages() == 0) return Status();
  if (request.first_sequence() == 0 && options_.producer_id.empty()) {
    request.set_first_sequence(next_sequence_);
  }
  options_.first_sequence = request.first_sequence();
  options_.is_atomic = request.atomic();
  Status placed = routes_ == nullptr ? Place(request) : PlaceInOneOfMany(request);
  if (placed.ok()) next_sequence_ = request.first_sequence() + frame_.messages();
  return placed;
}

template <class Kind>
Status SendStreamHandler<Kind>::Place(const typename Kind::StreamRequest& request) {
  if constexpr (Kind::kMayBeMany) {
    if (!request.topic().empty() && request.topic() != channel_->name()) {
      return InvalidField("topic", "the stream was opened for another topic");
    }
  }
  if (Status fits = frame_.Check(*channel_, request.first_sequence()); !fits.ok()) return fits;
  options_.deadline =
      WaitUntil(call().worker().clock().Now(), static_cast<std::uint32_t>(wait_.count()));
  Status sent = Kind::Send(*channel_, ticket_, frame_.Take(), options_, call().notifier());
  if (!sent.ok()) return sent;
  is_placing_ = true;
  call().info().waiting_messages = frame_.messages();
  return Status();
}

// Nothing waits: every message has its outcome on return.
template <class Kind>
Status SendStreamHandler<Kind>::PlaceInOneOfMany(const typename Kind::StreamRequest& request) {
  if constexpr (Kind::kMayBeMany) {
    auto topic = routes_->Find(request.topic());
    if (!topic) return topic.error();
    if (*topic == nullptr) {
      broker::Ack absent;
      absent.first_sequence = request.first_sequence();
      absent.count = frame_.messages();
      absent.outcome = broker::Outcome::kAbsent;
      acks_.push_back(absent);
      last_sequence_ = std::max(last_sequence_, absent.first_sequence + absent.count - 1);
      return Status();
    }
    if (Status fits = frame_.Check(**topic, request.first_sequence()); !fits.ok()) return fits;
    Status sent = Kind::Send(**topic, ticket_, frame_.Take(), options_, nullptr);
    if (!sent.ok()) return sent;
    call().info().waiting_messages = frame_.messages();
    TakeAcks(**topic);
  }
  return Status();
}

template <class Kind>
void SendStreamHandler<Kind>::OnFrame(const grpc::ByteBuffer& buffer) {
  Status accepted = Accept(buffer);
  frame_.Clear();
  if (!accepted.ok()) return Fail(std::move(accepted));
  Advance();
}

// What was sent before still waits and gets its outcome; then Closed FINISHED.
template <class Kind>
void SendStreamHandler<Kind>::OnHalfClose() {
  is_half_closed_ = true;
  if (!is_open_) {
    return call().Finish(
        Status(Code::kInvalidArgument, "OUT_OF_ORDER", "the stream ended without an open")
            .With("field", "open"));
  }
  Advance();
}

template <class Kind>
void SendStreamHandler<Kind>::OnWritten(bool ok) {
  if (ok) Advance();
}

// A client that does not read never lets the last frame out: it is cut with the connections.
template <class Kind>
void SendStreamHandler<Kind>::OnDrain(bool) {
  is_draining_ = true;
  if (!is_open_) return call().Finish(broker::Draining());
  Advance();
}

template <class Kind>
void SendStreamHandler<Kind>::Advance() {
  if (!is_open_ || call().is_finishing()) return;
  if (is_placing_) TakeAcks(*channel_);
  if (EndIfOver()) return;
  if (!call().is_writing()) Flush();
  if (!is_placing_ && !is_half_closed_ && !is_draining_ && acks_.size() < kAcksMax) call().Read();
}

template <class Kind>
void SendStreamHandler<Kind>::TakeAcks(Channel& channel) {
  const std::size_t known = acks_.size();
  const bool is_done = channel.TakeAcks(ticket_, acks_);
  for (std::size_t i = known; i < acks_.size(); ++i) {
    call().info().waiting_messages -= acks_[i].count;
    if (!IsSpent(acks_[i].outcome)) continue;
    last_sequence_ = std::max(last_sequence_, acks_[i].first_sequence + acks_[i].count - 1);
  }
  if (is_done) call().info().waiting_messages = 0;
  is_placing_ = !is_done;
}

template <class Kind>
bool SendStreamHandler<Kind>::EndIfOver() {
  if (channel_ != nullptr && channel_->IsSuperseded(producer_)) {
    Fail(Status(Code::kAborted, "SUPERSEDED", "another stream has opened with this producer_id"));
    return true;
  }
  if (!session_id_.empty() && services_.broker.sessions().fence(session_id_) == 0) {
    Fail(Status(Code::kFailedPrecondition, "SESSION_GONE", "the stream's session has ended"));
    return true;
  }
  if (is_placing_ || !(is_half_closed_ || is_draining_)) return false;
  if (call().is_writing() || !acks_.empty() || !is_opened_told_) return false;
  typename Kind::StreamResponse last;
  last.mutable_closed()->set_reason(is_half_closed_ ? v1::CLOSED_REASON_FINISHED
                                                    : v1::CLOSED_REASON_SHUTTING_DOWN);
  call().WriteAndFinish(Serialize(last));
  return true;
}

template <class Kind>
void SendStreamHandler<Kind>::Flush() {
  if (!std::exchange(is_opened_told_, true)) {
    typename Kind::StreamResponse answer;
    answer.mutable_opened()->Swap(&opened_);
    return call().Write(Serialize(answer));
  }
  if (acks_.empty()) return;
  std::string frame;
  AppendAcks(acks_, frame);
  if (channel_ != nullptr && options_.mode == broker::SendMode::kTry) {
    if (const auto hint = Kind::FreeHint(*channel_)) {
      wire::AppendUintPresent(frame, Kind::StreamResponse::kFreeHintFieldNumber, *hint);
    }
  }
  acks_.clear();
  call().Write(MakeFrame({}, frame));
}

template <class Kind>
void SendStreamHandler<Kind>::Fail(Status status) {
  call().info().waiting_messages = 0;
  Leave();  // Not when the status is out: a client that does not read holds that up.
  call().Finish(std::move(status).With("last_sequence", std::to_string(last_sequence_)));
}

template class SendStreamHandler<QueueKind>;
template class SendStreamHandler<TopicKind>;

}  // namespace sluice::rpc
