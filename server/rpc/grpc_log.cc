// SPDX-License-Identifier: Apache-2.0
#include "rpc/grpc_log.h"

#include <grpc/support/log.h>

#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "rpc/log_gate.h"

namespace sluice::rpc {
namespace {

// A client can make gRPC complain, and of what it sent.
constexpr std::size_t kTextBytesMax = 512;
// Of a client that went before its connection was looked at.
constexpr std::string_view kGoneAlready = "Failed getpeername";

}  // namespace

void TakeGrpcLog() {
  gpr_set_log_function([](gpr_log_func_args* line) {
    static LogGate gate;
    if (std::string_view(line->message).starts_with(kGoneAlready)) return;
    const auto held_back = gate.Pass(SystemClock().Now());
    if (!held_back) return;
    Log(LogLevel::kWarning, "grpc", std::string_view(line->message).substr(0, kTextBytesMax),
        {{"file", std::string_view(line->file)},
         {"line", static_cast<std::int64_t>(line->line)},
         {"more_before", *held_back}});
  });
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
}

}  // namespace sluice::rpc
