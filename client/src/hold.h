// SPDX-License-Identifier: Apache-2.0
// What a handle (a public end) holds of its stream, and how it lets go.
#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include "sluice/deadline.h"
#include "sluice/status.h"
#include "transport.h"

namespace sluice {
inline namespace abi1 {

// A handle's share of its stream: as long as the handle is there, the transport is, so that its
// thread is joined by the handle's thread and never by itself.
template <class State>
struct Held {
  std::shared_ptr<Transport> transport;
  std::shared_ptr<State> state;
};

template <class State>
std::shared_ptr<State> Hold(std::shared_ptr<Transport> transport, std::shared_ptr<State> state) {
  State* const plain = state.get();
  auto held = std::make_shared<Held<State>>(Held<State>{std::move(transport), std::move(state)});
  return std::shared_ptr<State>(std::move(held), plain);
}

// Ends the stream of a handle that goes: at most a moment, unless a callback does not return, or
// this is one; then the stream dies behind it, unheard.
template <class State>
void LetGo(const std::shared_ptr<State>& state) {
  constexpr std::chrono::milliseconds kDestructorWait{1000};
  if (state == nullptr) return;
  state->Cancel();
  if (!state->WaitGone(kDestructorWait)) state->Silence();
}

// Opens the stream `state` and answers its handle; `Handle` takes a shared state.
template <class Handle, class State>
Result<Handle> OpenHandle(const std::shared_ptr<Transport>& transport,
                          const std::shared_ptr<State>& state, Deadline deadline) {
  Handle handle(Hold(transport, state));
  if (Status status = state->Open(deadline); !status.ok()) return status;
  return handle;
}

}  // namespace abi1
}  // namespace sluice
