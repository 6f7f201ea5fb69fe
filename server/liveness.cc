// SPDX-License-Identifier: Apache-2.0
#include "liveness.h"

#include <utility>

namespace sluice {

void Liveness::OnChange(std::function<void(bool)> changed) { changed_ = std::move(changed); }

void Liveness::SetStage(Stage stage) {
  MutexLock lock(mutex_);
  stage_ = stage;
}

void Liveness::Judge(const std::string& fault, std::uint64_t answer_us) {
  bool was_alive = false;
  bool is_alive = false;
  {
    MutexLock lock(mutex_);
    was_alive = IsAlive();
    ++counts_.rounds;
    if (fault.empty()) {
      counts_.missed_in_a_row = 0;
      counts_.answer_us = answer_us;
    } else {
      ++counts_.missed;
      ++counts_.missed_in_a_row;
    }
    fault_ = fault;
    is_alive = IsAlive();
  }
  if (is_alive != was_alive && changed_) changed_(is_alive);
}

void Liveness::Skip() {
  MutexLock lock(mutex_);
  ++counts_.void_rounds;
}

bool Liveness::is_alive() const {
  MutexLock lock(mutex_);
  return IsAlive();
}

bool Liveness::is_ready() const {
  MutexLock lock(mutex_);
  return IsAlive() && stage_ == Stage::kServing;
}

std::string Liveness::WhyNotAlive() const {
  if (IsAlive()) return "";
  return "it did not answer itself " + std::to_string(counts_.missed_in_a_row) +
         " times in a row: " + fault_;
}

std::string Liveness::why_not_alive() const {
  MutexLock lock(mutex_);
  return WhyNotAlive();
}

std::string Liveness::why_not_ready() const {
  MutexLock lock(mutex_);
  if (stage_ == Stage::kStarting) return "it is starting";
  if (stage_ == Stage::kDraining) return "it is going down";
  return WhyNotAlive();
}

Liveness::Counts Liveness::counts() const {
  MutexLock lock(mutex_);
  return counts_;
}

}  // namespace sluice
