// SPDX-License-Identifier: Apache-2.0
// Calls, by the names that dashboards for gRPC know; streams, workers and connections.
#include <array>
#include <string_view>

#include "admin/metrics.h"

namespace sluice::admin {
namespace {

constexpr std::array<const char*, rpc::kCodes> kCodeNames = {
    "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
    "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
    "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
    "DataLoss", "Unauthenticated"};

// The codes there are in the daemon: all from the start, so that their first increase is seen.
constexpr std::array<Code, 12> kOurCodes = {
    Code::kOk,       Code::kCancelled,        Code::kInvalidArgument,   Code::kDeadlineExceeded,
    Code::kNotFound, Code::kPermissionDenied, Code::kResourceExhausted, Code::kFailedPrecondition,
    Code::kAborted,  Code::kUnimplemented,    Code::kInternal,          Code::kUnavailable};

constexpr std::array<const char*, 22> kReasons = {
    "CONSUMER_PRESENT",       "DEADLINE_EXCEEDED",  "DECLARED_OTHERWISE", "DRAINING",
    "DURABILITY_UNAVAILABLE", "INVALID_FIELD",      "MALFORMED",          "METHOD_NOT_SERVED",
    "OUT_OF_BOUNDS",          "OUT_OF_ORDER",       "QUEUE_NOT_FOUND",    "REMOTE_ADMIN",
    "RESPONDER_NOT_FOUND",    "SERVICE_NOT_FOUND",  "SESSION_GONE",       "SUPERSEDED",
    "TOO_MANY_CHANNELS",      "TOO_MANY_PRODUCERS", "TOO_MANY_SESSIONS",  "TOO_MANY_STREAMS",
    "TOO_MANY_TOPICS",        "TOPIC_NOT_FOUND"};

const char* TypeName(rpc::CallType type) {
  switch (type) {
    case rpc::CallType::kUnary:
      return "unary";
    case rpc::CallType::kClientStream:
      return "client_stream";
    case rpc::CallType::kServerStream:
      return "server_stream";
    case rpc::CallType::kBidiStream:
      return "bidi_stream";
  }
  return "unary";
}

Labels LabelsOf(const rpc::MethodName& name) {
  return {{"grpc_type", TypeName(name.type)},
          {"grpc_service", name.service},
          {"grpc_method", name.method}};
}

void AddByMethod(const std::vector<rpc::MethodFigures>& methods,
                 std::uint64_t rpc::MethodFigures::*figure, Family family) {
  for (const rpc::MethodFigures& method : methods) {
    family.Add(LabelsOf(method.name), method.*figure);
  }
}

void AddHandled(const std::vector<rpc::MethodFigures>& methods, Family family) {
  for (const rpc::MethodFigures& method : methods) {
    for (const Code code : kOurCodes) {
      const auto i = static_cast<std::size_t>(code);
      Labels labels = LabelsOf(method.name);
      labels.push_back({"grpc_code", kCodeNames[i]});
      family.Add(std::move(labels), method.handled[i]);
    }
  }
}

void AddCalls(const rpc::CallStats& calls, Families& out) {
  const std::vector<rpc::MethodFigures> methods = calls.Methods();
  using Figures = rpc::MethodFigures;
  AddByMethod(methods, &Figures::started, out.Counter("grpc_server_started_total", "Calls begun."));
  AddHandled(methods, out.Counter("grpc_server_handled_total",
                                  "Calls ended, by status; Canceled: the client went."));
  AddByMethod(methods, &Figures::received,
              out.Counter("grpc_server_msg_received_total", "Frames read."));
  AddByMethod(methods, &Figures::sent,
              out.Counter("grpc_server_msg_sent_total", "Frames written."));
  Family handling = out.Histogram("grpc_server_handling_seconds",
                                  "Time from the begin of a unary call to its status.");
  for (const Figures& method : methods) {
    if (method.name.type != rpc::CallType::kUnary) continue;
    handling.Add(LabelsOf(method.name), method.handling);
  }
  AddByMethod(methods, &Figures::received_bytes,
              out.Counter("sluice_rpc_received_bytes_total", "Bytes of frames read."));
  AddByMethod(methods, &Figures::sent_bytes,
              out.Counter("sluice_rpc_sent_bytes_total", "Bytes of frames written."));

  std::map<std::string, std::uint64_t> refused = calls.Refused();
  for (const char* reason : kReasons) refused.try_emplace(reason, 0);
  Family refusals =
      out.Counter("sluice_calls_refused_total", "Calls ended with an error, by its reason.");
  for (const auto& [reason, count] : refused) refusals.Add({{"reason", reason}}, count);

  out.Histogram("sluice_delivery_age_seconds",
                "Age of messages, from being accepted to being given to the transport.")
      .Add({{"kind", "queue"}}, calls.QueueAges())
      .Add({{"kind", "topic"}}, calls.TopicAges());
}

void AddWorkers(const rpc::CallStats& calls, Families& out) {
  const std::vector<rpc::WorkerFigures> workers = calls.Workers();
  Family busy = out.Counter("sluice_worker_busy_seconds_total",
                            "Time in which a worker did not wait for events.");
  Family turns = out.Counter("sluice_worker_turns_total", "Turns of a worker's loop.");
  Family events = out.Counter("sluice_worker_events_total", "Events that a worker handled.");
  for (std::size_t i = 0; i < workers.size(); ++i) {
    const Labels labels = {{"worker", std::to_string(i)}};
    busy.Add(labels, std::chrono::duration<double>(workers[i].busy).count());
    turns.Add(labels, workers[i].turns);
    events.Add(labels, workers[i].events);
  }
}

}  // namespace

void AddRpcMetrics(const Sources& sources, const Moment& moment, Families& out) {
  AddCalls(sources.calls, out);
  AddWorkers(sources.calls, out);
  const rpc::StreamFigures streams = sources.streams.Figures(moment.now);
  out.Gauge("sluice_streams", "Open streams.").Add(streams.streams);
  out.Gauge("sluice_unary_calls", "Open unary calls.").Add(streams.unary);
  const rpc::StreamLimits& limits = sources.streams.limits();
  out.Gauge("sluice_streams_max", "The most open calls of both kinds.").Add(limits.streams_max);
  out.Gauge("sluice_streams_per_connection", "Open calls of the connection that has the most.")
      .Add(streams.per_connection);
  out.Gauge("sluice_streams_per_connection_max", "The most open calls of a connection.")
      .Add(limits.streams_per_connection_max);
  out.Gauge("sluice_streams_per_address", "Open calls of the address that has the most.")
      .Add(streams.per_address);
  out.Gauge("sluice_streams_per_address_max", "The most open calls of an address; 0: no bound.")
      .Add(limits.streams_per_address_max);
  out.Gauge("sluice_streams_stalled", "Streams whose write has waited for the peer over 1 s.")
      .Add(streams.stalled);
  out.Gauge("sluice_stream_stalled_seconds_max", "The longest such wait; 0: there is none.")
      .Add(std::chrono::duration<double>(streams.stalled_max).count());
}

void AddConnectionMetrics(const Sources& sources, Families& out) {
  const rpc::ConnectionCounts counts = sources.connections.Counts();
  out.Gauge("sluice_connections", "Open connections.").Add(counts.open);
  const rpc::ConnectionLimits& limits = sources.connections.limits();
  out.Gauge("sluice_connections_max", "The most connections.").Add(limits.connections_max);
  out.Gauge("sluice_connections_per_address", "Connections of the address that has the most.")
      .Add(counts.per_address);
  out.Gauge("sluice_connections_per_address_max",
            "The most connections of an address; 0: no bound.")
      .Add(limits.connections_per_address_max);
  out.Counter("sluice_connections_accepted_total", "Connections accepted.").Add(counts.accepted);
  Family refused =
      out.Counter("sluice_connections_refused_total", "Connections refused, by reason.");
  for (std::size_t i = 0; i < counts.refused.size(); ++i) {
    refused.Add({{"reason", std::string(rpc::kRefusalNames[i])}}, counts.refused[i]);
  }
  Family cut = out.Counter("sluice_connections_cut_total",
                           "Connections cut because of what they did, by reason.");
  for (std::size_t i = 0; i < counts.cut.size(); ++i) {
    cut.Add({{"reason", std::string(rpc::kStrikeNames[i])}}, counts.cut[i]);
  }
  out.Counter("sluice_accept_errors_total",
              "Connections that could not be accepted: no descriptor or no memory.")
      .Add(counts.accept_errors);
}

}  // namespace sluice::admin
