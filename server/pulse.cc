// SPDX-License-Identifier: Apache-2.0
#include "pulse.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

namespace sluice {

// Who has answered in one round. Outlives it: an answer may come late.
class Pulse::Answers {
 public:
  explicit Answers(std::uint32_t workers) : has_answered_(workers) {}
  void Take(std::uint32_t worker) { has_answered_[worker].store(true, std::memory_order_relaxed); }
  std::string FirstMissing() const {
    for (std::size_t i = 0; i < has_answered_.size(); ++i) {
      if (!has_answered_[i].load(std::memory_order_relaxed)) return std::to_string(i);
    }
    return "";
  }

 private:
  std::vector<std::atomic<bool>> has_answered_;
};

Pulse::Pulse(PulseParts parts, const Clock& clock, Liveness& liveness)
    : parts_(std::move(parts)), clock_(clock), liveness_(liveness) {}

Pulse::~Pulse() { Stop(); }

void Pulse::Start() {
  thread_ = std::thread([this] {
    for (;;) {
      Round();
      MutexLock lock(mutex_);
      if (is_stopped_) return;
    }
  });
}

void Pulse::Stop() {
  {
    MutexLock lock(mutex_);
    is_stopped_ = true;
  }
  stopped_.NotifyAll();
  if (parts_.cancel_check) parts_.cancel_check();
  if (thread_.joinable()) thread_.join();
}

void Pulse::Round() {
  const TimePoint began = clock_.Now();
  if (parts_.feed && liveness_.is_alive()) parts_.feed();
  const auto answers = std::make_shared<Answers>(parts_.workers);
  parts_.ask_workers([answers](std::uint32_t worker) { answers->Take(worker); });
  const Status checked = parts_.check ? parts_.check(began + parts_.period) : Status();
  const auto answered_in =
      std::chrono::duration_cast<std::chrono::microseconds>(clock_.Now() - began);
  WaitUntil(began + parts_.period);
  const Duration took = clock_.Now() - began;
  {
    MutexLock lock(mutex_);
    if (is_stopped_) return;  // the check was cut short
  }
  const std::string fault = FaultOf(checked, *answers);
  if (took > 2 * parts_.period || (fault.empty() && !checked.ok())) return liveness_.Skip();
  liveness_.Judge(fault, static_cast<std::uint64_t>(answered_in.count()));
}

std::string Pulse::FaultOf(const Status& checked, const Answers& answers) const {
  if (const std::string worker = answers.FirstMissing(); !worker.empty()) {
    return "worker " + worker + " does not run";
  }
  return checked.ok() || checked.code() == Code::kResourceExhausted ? "" : checked.message();
}

void Pulse::WaitUntil(TimePoint when) {
  MutexLock lock(mutex_);
  while (!is_stopped_ && clock_.Now() < when && stopped_.WaitUntil(mutex_, when)) {
  }
}

}  // namespace sluice
