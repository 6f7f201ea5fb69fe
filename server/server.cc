// SPDX-License-Identifier: Apache-2.0
#include "server.h"

#include <string>
#include <utility>

#include "base/log.h"
#include "base/version.h"
#include "broker/broker.h"
#include "cores.h"
#include "rpc/rpc_server.h"

namespace sluice {
namespace {

constexpr std::chrono::milliseconds kLook{5};
// After the grace: for the last frames to leave.
constexpr std::chrono::milliseconds kLastWords{1'000};

}  // namespace

Server::Server(Options options, std::function<void(std::chrono::milliseconds)> drain_requested)
    : options_(std::move(options)),
      broker_(std::make_unique<broker::Broker>(options_.broker, clock_)) {
  rpc::RpcServerOptions rpc;
  rpc.listen = options_.listen;
  rpc.queues = options_.grpc_queues != 0 ? options_.grpc_queues : CoresGiven();
  rpc.reflection = options_.reflection;
  rpc.remote_admin = options_.remote_admin;
  rpc.keepalive_time = options_.keepalive_time;
  rpc.keepalive_timeout = options_.keepalive_timeout;
  rpc.drain_delay = options_.drain_delay;
  rpc.drain_grace = options_.drain_grace;
  rpc.streams = options_.streams;
  rpc.drain_requested = std::move(drain_requested);
  rpc_ = std::make_unique<rpc::RpcServer>(std::move(rpc), *broker_);
}

Server::~Server() = default;

Status Server::Start() {
  Status started = rpc_->Start();
  if (!started.ok()) return started;
  Log(LogLevel::kInfo, "serving", "sluiced is serving",
      {{"version", std::string_view(kVersion)},
       {"listen", std::string_view(options_.listen)},
       {"port", static_cast<std::int64_t>(rpc_->port())}});
  if (options_.insecure_bind) {
    Log(LogLevel::kWarning, "insecure_bind", "plaintext is allowed beyond loopback");
  }
  return started;
}

int Server::port() const { return rpc_->port(); }

void Server::Drain(std::chrono::milliseconds grace,
                   const std::function<bool(std::chrono::milliseconds)>& pause) {
  if (grace.count() < 0) grace = options_.drain_grace;
  Log(LogLevel::kInfo, "draining", "going down",
      {{"grace_ms", static_cast<std::int64_t>(grace.count())}});
  bool is_impatient = false;
  const auto wait = [&](std::chrono::milliseconds at_most, const auto& is_done) {
    const TimePoint deadline = Later(clock_.Now(), at_most);
    while (!is_done() && clock_.Now() < deadline && !is_impatient) is_impatient = pause(kLook);
  };
  rpc_->StopReadiness();
  wait(options_.drain_delay, [] { return false; });
  broker_->StartDrain();
  rpc_->StartDrain();
  wait(grace, [this] { return broker_->is_drained(); });
  for (const broker::Broker::Lost& lost : broker_->FinishDrain()) {
    Log(LogLevel::kWarning, "messages_lost", "a queue in memory went down with messages in it",
        {{"queue", std::string_view(lost.queue)}, {"messages", lost.messages}});
  }
  rpc_->EndStreams();
  wait(kLastWords, [this] { return rpc_->open_calls() == 0; });
  rpc_->Stop(kLastWords);
  Log(LogLevel::kInfo, "stopped", "sluiced has stopped");
}

}  // namespace sluice
