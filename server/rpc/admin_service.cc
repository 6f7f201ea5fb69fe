// SPDX-License-Identifier: Apache-2.0
// AdminService: what the daemon is, who is slow, and going down on request.
#include <algorithm>
#include <charconv>

#include "base/version.h"
#include "rpc/limits.h"
#include "rpc/services.h"
#include "rpc/unary.h"
#include "sluice/v1/admin.pb.h"

namespace sluice::rpc {
namespace {

const std::string kService = "/sluice.v1.AdminService/";

template <class D>
std::uint64_t Ms(D duration) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

void FillBounds(const Services& services, v1::Bounds& out) {
  const broker::Limits& limits = services.broker.limits();
  const StreamLimits& streams = services.streams.limits();
  out.set_message_bytes_max(limits.message_bytes_max);
  out.set_request_frame_bytes_max(kRequestFrameBytesMax);
  out.set_transport_frame_bytes_max(kTransportFrameBytesMax);
  out.set_frame_messages_max(kFrameMessagesMax);
  out.set_settlements_max(kSettlementsMax);
  out.set_delivery_bytes_max(broker::kDeliveryBytesMax);
  out.set_unary_delivery_bytes_max(kUnaryDeliveryBytesMax);
  out.set_headers_max(kHeadersMax);
  out.set_header_bytes_max(kHeaderBytesMax);
  out.set_name_bytes_max(broker::kNameBytesMax);
  out.set_capacity_default(limits.capacity);
  out.set_capacity_max(broker::kCapacityMax);
  out.set_channel_bytes_default(limits.bytes_max);
  out.set_channel_bytes_min(broker::kBytesMaxLeast);
  out.set_channel_bytes_max(broker::kBytesMaxMost);
  out.set_message_overhead_bytes(broker::kMessageOverheadBytes);
  out.set_max_in_flight_default(limits.max_in_flight);
  out.set_max_in_flight_max(broker::kMaxInFlightMax);
  out.set_channels_max(limits.channels_max);
  out.set_credit_default(broker::kCreditDefault);
  out.set_lease_default_ms(Ms(broker::kLeaseDefault));
  out.set_lease_max_ms(Ms(broker::kLeaseMax));
  out.set_expired_leases_max(broker::kExpiredLeasesMax);
  out.set_producers_max(broker::kProducersMax);
  out.set_producer_memory_ms(Ms(broker::kProducerMemory));
  out.set_outcome_ranges_max(broker::kOutcomeRangesMax);
  out.set_streams_max(streams.streams_max);
  out.set_streams_per_connection_max(streams.streams_per_connection_max);
  out.set_streams_per_address_max(streams.streams_per_address_max);
  out.set_connections_max(services.connections.limits().connections_max);
  out.set_connections_per_address_max(services.connections.limits().connections_per_address_max);
  out.set_metadata_bytes_max(kMetadataBytesMax);
  out.set_sessions_max(limits.sessions_max);
  out.set_keepalive_interval_ms(Ms(services.keepalive_time));
  out.set_keepalive_timeout_ms(Ms(services.keepalive_timeout));
  out.set_ping_interval_min_ms(Ms(services.ping_interval_min));
  out.set_page_size_default(kPageSizeDefault);
  out.set_page_size_max(kPageSizeMax);
  out.set_drain_delay_ms(Ms(services.drain_delay));
  out.set_drain_grace_ms(Ms(services.drain_grace));
  out.set_block_default_ms(broker::kBlockMsDefault);
  out.set_block_max_ms(broker::kBlockMsMax);
  out.set_resume_window_default_ms(broker::kResumeWindowMsDefault);
  out.set_resume_window_max_ms(broker::kResumeWindowMsMax);
  out.set_stream_topics_max(broker::kStreamTopicsMax);
  out.set_value_bytes_max(broker::kValueBytesMax);
  out.set_content_type_bytes_max(broker::kContentTypeBytesMax);
  out.set_tombstones_max(broker::kTombstonesMax);
  out.set_watch_selectors_max(broker::kWatchSelectorsMax);
  out.set_memory_bytes_max(services.broker.memory().limit());
  out.set_waiting_bytes_max(services.broker.memory().waiting_max());
  out.set_stream_calls_max(kStreamCallsMax);
  out.set_part_credit_default(broker::kPartCreditDefault);
  out.set_part_credit_max(broker::kPartCreditMax);
  out.set_failure_code_bytes_max(broker::kFailureCodeBytesMax);
  out.set_failure_text_bytes_max(broker::kFailureTextBytesMax);
}

Result<v1::ServerInfoResponse> ServerInfo(const Services& services, const v1::ServerInfoRequest&) {
  v1::ServerInfoResponse response;
  response.set_version(kVersion);
  response.set_uptime_ms(Ms(services.broker.clock().Now() - services.started));
  response.set_started_unix_us(services.started_unix_us);
  response.set_draining(services.broker.is_draining());
  response.set_workers(services.workers);
  FillBounds(services, *response.mutable_bounds());
  const broker::Broker::Totals totals = services.broker.totals();
  v1::LiveCounts& live = *response.mutable_live();
  live.set_queues(totals.queues);
  live.set_streams(services.streams.streams());
  live.set_calls(services.streams.size());
  live.set_waiting_sends(totals.waiting_sends);
  live.set_waiting_receives(totals.waiting_receives);
  live.set_sessions(totals.sessions);
  live.set_leases(totals.leases);
  live.set_in_flight(totals.in_flight);
  live.set_depth(totals.depth);
  live.set_retained_bytes(totals.retained_bytes);
  live.set_producers(totals.producers);
  live.set_consumers(totals.consumers);
  live.set_topics(totals.topics);
  live.set_subscribers(totals.subscribers);
  live.set_publishers(totals.publishers);
  live.set_waiting_publishes(totals.waiting_publishes);
  live.set_keys(totals.keys);
  live.set_watchers(totals.watchers);
  live.set_waiting_gets(totals.waiting_gets);
  live.set_responders(totals.responders);
  live.set_workers(totals.workers);
  live.set_queued_calls(totals.queued_calls);
  live.set_calls_in_flight(totals.calls_in_flight);
  const broker::MemoryBudget::Snapshot memory = services.broker.memory().snapshot();
  live.set_memory_bytes_used(memory.used);
  live.set_waiting_bytes(memory.waiting);
  return response;
}

v1::StreamDescription ToWire(const StreamView& view) {
  v1::StreamDescription out;
  out.set_id(view.id);
  out.set_method(view.method);
  out.set_peer(view.peer);
  out.set_channel(view.channel);
  out.set_state(view.state);
  out.set_age_ms(Ms(view.age));
  out.set_write_stalled_ms(Ms(view.write_stalled));
  out.set_write_bytes(view.write_bytes);
  out.set_held_messages(view.held_messages);
  out.set_credit_messages(view.credit_messages);
  out.set_waiting_messages(view.waiting_messages);
  return out;
}

// A page token is how many were shown: the order moves as streams stall, and a page is one instant.
Result<v1::ListStreamsResponse> ListStreams(const Services& services,
                                            const v1::ListStreamsRequest& request) {
  std::size_t skip = 0;
  const std::string& token = request.page_token();
  if (!token.empty()) {
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), skip);
    if (error != std::errc() || end != token.data() + token.size()) {
      return InvalidField("page_token", "it is not one that was given out");
    }
  }
  const std::size_t page =
      request.page_size() == 0 ? kPageSizeDefault : std::min(request.page_size(), kPageSizeMax);
  const std::vector<StreamView> views = services.streams.List(services.broker.clock().Now());
  v1::ListStreamsResponse response;
  for (std::size_t i = skip; i < views.size() && i - skip < page; ++i) {
    *response.add_streams() = ToWire(views[i]);
  }
  if (skip < views.size() && views.size() - skip > page) {
    response.set_next_page_token(std::to_string(skip + page));
  }
  return response;
}

bool IsLoopback(const std::string& peer) {
  return peer.starts_with("ipv4:127.") || peer.starts_with("ipv6:[::1]") ||
         peer.starts_with("ipv6:%5B::1%5D") || peer.starts_with("unix:");
}

Result<v1::DrainResponse> Drain(const Services& services, const v1::DrainRequest& request,
                                const Call& call) {
  if (!services.remote_admin && !IsLoopback(call.peer())) {
    return Status(Code::kPermissionDenied, "REMOTE_ADMIN",
                  "only callers on a loopback address may drain this daemon");
  }
  constexpr std::uint64_t kMost = std::chrono::milliseconds(broker::kLeaseMax).count();
  if (request.grace_ms() > kMost) {
    return OutOfBounds("grace_ms", "the most", kMost, request.grace_ms());
  }
  services.drain_requested(std::chrono::milliseconds(
      request.grace_ms() == 0 ? -1 : static_cast<std::int64_t>(request.grace_ms())));
  return v1::DrainResponse();
}

}  // namespace

// From the message itself, so that no bound is told in one place and not in another.
std::vector<Bound> BoundsInForce(const Services& services) {
  v1::Bounds message;
  FillBounds(services, message);
  const google::protobuf::Descriptor& fields = *v1::Bounds::descriptor();
  const google::protobuf::Reflection& values = *v1::Bounds::GetReflection();
  std::vector<Bound> bounds;
  for (int i = 0; i < fields.field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = fields.field(i);
    const bool is_short = field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_UINT32;
    bounds.push_back({field->name(), is_short ? values.GetUInt32(message, field)
                                              : values.GetUInt64(message, field)});
  }
  return bounds;
}

void AddAdminService(const Services& services, MethodTable& methods) {
  AddUnary<v1::ServerInfoRequest, v1::ServerInfoResponse>(
      methods, kService + "ServerInfo", true,
      [&services](const v1::ServerInfoRequest& request, Call&) {
        return ServerInfo(services, request);
      });
  AddUnary<v1::ListStreamsRequest, v1::ListStreamsResponse>(
      methods, kService + "ListStreams", true,
      [&services](const v1::ListStreamsRequest& request, Call&) {
        return ListStreams(services, request);
      });
  AddUnary<v1::DrainRequest, v1::DrainResponse>(
      methods, kService + "Drain", true, [&services](const v1::DrainRequest& request, Call& call) {
        return Drain(services, request, call);
      });
}

}  // namespace sluice::rpc
