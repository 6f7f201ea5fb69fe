// SPDX-License-Identifier: Apache-2.0
#include "server.h"

#include <algorithm>
#include <string>
#include <utility>

#include "admin/admin_server.h"
#include "admin/pages.h"
#include "base/log.h"
#include "base/version.h"
#include "broker/broker.h"
#include "cores.h"
#include "memory_given.h"
#include "rpc/rpc_server.h"
#include "supervision.h"

namespace sluice {
namespace {

constexpr std::chrono::milliseconds kLook{5};
// After the grace: for the last frames to leave, and then for the transport. With the grace of 8 s
// that is less than the 10 s of docker stop, also when a client is frozen.
constexpr std::chrono::milliseconds kLastWords{500};
// For the last frames, of what is left of the grace: a thousand streams are not ended in a moment.
constexpr std::chrono::milliseconds kFarewell{2'000};
// For what is waited for without a time: threads that end, objects that go.
constexpr std::chrono::milliseconds kSlack{11'000};

broker::BrokerOptions WithMemory(const Options& options) {
  broker::BrokerOptions broker = options.broker;
  broker.limits.memory_bytes_max =
      options.memory_max != 0 ? options.memory_max : MemoryBudgetOf(MemoryGiven());
  return broker;
}

void TellMemory(std::uint64_t limit) {
  const std::uint64_t given = MemoryGiven();
  const bool is_too_much = given != 0 && limit > given;
  Log(is_too_much ? LogLevel::kWarning : LogLevel::kInfo, "memory",
      is_too_much ? "channels may retain more memory than is given"
                  : "channels may retain this much memory",
      {{"memory_bytes_max", limit}, {"memory_bytes_given", given}});
}

admin::SelfChecks ChecksOf(const Liveness& liveness) {
  const Liveness::Counts counts = liveness.counts();
  return {.answered = counts.rounds - counts.missed,
          .missed = counts.missed,
          .skipped = counts.void_rounds};
}

}  // namespace

// The HTTP port, and what its pages are made from.
struct Server::Http {
  explicit Http(Server& server)
      : sources{.clock = server.clock_,
                .broker = *server.broker_,
                .streams = server.rpc_->streams(),
                .connections = server.rpc_->connections(),
                .calls = server.rpc_->call_stats(),
                .http = counts,
                .metrics_channels = server.options_.metrics_channels,
                .started = server.clock_.Now(),
                .started_unix_us = server.clock_.UnixMicros(),
                .workers = server.rpc_->workers(),
                .bounds = server.rpc_->bounds(),
                .why_not_alive = [&server] { return server.liveness().why_not_alive(); },
                .why_not_ready = [&server] { return server.liveness().why_not_ready(); },
                .self_checks = [&server] { return ChecksOf(server.liveness()); }},
        port({.listen = server.options_.http, .limits = {}}, router, server.clock_, counts) {
    admin::AddPages(sources, port.limits(), router);
  }

  admin::HttpCounts counts;
  const admin::Sources sources;
  admin::Router router;
  admin::AdminServer port;
};

Server::Server(Options options, std::function<void(std::chrono::milliseconds)> drain_requested)
    : options_(std::move(options)),
      broker_(std::make_unique<broker::Broker>(WithMemory(options_), clock_)) {
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
  rpc.connections = options_.connections;
  rpc.drain_requested = std::move(drain_requested);
  rpc_ = std::make_unique<rpc::RpcServer>(std::move(rpc), *broker_);
  supervision_ = std::make_unique<Supervision>(*rpc_, clock_);
  if (!options_.http.empty()) http_ = std::make_unique<Http>(*this);
}

Server::~Server() = default;

Status Server::Start() {
  // First: whoever asks while the rest starts is told that it is not ready.
  if (http_ != nullptr) {
    if (Status status = http_->port.Start(); !status.ok()) return status;
  }
  Status started = rpc_->Start();
  if (!started.ok()) return started;
  Log(LogLevel::kInfo, "serving", "sluiced is serving",
      {{"version", std::string_view(kVersion)},
       {"listen", std::string_view(options_.listen)},
       {"port", static_cast<std::int64_t>(rpc_->port())},
       {"http_port", static_cast<std::int64_t>(http_port())}});
  TellMemory(broker_->memory().limit());
  if (options_.insecure_bind) {
    Log(LogLevel::kWarning, "insecure_bind", "plaintext is allowed beyond loopback");
  }
  supervision_->Start(options_.listen, options_.probe_interval);
  return started;
}

int Server::port() const { return rpc_->port(); }

int Server::http_port() const { return http_ == nullptr ? 0 : http_->port.port(); }

const Liveness& Server::liveness() const { return supervision_->liveness(); }

std::chrono::milliseconds Server::DrainBound(std::chrono::milliseconds grace) const {
  return options_.drain_delay + (grace.count() < 0 ? options_.drain_grace : grace) +
         2 * kLastWords + kSlack;
}

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
  supervision_->Draining(DrainBound(grace));
  rpc_->StopReadiness();
  wait(options_.drain_delay, [] { return false; });
  broker_->StartDrain();
  rpc_->StartDrain();
  const TimePoint grace_end = Later(clock_.Now(), grace);
  wait(grace, [this] { return broker_->is_drained(); });
  for (const broker::Broker::Lost& lost : broker_->FinishDrain()) {
    Log(LogLevel::kWarning, "messages_lost", "a queue in memory went down with messages in it",
        {{"queue", std::string_view(lost.queue)}, {"messages", lost.messages}});
  }
  supervision_->Stop();  // its own calls must not be waited for
  rpc_->EndStreams();
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(grace_end - clock_.Now());
  wait(std::max(kLastWords, std::min(left, kFarewell)), [this] { return rpc_->open_calls() == 0; });
  rpc_->Stop(kLastWords);
  if (http_ != nullptr) http_->port.Stop();
  Log(LogLevel::kInfo, "stopped", "sluiced has stopped");
}

}  // namespace sluice
