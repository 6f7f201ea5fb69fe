// SPDX-License-Identifier: Apache-2.0
// What the daemon says about its options: the file that could be given to it, and how it ends.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace sluice {

// Behind the options of --help: each exit code with what it means.
extern const char kExitCodes[];

// A TOML file of every option with its sentence, bounds and environment variable. What was given
// (by flag, environment or file) stands with its value; a default is commented out, so that a
// later release may have another.
std::string PrintedConfig(const CLI::App& app);

}  // namespace sluice
