// SPDX-License-Identifier: Apache-2.0
#include "transport.h"

#include <absl/synchronization/mutex.h>
#include <grpc/support/log.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <cstdlib>
#include <mutex>
#include <string>

#include "grpc_time.h"
#include "unary.h"

namespace sluice {
inline namespace abi1 {
namespace {

constexpr int kReceiveBytesMax = 16 << 20;
constexpr int kHttp2FrameBytes = 1 << 20;
// How much a peer may send before this end has looked at it. Fixed, so that memory has a bound.
constexpr int kLookaheadBytes = 4 << 20;

grpc::ChannelArguments Arguments(const ClientOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kReceiveBytesMax);
  arguments.SetMaxSendMessageSize(
      -1);  // The daemon's refusal names the limit; the library's would not.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS,
                   static_cast<int>(options.keepalive_interval.count()));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                   static_cast<int>(options.keepalive_timeout.count()));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, kHttp2FrameBytes);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kLookaheadBytes);
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_CHANNELZ, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES,
                   0);  // It buffers; whether to repeat is the caller's to know.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5000);
  // One connection a Client, whatever other clients this process has.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return arguments;
}

// What is the whole process's, not one client's.
void PrepareProcess(const ClientOptions& options) {
  // Distributions build Abseil with a lock-order check that serialises all locks and can abort.
  if (options.disable_absl_deadlock_checks) {
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  }
  static std::once_flag once;
  if (options.silence_grpc_log && std::getenv("GRPC_VERBOSITY") == nullptr) {
    std::call_once(once, [] { gpr_set_log_function([](gpr_log_func_args*) {}); });
  }
}

Status CannotConnect(const ClientOptions& options, const std::string& why) {
  return Status(Code::kUnavailable, "CANNOT_CONNECT",
                "cannot connect to " + options.address + ": " + why,
                {{"address", options.address}});
}

Status WaitForConnection(grpc::Channel& channel, grpc::GenericStub& stub,
                         const ClientOptions& options) {
  const Deadline deadline(options.connect_timeout);
  for (;;) {
    const grpc_connectivity_state state = channel.GetState(/*try_to_connect=*/true);
    if (state == GRPC_CHANNEL_READY) return Status();
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE && !options.wait_for_server) {
      // The channel does not say why; a call on it does, without going anywhere.
      const auto answer = UnaryCall(stub, "/grpc.health.v1.Health/Check", {}, deadline);
      return CannotConnect(options, answer.ok() ? "not ready" : answer.status().message());
    }
    if (!channel.WaitForStateChange(state, ToGrpc(deadline))) {
      return CannotConnect(
          options, "no answer within " + std::to_string(options.connect_timeout.count()) + " ms");
    }
  }
}

Status CheckOptions(const ClientOptions& options) {
  const auto refuse = [](const char* field, const std::string& value) {
    return Status(Code::kInvalidArgument, "BAD_OPTION",
                  "the address, and every time, must not be empty",
                  {{"field", field}, {"value", value}});
  };
  if (options.address.empty()) return refuse("address", "");
  if (options.connect_timeout.count() <= 0) {
    return refuse("connect_timeout", std::to_string(options.connect_timeout.count()));
  }
  if (options.keepalive_interval.count() <= 0) {
    return refuse("keepalive_interval", std::to_string(options.keepalive_interval.count()));
  }
  if (options.keepalive_timeout.count() <= 0) {
    return refuse("keepalive_timeout", std::to_string(options.keepalive_timeout.count()));
  }
  return Status();
}

}  // namespace

Result<std::shared_ptr<Transport>> Transport::Connect(const ClientOptions& options) {
  if (Status status = CheckOptions(options); !status.ok()) return status;
  PrepareProcess(options);
  const std::shared_ptr<grpc::Channel> channel = grpc::CreateCustomChannel(
      options.address, grpc::InsecureChannelCredentials(), Arguments(options));
  grpc::GenericStub stub(channel);
  if (Status status = WaitForConnection(*channel, stub, options); !status.ok()) return status;
  return std::shared_ptr<Transport>(new Transport(channel));
}

Transport::Transport(const std::shared_ptr<grpc::Channel>& channel)
    : polled_(std::make_shared<Polled>(channel)), thread_([polled = polled_] { Poll(polled); }) {}

Transport::~Transport() {
  // Every stream that has an operation under way holds the transport, so the queue is empty.
  polled_->queue.Shutdown();
  if (IsOwnThread()) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

void Transport::Poll(const std::shared_ptr<Polled>& polled) {
  void* tag = nullptr;
  bool ok = false;
  while (polled->queue.Next(&tag, &ok)) static_cast<Completion*>(tag)->Complete(ok);
}

}  // namespace abi1
}  // namespace sluice
