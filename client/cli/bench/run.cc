// SPDX-License-Identifier: Apache-2.0
#include "run.h"

#include <sys/prctl.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <future>
#include <random>

#include "signals.h"

namespace sluice::bench {
namespace {

constexpr unsigned long kTimerSlackNs = 1000;  // Linux's own is 50 us, which a rate would show.

std::uint64_t DrawId() {
  std::random_device random;
  return (std::uint64_t{random()} << 32) | random();
}

std::string NameOf(const std::string& bench, std::uint64_t id) {
  char text[32];
  std::snprintf(text, sizeof text, "%016" PRIx64, id);
  return "bench." + bench + "." + text;
}

// Somebody ends it, and everybody has something to send.
BenchOptions Complete(BenchOptions options, const BenchWords& words) {
  if (options.messages == 0 && options.duration_s <= 0) options.messages = words.messages;
  if (options.messages > 0) options.producers = std::min(options.producers, options.messages);
  return options;
}

}  // namespace

Run::Run(const std::string& bench, const BenchOptions& options, const BenchWords& words,
         const cli::Invocation& invocation)
    : options_(Complete(options, words)), id_(DrawId()) {
  report_.bench = bench;
  report_.channel = NameOf(bench, id_);
  report_.settings = {{"address", invocation.address}};
  report_.settings.update(ToJson(options_, words));
  report_.size = options_.size;
}

Status Run::Begin(const cli::Invocation& invocation) {
  cli::CatchSignals();
  auto client = invocation.Connect();
  if (!client.ok()) return client.status();
  admin_.emplace(*std::move(client));
  const auto info = admin_->GetServerInfo(invocation.CallDeadline());
  if (!info.ok()) return info.status();
  report_.daemon_version = info->version;
  return Status();
}

void Run::Send(const Produce& produce) {
  begin_ns_ = NowNs();
  std::vector<std::future<Status>> producers;
  for (std::size_t i = 0; i < options_.producers; ++i) {
    producers.push_back(std::async(std::launch::async, [this, &produce, i] {
      prctl(PR_SET_TIMERSLACK, kTimerSlackNs);
      Pace pace(PlanOf(options_, i, begin_ns_), halt_);
      return produce(i, pace);
    }));
  }
  for (std::future<Status>& producer : producers) {
    while (producer.wait_for(cli::kSignalPoll) == std::future_status::timeout) {
      if (cli::SignalsCaught() > 0) halt_.Raise();
    }
    AddFault(producer.get());
  }
}

void Run::AwaitReceipt(const std::function<bool()>& is_complete) {
  const int signals = cli::SignalsCaught();
  std::uint64_t moved = moved_;
  std::uint64_t moved_at = NowNs();
  const auto bound = static_cast<std::uint64_t>(std::chrono::nanoseconds(kStallBound).count());
  while (!is_complete() && NowNs() - moved_at < bound) {
    if (cli::WaitForSignal(signals) > signals) return;
    if (const std::uint64_t now = moved_; now != moved) {
      moved = now;
      moved_at = NowNs();
    }
  }
}

void Run::Moved(std::uint64_t count, std::uint64_t now_ns) {
  moved_ += count;
  std::uint64_t last = last_ns_;
  while (last < now_ns && !last_ns_.compare_exchange_weak(last, now_ns)) {
  }
}

void Run::AddFault(const Status& status) {
  if (!status.ok()) report_.faults.push_back(status.ToString());
}

const Report& Run::Finish() {
  if (last_ns_ > begin_ns_) report_.elapsed_s = static_cast<double>(last_ns_ - begin_ns_) * 1e-9;
  return report_;
}

}  // namespace sluice::bench
