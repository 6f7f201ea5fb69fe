// SPDX-License-Identifier: Apache-2.0
// The calls of AdminService and grpc.health.v1.Health.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "grpc/health/v1/health.pb.h"
#include "queue_convert.h"
#include "sluice/client.h"
#include "sluice/v1/admin.pb.h"
#include "transport.h"
#include "unary.h"

namespace sluice {
inline namespace abi1 {
namespace {

const char* const kServerInfo = "/sluice.v1.AdminService/ServerInfo";
const char* const kListStreams = "/sluice.v1.AdminService/ListStreams";
const char* const kDrain = "/sluice.v1.AdminService/Drain";
const char* const kCheck = "/grpc.health.v1.Health/Check";

// Every field of a message of numbers, by its name.
std::map<std::string, std::uint64_t> Numbers(const google::protobuf::Message& message) {
  std::map<std::string, std::uint64_t> numbers;
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *type.field(i);
    if (field.type() != google::protobuf::FieldDescriptor::TYPE_UINT64) continue;
    numbers[field.name()] = message.GetReflection()->GetUInt64(message, &field);
  }
  return numbers;
}

}  // namespace

Result<ServerInfo> Client::GetServerInfo(Deadline deadline) {
  const auto reply = UnaryCall<v1::ServerInfoResponse>(transport_->stub(), kServerInfo,
                                                       v1::ServerInfoRequest(), deadline);
  if (!reply.ok()) return reply.status();
  ServerInfo info;
  info.version = reply->version();
  info.uptime = std::chrono::milliseconds(reply->uptime_ms());
  info.started_unix_us = reply->started_unix_us();
  info.draining = reply->draining();
  info.bounds = Numbers(reply->bounds());
  info.live = Numbers(reply->live());
  return info;
}

Result<ListStreamsReply> Client::ListStreams(Deadline deadline, std::uint32_t page_size,
                                             const std::string& page_token) {
  v1::ListStreamsRequest request;
  request.set_page_size(page_size);
  request.set_page_token(page_token);
  const auto reply =
      UnaryCall<v1::ListStreamsResponse>(transport_->stub(), kListStreams, request, deadline);
  if (!reply.ok()) return reply.status();
  ListStreamsReply list;
  for (const v1::StreamDescription& from : reply->streams()) {
    StreamDescription to;
    to.id = from.id();
    to.method = from.method();
    to.peer = from.peer();
    to.channel = from.channel();
    to.state = from.state();
    to.age = std::chrono::milliseconds(from.age_ms());
    to.write_stalled = std::chrono::milliseconds(from.write_stalled_ms());
    to.write_bytes = from.write_bytes();
    to.held_messages = from.held_messages();
    to.credit_messages = from.credit_messages();
    to.waiting_messages = from.waiting_messages();
    list.streams.push_back(std::move(to));
  }
  list.next_page_token = reply->next_page_token();
  return list;
}

Status Client::Drain(std::chrono::milliseconds grace, Deadline deadline) {
  v1::DrainRequest request;
  request.set_grace_ms(ToWireMs(grace));
  return UnaryCall<v1::DrainResponse>(transport_->stub(), kDrain, request, deadline).status();
}

Result<Health> Client::CheckHealth(const std::string& service, Deadline deadline) {
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(service);
  const auto reply = UnaryCall<grpc::health::v1::HealthCheckResponse>(transport_->stub(), kCheck,
                                                                      request, deadline);
  if (!reply.ok()) return reply.status();
  switch (reply->status()) {
    case grpc::health::v1::HealthCheckResponse::SERVING:
      return Health::kServing;
    case grpc::health::v1::HealthCheckResponse::NOT_SERVING:
      return Health::kNotServing;
    default:
      return Health::kUnknown;
  }
}

}  // namespace abi1
}  // namespace sluice
