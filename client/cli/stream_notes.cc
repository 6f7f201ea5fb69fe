// SPDX-License-Identifier: Apache-2.0
#include "stream_notes.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "output.h"

namespace sluice::cli {

OnStreamState StateNotes(bool json) {
  const auto was_lost = std::make_shared<bool>(false);
  return [json, was_lost](const StreamState& state) {
    if (state.phase == StreamState::Phase::kBackingOff) {
      *was_lost = true;
      PrintEvent(json,
                 {{"event", "lost"},
                  {"status", state.status.ToString()},
                  {"retry_ms", state.delay.count()}},
                 "connection lost, " + ToString(state));
    }
    if (state.phase == StreamState::Phase::kReady && std::exchange(*was_lost, false)) {
      PrintEvent(json, {{"event", "reconnected"}}, "connected again");
    }
  };
}

CLI::Option* AddReconnectFlag(CLI::App& verb, bool& reconnect) {
  return verb.add_flag("--reconnect,!--no-reconnect", reconnect,
                       "Go on after a lost connection (default), or end with it");
}

}  // namespace sluice::cli
