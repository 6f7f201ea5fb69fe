// SPDX-License-Identifier: Apache-2.0
#include "tests/rpc/raw_client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace sluice::rpc {
namespace {

grpc::Slice SliceOf(std::string_view bytes) { return grpc::Slice(bytes.data(), bytes.size()); }

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

}  // namespace

Fault FaultOf(const grpc::Status& status) {
  Fault fault;
  fault.code = status.error_code();
  fault.message = status.error_message();
  if (status.error_details().empty()) return fault;
  google::rpc::Status rich;
  EXPECT_TRUE(rich.ParseFromString(status.error_details())) << fault.message;
  EXPECT_EQ(rich.code(), static_cast<int>(fault.code));
  EXPECT_EQ(rich.message(), fault.message);
  for (const google::protobuf::Any& detail : rich.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::RetryInfo retry;
    if (detail.UnpackTo(&info)) {
      fault.domain = info.domain();
      fault.reason = info.reason();
      fault.details.insert(info.metadata().begin(), info.metadata().end());
    } else if (detail.UnpackTo(&retry)) {
      fault.retry = std::chrono::milliseconds(retry.retry_delay().seconds() * 1'000 +
                                              retry.retry_delay().nanos() / 1'000'000);
    }
  }
  return fault;
}

RawCall::RawCall(grpc::GenericStub& stub, const std::string& method,
                 std::chrono::milliseconds timeout) {
  context_.set_deadline(std::chrono::system_clock::now() + timeout);
  context_.set_wait_for_ready(false);
  stream_ = stub.PrepareCall(&context_, method, &queue_);
  stream_->StartCall(Begin(kStart));
}

RawCall::~RawCall() {
  context_.TryCancel();
  Must(kStart);
  if (!has_ended_ && !states_[kFinish].is_pending) stream_->Finish(&status_, Begin(kFinish));
  for (std::size_t i = 0; i < kOperations; ++i) Must(static_cast<Operation>(i));
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

void* RawCall::Begin(Operation operation) {
  states_[operation].is_pending = true;
  return &states_[operation];
}

bool RawCall::Wait(Operation operation, std::chrono::milliseconds at_most) {
  const auto deadline = std::chrono::system_clock::now() + at_most;
  while (states_[operation].is_pending) {
    void* tag = nullptr;
    bool ok = false;
    if (queue_.AsyncNext(&tag, &ok, deadline) != grpc::CompletionQueue::GOT_EVENT) return false;
    auto* state = static_cast<State*>(tag);
    state->is_pending = false;
    state->ok = ok;
    if (state == &states_[kRead]) has_frame_ = true;
  }
  return true;
}

bool RawCall::Must(Operation operation) {
  if (!Wait(operation, kPatience)) {
    ADD_FAILURE() << "operation " << operation << " of a call was not over in time";
    context_.TryCancel();
    if (!Wait(operation, kPatience)) return false;
  }
  return states_[operation].ok;
}

bool RawCall::WriteBuffer(const grpc::ByteBuffer& buffer) {
  Must(kStart);
  Must(kWrite);
  stream_->Write(buffer, Begin(kWrite));
  return Must(kWrite);
}

bool RawCall::Write(std::string_view bytes) {
  const grpc::Slice slice = SliceOf(bytes);
  return WriteBuffer(grpc::ByteBuffer(&slice, 1));
}

bool RawCall::Write(const google::protobuf::MessageLite& message) {
  return Write(std::string_view(message.SerializeAsString()));
}

bool RawCall::Write(const std::vector<std::string>& slices) {
  std::vector<grpc::Slice> parts;
  for (const std::string& slice : slices) parts.push_back(SliceOf(slice));
  return WriteBuffer(grpc::ByteBuffer(parts.data(), parts.size()));
}

void RawCall::StartWrite(std::string_view bytes) {
  Must(kStart);
  Must(kWrite);
  const grpc::Slice slice = SliceOf(bytes);
  stream_->Write(grpc::ByteBuffer(&slice, 1), Begin(kWrite));
}

bool RawCall::WaitWritten(std::chrono::milliseconds at_most) {
  return Wait(kWrite, at_most) && states_[kWrite].ok;
}

void RawCall::HalfClose() {
  Must(kStart);
  Must(kWrite);
  if (has_half_closed_) return;
  has_half_closed_ = true;
  stream_->WritesDone(Begin(kHalfClose));
}

bool RawCall::CanRead(std::chrono::milliseconds at_most) {
  Must(kStart);
  if (!has_frame_ && !states_[kRead].is_pending) stream_->Read(&frame_, Begin(kRead));
  return Wait(kRead, at_most);
}

std::optional<std::string> RawCall::Read() {
  if (!CanRead(kPatience)) {
    ADD_FAILURE() << "no frame and no end in time";
    context_.TryCancel();
    Must(kRead);
  }
  has_frame_ = false;
  if (!states_[kRead].ok) return std::nullopt;
  std::string bytes = BytesOf(frame_);
  frame_.Clear();
  return bytes;
}

grpc::Status RawCall::End() {
  if (has_ended_) return status_;
  while (Read().has_value()) {
  }
  stream_->Finish(&status_, Begin(kFinish));
  Must(kFinish);
  has_ended_ = true;
  return status_;
}

void RawCall::TellUnparsed(const std::string& type) {
  ADD_FAILURE() << "a frame is not a valid " << type;
}

namespace {

std::shared_ptr<grpc::Channel> Connect(const std::string& target) {
  grpc::ChannelArguments arguments;
  // A connection of its own, and no waiting after the daemon of another test went.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 20);
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

RawClient::RawClient(const std::string& target) : channel_(Connect(target)), stub_(channel_) {}

}  // namespace sluice::rpc
