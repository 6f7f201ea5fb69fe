// SPDX-License-Identifier: Apache-2.0
// What verbs that follow a stream say when it is lost, and found again.
#pragma once

#include <CLI/App.hpp>

#include "sluice/stream_state.h"

namespace sluice::cli {

// Tells a loss, and the return after it: a line on stderr, or an event on stdout.
OnStreamState StateNotes(bool json);

CLI::Option* AddReconnectFlag(CLI::App& verb, bool& reconnect);

}  // namespace sluice::cli
