// SPDX-License-Identifier: Apache-2.0
#include "rpc/rpc_server.h"

#include <grpc/support/time.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>
#include <sys/resource.h>

#include <algorithm>
#include <vector>

#include "base/listeners.h"
#include "base/log.h"
#include "rpc/acceptor.h"
#include "rpc/call.h"
#include "rpc/limits.h"
#include "rpc/method_names.h"
#include "rpc/own_peer.h"
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
  // Likewise.
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kTransportMetadataBytesMax);
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
  // gRPC unpacks a message before it looks at its size: a small one may become any size.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder.SetMaxReceiveMessageSize(kTransportFrameBytesMax);
  builder.SetMaxSendMessageSize(-1);
}

// As many connections as there are descriptors for, some of which are not theirs: the HTTP port's,
// queues, timers, the log.
ConnectionLimits BoundedBy(const RpcServerOptions& options) {
  constexpr rlim_t kOthersMax = 512;
  ConnectionLimits limits = options.connections;
  limits.calls_max = options.streams.streams_per_connection_max;
  rlimit descriptors{};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return limits;
  const rlim_t others = std::min(kOthersMax, descriptors.rlim_cur / 8);
  const rlim_t most = descriptors.rlim_cur - others;
  if (most >= limits.connections_max) return limits;
  Log(LogLevel::kWarning, "few_files",
      "the limit on open files is too low for so many connections: raise it (ulimit -n, "
      "LimitNOFILE), or lower --max-connections",
      {{"files_max", std::uint64_t{descriptors.rlim_cur}},
       {"connections_max", std::uint64_t{limits.connections_max}},
       {"connections_taken", std::uint64_t{most}}});
  limits.connections_max = static_cast<std::uint32_t>(most);
  return limits;
}

}  // namespace

struct RpcServer::Parts {
  Parts(RpcServerOptions given, broker::Broker& the_broker)
      : options(std::move(given)),
        broker(the_broker),
        streams(options.streams, &own_peer),
        connections(BoundedBy(options), broker.clock(), &own_peer),
        services{.broker = broker,
                 .streams = streams,
                 .connections = connections,
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
    calls = std::make_unique<CallStats>(MethodNames(methods), options.queues);
  }

  void DrainCalls(bool is_final) {
    for (const auto& worker : workers) {
      worker->PostTask([worker = worker.get(), is_final] {
        IntrusiveList<Call>& begun = worker->calls();
        for (Call* call = begun.front(); call != nullptr;) {
          Call* next = IntrusiveList<Call>::Next(*call);
          call->Drain(is_final);
          call = next;
        }
      });
    }
  }

  const RpcServerOptions options;
  broker::Broker& broker;
  OwnPeer own_peer;
  StreamTable streams;
  Connections connections;
  Health health;
  MethodTable methods;
  const Services services;
  std::unique_ptr<CallStats> calls;
  grpc::AsyncGenericService generic;
  std::vector<std::unique_ptr<Worker>> workers;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<Acceptor> acceptor;
  bool is_stopped = false;
};

RpcServer::RpcServer(RpcServerOptions options, broker::Broker& broker)
    : parts_(std::make_unique<Parts>(std::move(options), broker)) {}

RpcServer::~RpcServer() { Stop(std::chrono::milliseconds(0)); }

int RpcServer::port() const noexcept {
  return parts_->acceptor == nullptr ? 0 : parts_->acceptor->port();
}

const CallStats& RpcServer::call_stats() const noexcept { return *parts_->calls; }

std::uint32_t RpcServer::workers() const noexcept { return parts_->services.workers; }

Status RpcServer::Start() {
  Parts& p = *parts_;
  Result<Listeners> listeners = Listeners::Open(p.options.listen, p.options.keepalive_timeout);
  if (!listeners) return listeners.error();
  grpc::ServerBuilder builder;
  SetChannelArguments(p.options, builder);
  std::shared_ptr<grpc::experimental::ExternalConnectionAcceptor> transport =
      builder.experimental().AddExternalConnectionAcceptor(
          grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
          grpc::InsecureServerCredentials());
  builder.RegisterAsyncGenericService(&p.generic);
  for (std::uint32_t i = 0; i < p.services.workers; ++i) {
    p.workers.push_back(std::make_unique<Worker>(builder.AddCompletionQueue(), p.broker.clock(),
                                                 i == 0 ? &p.broker.timers() : nullptr,
                                                 p.calls->worker(i)));
  }
  p.server = builder.BuildAndStart();
  if (p.server == nullptr) {
    // The queues of a server that never was are shut down and drained as those of one that was.
    for (const auto& worker : p.workers) worker->Start();
    for (const auto& worker : p.workers) worker->Close();
    for (const auto& worker : p.workers) worker->Join();
    p.is_stopped = true;
    return Status(Code::kInternal, "CANNOT_SERVE", "gRPC cannot start a server");
  }
  p.broker.timers().SetWake([worker = p.workers.front().get()] { worker->Wake(); });
  for (const auto& worker : p.workers) {
    for (int i = 0; i < kRequestsPerQueue; ++i) {
      Call::Request(*worker, p.generic, p.methods, p.streams, p.connections);
    }
    worker->Start();
  }
  p.acceptor = std::make_unique<Acceptor>(
      std::move(*listeners), p.connections, [transport](int listener_fd, int fd) {
        grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
        connection.listener_fd = listener_fd;
        connection.fd = fd;
        transport->HandleNewConnection(&connection);
      });
  p.acceptor->Start();
  p.health.SetServing(true);
  return Status();
}

void RpcServer::AskWorkers(const std::function<void(std::uint32_t worker)>& answer) {
  for (std::uint32_t i = 0; i < parts_->workers.size(); ++i) {
    parts_->workers[i]->PostTask([answer, i] { answer(i); });
  }
}

void RpcServer::SetAlive(bool is_alive) { parts_->health.SetAlive(is_alive); }

OwnPeer& RpcServer::own_peer() noexcept { return parts_->own_peer; }

const StreamTable& RpcServer::streams() const noexcept { return parts_->streams; }

Connections& RpcServer::connections() noexcept { return parts_->connections; }

std::vector<Bound> RpcServer::bounds() const { return BoundsInForce(parts_->services); }

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
  p.acceptor->Stop();  // a connection given to a server that is shut down would never be closed
  // The workers go on polling meanwhile: without them nothing would ever complete.
  p.server->Shutdown(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                  gpr_time_from_millis(patience.count(), GPR_TIMESPAN)));
  for (const auto& worker : p.workers) worker->Close();
  for (const auto& worker : p.workers) worker->Join();
  p.broker.timers().SetWake(nullptr);  // only now: no worker uses it any more
}

}  // namespace sluice::rpc
