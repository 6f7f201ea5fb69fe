// SPDX-License-Identifier: Apache-2.0
#include "supervision.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "rpc/rpc_server.h"
#include "rpc/self_probe.h"

namespace sluice {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// Zero: there is nothing to do in rounds.
microseconds PeriodOf(microseconds interval, microseconds watchdog) {
  if (watchdog.count() == 0) return interval;
  return interval.count() == 0 ? watchdog / 2 : std::min(interval, watchdog / 2);
}

}  // namespace

Supervision::Supervision(rpc::RpcServer& rpc, const Clock& clock)
    : rpc_(rpc), clock_(clock), supervisor_(NotifySocket::OfEnvironment()) {
  liveness_.OnChange([this](bool is_alive) { Changed(is_alive); });
}

Supervision::~Supervision() { Stop(); }

void Supervision::Start(const std::string& listen, milliseconds probe_interval) {
  liveness_.SetStage(Liveness::Stage::kServing);
  supervisor_.Tell("READY=1\nSTATUS=serving on " + listen);
  const microseconds watchdog = NotifySocket::WatchdogOfEnvironment();
  PulseParts parts;
  parts.period = PeriodOf(probe_interval, watchdog);
  if (parts.period == Duration::zero()) return;
  parts.workers = rpc_.workers();
  parts.ask_workers = [this](auto answer) { rpc_.AskWorkers(std::move(answer)); };
  if (probe_interval.count() != 0) {
    probe_ = std::make_unique<rpc::SelfProbe>(listen, rpc_.port(), clock_, rpc_.own_peer());
    parts.check = [probe = probe_.get()](TimePoint deadline) { return probe->Check(deadline); };
    parts.cancel_check = [probe = probe_.get()] { probe->Cancel(); };
  }
  if (watchdog.count() != 0) parts.feed = [this] { supervisor_.Tell("WATCHDOG=1"); };
  pulse_ = std::make_unique<Pulse>(std::move(parts), clock_, liveness_);
  pulse_->Start();
}

void Supervision::Draining(milliseconds at_most) {
  liveness_.SetStage(Liveness::Stage::kDraining);
  supervisor_.Tell("STOPPING=1\nSTATUS=going down");
  // Whoever asked for a long grace is not to be ended by the supervisor's own bound.
  supervisor_.Tell("EXTEND_TIMEOUT_USEC=" + std::to_string(microseconds(at_most).count()));
}

void Supervision::Stop() {
  if (pulse_ != nullptr) pulse_->Stop();
}

void Supervision::Changed(bool is_alive) {
  rpc_.SetAlive(is_alive);
  if (is_alive) {
    Log(LogLevel::kWarning, "alive_again", "the daemon answers itself again");
    supervisor_.Tell("STATUS=serving");
  } else {
    const std::string why = liveness_.why_not_alive();
    Log(LogLevel::kError, "not_alive", "the daemon does not answer itself",
        {{"why", std::string_view(why)}});
    supervisor_.Tell("STATUS=not alive: " + why);
  }
}

}  // namespace sluice
