// SPDX-License-Identifier: Apache-2.0
// Runs a program as its own process group, with its stdin fed and its stdout and stderr read.
//
// Stopped   when a stop token asks, or on_output wants no more: SIGTERM to the group, and SIGKILL
//           after kill_after to what is left of it.
// Ends      with the program's own end; what its children still write later is not read.
// Inherits  nothing open but the three; the environment, and what `environment` adds.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/status.h"

namespace sluice::cli {

struct Command {
  std::vector<std::string> words;        // The program, looked up in PATH, and its arguments.
  std::vector<std::string> environment;  // NAME=value, beside or over the present ones.
  std::string_view input;
  std::function<bool(std::string_view)> on_output;  // False: that is enough.
  std::function<void(std::string_view)> on_error;
  std::vector<std::stop_token> stops;
  std::chrono::milliseconds kill_after{1000};
};

struct CommandEnd {
  int exit_code = 0;
  int signal = 0;  // 0: it exited.
  bool was_stopped = false;

  bool is_success() const { return signal == 0 && exit_code == 0; }
};

// BAD_OPTION: it cannot be run.
Result<CommandEnd> Run(const Command& command);

// Whether there is such a program; looks as Run does.
bool CanRun(const std::string& program);

}  // namespace sluice::cli
