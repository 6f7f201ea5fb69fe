// SPDX-License-Identifier: Apache-2.0
#include "transport.h"

#include <absl/synchronization/mutex.h>
#include <grpc/support/log.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "grpc_time.h"
#include "unary.h"

namespace sluice {
inline namespace abi1 {
namespace {

constexpr int kReceiveBytesMax = 16 << 20;
constexpr int kHttp2FrameBytes = 1 << 20;
// How much a peer may send before this end has looked at it. Fixed, so that memory has a bound.
constexpr int kLookaheadBytes = 4 << 20;
constexpr int kNarrowBytes = 64 << 10;
constexpr std::chrono::hours kTimeMax{24};
constexpr unsigned kPortMax = 65535;

grpc::ChannelArguments Arguments(const ClientOptions& options, int lookahead_bytes) {
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
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, lookahead_bytes);
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

std::shared_ptr<grpc::Channel> MakeChannel(const ClientOptions& options, int lookahead_bytes) {
  return grpc::CreateCustomChannel(options.address, grpc::InsecureChannelCredentials(),
                                   Arguments(options, lookahead_bytes));
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

Status Refuse(const char* field, std::chrono::milliseconds value, const char* why) {
  return Status(Code::kInvalidArgument, "BAD_OPTION", std::string(field) + " " + why,
                {{"field", field}, {"value", std::to_string(value.count())}});
}

// gRPC takes the lower 16 bits of a port, and 443 where there is none: another daemon's, perhaps.
// What names a scheme of gRPC is left to it.
Status CheckAddress(const std::string& address) {
  const std::string_view whole = address;
  for (const std::string_view scheme :
       {"unix:", "unix-abstract:", "dns:", "ipv4:", "ipv6:", "xds:"}) {
    if (whole.starts_with(scheme)) return Status();
  }
  const std::size_t colon = whole.rfind(':');
  const std::string_view host = whole.substr(0, colon);
  // Colons within a host stand in brackets: else the last one is none before a port.
  const bool is_split = colon != std::string_view::npos && !host.empty() &&
                        (host.find(':') == std::string_view::npos || host.ends_with(']'));
  const std::string_view digits = is_split ? whole.substr(colon + 1) : std::string_view();
  unsigned port = 0;
  const char* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, port);
  const bool is_number = read.ec == std::errc() && read.ptr == end;
  if (is_number && port > 0 && port <= kPortMax) return Status();
  return Status(Code::kInvalidArgument, "BAD_OPTION",
                "address must be host:port, with a port from 1 to " + std::to_string(kPortMax),
                {{"field", "address"}, {"limit", std::to_string(kPortMax)}, {"value", address}});
}

Status CheckOptions(const ClientOptions& options) {
  if (options.address.empty()) {
    return Status(Code::kInvalidArgument, "BAD_OPTION", "address must not be empty",
                  {{"field", "address"}, {"value", ""}});
  }
  if (Status status = CheckAddress(options.address); !status.ok()) return status;
  const std::pair<const char*, std::chrono::milliseconds> times[] = {
      {"connect_timeout", options.connect_timeout},
      {"keepalive_interval", options.keepalive_interval},
      {"keepalive_timeout", options.keepalive_timeout}};
  for (const auto& [field, value] : times) {
    if (value.count() <= 0) return Refuse(field, value, "must be above 0");
    if (value > kTimeMax) return Refuse(field, value, "must be at most a day");
  }
  if (options.heartbeat_interval.count() < 0 || options.heartbeat_interval > kTimeMax) {
    return Refuse("heartbeat_interval", options.heartbeat_interval,
                  "must be 0 (off), or at most a day");
  }
  return Status();
}

}  // namespace

Result<std::shared_ptr<Transport>> Transport::Connect(const ClientOptions& options) {
  if (Status status = CheckOptions(options); !status.ok()) return status;
  PrepareProcess(options);
  const auto channel = MakeChannel(options, kLookaheadBytes);
  grpc::GenericStub stub(channel);
  if (Status status = WaitForConnection(*channel, stub, options); !status.ok()) return status;
  return std::shared_ptr<Transport>(new Transport(channel, options));
}

Transport::Transport(const std::shared_ptr<grpc::Channel>& channel, const ClientOptions& options)
    : options_(options),
      polled_(std::make_shared<Polled>(channel, options.heartbeat_interval)),
      thread_([polled = polled_] { Poll(polled); }) {}

Transport::~Transport() {
  // Every stream that has an operation under way holds the transport, so the queue is empty, but
  // for timers that were cancelled.
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

std::shared_ptr<Transport> Transport::Narrow() {
  std::lock_guard lock(mutex_);
  std::shared_ptr<Transport> narrow = narrow_.lock();
  if (narrow == nullptr) {
    narrow.reset(new Transport(MakeChannel(options_, kNarrowBytes), options_));
    narrow_ = narrow;
  }
  return narrow;
}

ConnectionState Transport::state() const {
  switch (polled_->channel->GetState(/*try_to_connect=*/false)) {
    case GRPC_CHANNEL_READY:
      return ConnectionState::kReady;
    case GRPC_CHANNEL_CONNECTING:
      return ConnectionState::kConnecting;
    case GRPC_CHANNEL_IDLE:
      return ConnectionState::kIdle;
    default:
      return ConnectionState::kUnreachable;
  }
}

Status Transport::WaitForReady(Deadline deadline) {
  grpc::Channel& channel = *polled_->channel;
  for (;;) {
    const grpc_connectivity_state state = channel.GetState(/*try_to_connect=*/true);
    if (state == GRPC_CHANNEL_READY) return Status();
    if (!channel.WaitForStateChange(state, ToGrpc(deadline))) {
      return Status(Code::kDeadlineExceeded, "DEADLINE",
                    "the deadline passed: there is no connection to " + address(),
                    {{"address", address()}});
    }
  }
}

void Transport::HurryConnecting() {
  constexpr std::chrono::milliseconds kSpacingMax{1000};
  const bool is_ready = polled_->channel->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_READY;
  {
    const auto now = std::chrono::steady_clock::now();
    std::lock_guard lock(mutex_);
    const bool is_long_ago = now > next_hurry_ + kSpacingMax;
    if (is_ready || is_long_ago) hurry_spacing_ = kHurrySpacingMin;
    if (is_ready || now < next_hurry_) return;
    next_hurry_ = now + hurry_spacing_;
    hurry_spacing_ = std::min(2 * hurry_spacing_, kSpacingMax);
  }
  grpc::experimental::ChannelResetConnectionBackoff(polled_->channel.get());
}

ClientStats Transport::stats() const {
  ClientStats stats = own_stats();
  std::shared_ptr<Transport> narrow;
  {
    std::lock_guard lock(mutex_);
    narrow = narrow_.lock();
  }
  if (narrow == nullptr) return stats;
  const ClientStats more = narrow->own_stats();
  stats.streams += more.streams;
  stats.reconnects += more.reconnects;
  stats.frames_sent += more.frames_sent;
  stats.bytes_sent += more.bytes_sent;
  stats.frames_received += more.frames_received;
  stats.bytes_received += more.bytes_received;
  stats.heartbeats_lost += more.heartbeats_lost;
  return stats;
}

ClientStats Transport::own_stats() const {
  return {counters_.streams,          counters_.reconnects,      counters_.frames_sent,
          counters_.bytes_sent,       counters_.frames_received, counters_.bytes_received,
          polled_->heartbeat.losses()};
}

}  // namespace abi1
}  // namespace sluice
