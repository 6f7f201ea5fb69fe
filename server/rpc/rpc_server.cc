// SPDX-License-Identifier: Apache-2.0
#include "rpc/rpc_server.h"

#include <grpc/support/time.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <vector>

#include "rpc/call.h"
#include "rpc/limits.h"
#include "rpc/services.h"
#include "rpc/worker.h"

namespace sluice::rpc {
namespace {

// Calls asked for in advance, per queue: as many may begin in one burst without a hand-over to
// another queue. More would lengthen every search of the outstanding tags.
constexpr int kRequestsPerQueue = 32;
constexpr std::chrono::milliseconds kPingIntervalMin{5'000};
constexpr int kStreamsRefusedAtOnce = 100;
constexpr int kLookaheadBytes = 1 << 20;

// What a client may ping at: not less often than we would.
std::chrono::milliseconds PingIntervalMin(const RpcServerOptions& options) {
  return std::min(kPingIntervalMin, options.keepalive_time);
}

void SetChannelArguments(const RpcServerOptions& options, grpc::ServerBuilder& builder) {
  // A second daemon on the same port must fail instead of sharing the connections.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
  // A fixed window bounds what one unread stream may push into our memory.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kLookaheadBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, 1 << 20);
  // Above our own bound: within it a stock client would silently wait where we can refuse with a
  // reason.
  builder.AddChannelArgument(
      GRPC_ARG_MAX_CONCURRENT_STREAMS,
      static_cast<int>(options.streams.streams_per_connection_max) + kStreamsRefusedAtOnce);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 16 << 10);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS,
                             static_cast<int>(options.keepalive_time.count()));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                             static_cast<int>(options.keepalive_timeout.count()));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             static_cast<int>(PingIntervalMin(options).count()));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 3);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10'000);
  builder.SetMaxReceiveMessageSize(kTransportFrameBytesMax);
  builder.SetMaxSendMessageSize(-1);
}

}  // namespace

struct RpcServer::Parts {
  Parts(RpcServerOptions given, broker::Broker& the_broker)
      : options(std::move(given)),
        broker(the_broker),
        streams(options.streams),
        services{.broker = broker,
                 .streams = streams,
                 .health = health,
                 .started = broker.clock().Now(),
                 .started_unix_us = broker.clock().UnixMicros(),
                 .remote_admin = options.remote_admin,
                 .keepalive_time = options.keepalive_time,
                 .keepalive_timeout = options.keepalive_timeout,
                 .ping_interval_min = PingIntervalMin(options),
                 .drain_delay = options.drain_delay,
                 .drain_grace = options.drain_grace,
                 .workers = options.queues,
                 .drain_requested = options.drain_requested} {
    AddQueueService(services, methods);
    AddTopicService(services, methods);
    AddRequestService(services, methods);
    AddConfigService(services, methods);
    AddSessionService(services, methods);
    AddAdminService(services, methods);
    AddHealthService(services, methods);
    if (options.reflection) AddReflectionService(methods);
  }

  void DrainCalls(bool is_final) {
    for (const auto& worker : workers) {
      worker->PostTask([worker = worker.get(), is_final] {
        IntrusiveList<Call>& calls = worker->calls();
        for (Call* call = calls.front(); call != nullptr;) {
          Call* next = IntrusiveList<Call>::Next(*call);
          call->Drain(is_final);
          call = next;
        }
      });
    }
  }

  const RpcServerOptions options;
  broker::Broker& broker;
  StreamTable streams;
  Health health;
  MethodTable methods;
  const Services services;
  grpc::AsyncGenericService generic;
  std::vector<std::unique_ptr<Worker>> workers;
  std::unique_ptr<grpc::Server> server;
  int port = 0;
  bool is_stopped = false;
};

RpcServer::RpcServer(RpcServerOptions options, broker::Broker& broker)
    : parts_(std::make_unique<Parts>(std::move(options), broker)) {}

RpcServer::~RpcServer() { Stop(std::chrono::milliseconds(0)); }

int RpcServer::port() const noexcept { return parts_->port; }

Status RpcServer::Start() {
  Parts& p = *parts_;
  grpc::ServerBuilder builder;
  SetChannelArguments(p.options, builder);
  builder.AddListeningPort(p.options.listen, grpc::InsecureServerCredentials(), &p.port);
  builder.RegisterAsyncGenericService(&p.generic);
  for (std::uint32_t i = 0; i < p.services.workers; ++i) {
    p.workers.push_back(std::make_unique<Worker>(builder.AddCompletionQueue(), p.broker.clock(),
                                                 i == 0 ? &p.broker.timers() : nullptr));
  }
  p.server = builder.BuildAndStart();
  if (p.server == nullptr || p.port == 0) {
    // The queues of a server that never was are shut down and drained as those of one that was.
    if (p.server != nullptr) p.server->Shutdown();
    for (const auto& worker : p.workers) worker->Start();
    for (const auto& worker : p.workers) worker->Close();
    for (const auto& worker : p.workers) worker->Join();
    p.is_stopped = true;
    return Status(Code::kUnavailable, "CANNOT_LISTEN",
                  "cannot listen on " + p.options.listen +
                      ": the address is in use or not one of this machine");
  }
  p.broker.timers().SetWake([worker = p.workers.front().get()] { worker->Wake(); });
  for (const auto& worker : p.workers) {
    for (int i = 0; i < kRequestsPerQueue; ++i) {
      Call::Request(*worker, p.generic, p.methods, p.streams);
    }
    worker->Start();
  }
  p.health.SetServing(true);
  return Status();
}

void RpcServer::StopReadiness() { parts_->health.SetServing(false); }

void RpcServer::StartDrain() {
  parts_->methods.StartDrain();
  parts_->DrainCalls(/*is_final=*/false);
}

void RpcServer::EndStreams() { parts_->DrainCalls(/*is_final=*/true); }

std::size_t RpcServer::open_calls() const { return parts_->streams.size(); }

void RpcServer::Stop(std::chrono::milliseconds patience) {
  Parts& p = *parts_;
  if (p.is_stopped || p.server == nullptr) return;
  p.is_stopped = true;
  // The workers go on polling meanwhile: without them nothing would ever complete.
  p.server->Shutdown(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                  gpr_time_from_millis(patience.count(), GPR_TIMESPAN)));
  for (const auto& worker : p.workers) worker->Close();
  for (const auto& worker : p.workers) worker->Join();
  p.broker.timers().SetWake(nullptr);  // only now: no worker uses it any more
}

}  // namespace sluice::rpc
