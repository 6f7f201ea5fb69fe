// SPDX-License-Identifier: Apache-2.0
// Shell completion. The scripts ask the command itself: `sluice __complete WORDS...`, where the
// last word is the one being typed, answers a candidate a line, each with a tab and its description
// if it has one. Verbs and options come from the app's own tree; names of channels and keys are
// asked of the daemon, within SLUICE_COMPLETION_TIMEOUT seconds (kAskBoundS, if that is not set, or
// makes no sense): without a daemon there are none.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "invocation.h"

namespace sluice::cli {

inline constexpr char kCompleteVerb[] = "__complete";
inline constexpr double kAskBoundS = 0.5;
inline constexpr double kAskBoundMaxS = 3600;

int Complete(const CLI::App& app, const Invocation& invocation,
             const std::vector<std::string>& words);

}  // namespace sluice::cli
