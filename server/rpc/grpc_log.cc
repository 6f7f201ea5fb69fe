// SPDX-License-Identifier: Apache-2.0
#include "rpc/grpc_log.h"

#include <grpc/support/log.h>

#include "base/log.h"

namespace sluice::rpc {

void TakeGrpcLog() {
  gpr_set_log_function([](gpr_log_func_args* line) {
    Log(LogLevel::kWarning, "grpc", line->message,
        {{"file", std::string_view(line->file)}, {"line", static_cast<std::int64_t>(line->line)}});
  });
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
}

}  // namespace sluice::rpc
