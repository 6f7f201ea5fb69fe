// SPDX-License-Identifier: Apache-2.0
// One run of a benchmark: its channel's name, its threads, and its end.
//
// Producers run on threads of their own until their pace ends, and answer their fault if they have
// one. Then the receiving ends are waited for: until `is_complete`, or nothing has moved for
// kStallBound; what is missing then is lost. A signal ends the sending; a second one the waiting.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pace.h"
#include "report.h"

namespace sluice::bench {

inline constexpr std::chrono::seconds kStallBound{10};

class Run {
 public:
  // Fills in the report's head.
  Run(const std::string& bench, const BenchOptions& options, const BenchWords& words,
      const cli::Invocation& invocation);

  // Connects, and asks for the daemon's version.
  Status Begin(const cli::Invocation& invocation);
  // For what is declared, and deleted again.
  Client& admin() { return *admin_; }

  using Produce = std::function<Status(std::size_t producer, Pace& pace)>;
  void Send(const Produce& produce);
  void AwaitReceipt(const std::function<bool()>& is_complete);

  // Receiving ends tell that they got something, at this time. Any thread.
  void Moved(std::uint64_t count, std::uint64_t now_ns);
  std::uint64_t moved() const { return moved_; }
  void AddFault(const Status& status);

  Report& report() { return report_; }
  std::uint64_t id() const { return id_; }
  const std::string& channel() const { return report_.channel; }
  const BenchOptions& options() const { return options_; }
  // Fills in the time that it took.
  const Report& Finish();

 private:
  const BenchOptions options_;
  const std::uint64_t id_;
  Report report_;
  std::optional<Client> admin_;
  Halt halt_;
  std::uint64_t begin_ns_ = 0;
  std::atomic<std::uint64_t> moved_{0};
  std::atomic<std::uint64_t> last_ns_{0};
};

}  // namespace sluice::bench
