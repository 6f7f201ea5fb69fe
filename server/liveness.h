// SPDX-License-Identifier: Apache-2.0
// Whether the daemon is alive (it answers; if not, restart it) and ready (send it clients).
//
// Alive   judged in rounds: in each, every part is asked and must have answered at its end. After
//         kMissesMax rounds in a row with a fault it is not alive; one good round, and it is.
// Ready   alive, serving and not going down.
// Counts, and no times: a process that was suspended has one late round, and is not judged by how
// long it was away.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/mutex.h"

namespace sluice {

// Thread-safe. A leaf lock.
class Liveness {
 public:
  static constexpr std::uint32_t kMissesMax = 3;
  enum class Stage : std::uint8_t { kStarting, kServing, kDraining };
  struct Counts {
    std::uint64_t rounds = 0;       // that were judged
    std::uint64_t missed = 0;       // of these
    std::uint64_t void_rounds = 0;  // not judged: nobody could ask, or the process was suspended
    std::uint32_t missed_in_a_row = 0;
    std::uint64_t answer_us = 0;  // that the last answer took
  };

  // Called when it dies and when it comes back to life, by the thread that judges, without a lock.
  void OnChange(std::function<void(bool is_alive)> changed);  // before others know of it

  void SetStage(Stage stage);
  // A round is over. `fault`: what did not answer; empty: everything did. One thread judges.
  void Judge(const std::string& fault, std::uint64_t answer_us);
  // A round is over that tells nothing.
  void Skip();

  bool is_alive() const;
  bool is_ready() const;
  // One sentence why it is not so; empty: it is.
  std::string why_not_alive() const;
  std::string why_not_ready() const;
  Counts counts() const;

 private:
  bool IsAlive() const REQUIRES(mutex_) { return counts_.missed_in_a_row < kMissesMax; }
  std::string WhyNotAlive() const REQUIRES(mutex_);

  std::function<void(bool)> changed_;
  mutable Mutex mutex_;
  Stage stage_ GUARDED_BY(mutex_) = Stage::kStarting;
  Counts counts_ GUARDED_BY(mutex_);
  std::string fault_ GUARDED_BY(mutex_);
};

}  // namespace sluice
