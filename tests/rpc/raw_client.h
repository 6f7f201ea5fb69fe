// SPDX-License-Identifier: Apache-2.0
// A client whose frames can be any bytes: what no generated stub would send, too. Each call has a
// completion queue of its own and is driven by the thread that asks.
#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::rpc {

// Whatever is waited for comes much sooner, or the test fails.
inline constexpr std::chrono::seconds kPatience{60};

// What a status carries in google.rpc.Status.
struct Fault {
  grpc::StatusCode code = grpc::StatusCode::OK;
  std::string message;
  std::string domain;
  std::string reason;  // empty: there is no ErrorInfo
  std::map<std::string, std::string> details;
  std::optional<std::chrono::milliseconds> retry;
};
// A rich status that does not parse is reported as a failure of the test.
Fault FaultOf(const grpc::Status& status);

// Not thread-safe.
class RawCall {
 public:
  // `timeout` is the call's gRPC deadline.
  RawCall(grpc::GenericStub& stub, const std::string& method, std::chrono::milliseconds timeout);
  // Cancels, unless the call has ended.
  ~RawCall();
  RawCall(const RawCall&) = delete;
  RawCall& operator=(const RawCall&) = delete;

  // False: the call has ended.
  bool Write(std::string_view bytes);
  bool Write(const google::protobuf::MessageLite& message);
  bool Write(const std::vector<std::string>& slices);
  // The halves of Write. WaitWritten: false while the transport does not take it.
  void StartWrite(std::string_view bytes);
  bool WaitWritten(std::chrono::milliseconds at_most);
  void HalfClose();

  // The next frame; nothing: there are no more.
  std::optional<std::string> Read();
  template <class Message>
  std::optional<Message> Read() {
    std::optional<Message> message;
    if (const std::optional<std::string> frame = Read()) {
      if (message.emplace(); !message->ParseFromString(*frame))
        TellUnparsed(message->GetTypeName());
    }
    return message;
  }
  // Whether Read would return at once, within `at_most`.
  bool CanRead(std::chrono::milliseconds at_most);

  // Reads what is left, then the status.
  grpc::Status End();
  Fault EndFault() { return FaultOf(End()); }
  void Cancel() { context_.TryCancel(); }

 private:
  enum Operation : std::size_t { kStart, kRead, kWrite, kHalfClose, kFinish, kOperations };
  struct State {
    bool is_pending = false;
    bool ok = false;
  };

  void* Begin(Operation operation);
  // Until the operation is over: false when it is not within `at_most`.
  bool Wait(Operation operation, std::chrono::milliseconds at_most);
  // The same within kPatience, or the test fails and the call is cancelled. Returns its `ok`.
  bool Must(Operation operation);
  bool WriteBuffer(const grpc::ByteBuffer& buffer);
  static void TellUnparsed(const std::string& type);

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  std::array<State, kOperations> states_;
  grpc::ByteBuffer frame_;
  bool has_frame_ = false;  // a read is over and has not been asked for
  bool has_half_closed_ = false;
  grpc::Status status_;
  bool has_ended_ = false;
};

// One connection. Thread-safe, but for its calls.
class RawClient {
 public:
  explicit RawClient(const std::string& target);

  template <class Call = RawCall>
  std::unique_ptr<Call> Start(const std::string& method,
                              std::chrono::milliseconds timeout = kPatience) {
    return std::make_unique<Call>(stub_, method, timeout);
  }

  template <class Response>
  struct Answer {
    grpc::Status status;
    Response response;
    bool ok() const { return status.ok(); }
    Fault fault() const { return FaultOf(status); }
    const Response* operator->() const { return &response; }
  };
  // A whole unary call.
  template <class Response, class Request>
  Answer<Response> Ask(const std::string& method, const Request& request,
                       std::chrono::milliseconds timeout = kPatience) {
    const auto call = Start(method, timeout);
    call->Write(request);
    call->HalfClose();
    Answer<Response> answer;
    if (auto response = call->Read<Response>()) answer.response = std::move(*response);
    answer.status = call->End();
    return answer;
  }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_;
};

}  // namespace sluice::rpc
