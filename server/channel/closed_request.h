// SPDX-License-Identifier: Apache-2.0
// The wait of a Sender's Closed(): until nobody receives, at once if nobody does. It completes at
// that very instant, and somebody who receives afterwards does not undo it (O11, B18, W21, D11).
// It only looks at the channel: it is no sender, and keeps nothing open.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "base/mutex.h"
#include "channel/operation_state.h"
#include "channel/outcome.h"

namespace sluice::channel {

// State provides, for whoever holds its mutex: `bool has_no_receiver()`, and `closing`, a list of
// OperationState, which it empties by Decide() when that becomes true.
template <class State>
class ClosedRequest : public OperationState {
 public:
  using Outcome = Waited;

  ClosedRequest(Face face, std::shared_ptr<State> state)
      : OperationState(face), state_(std::move(state)) {}

  Mutex& mutex() noexcept SLUICE_THREAD_ANNOTATION(lock_returned(state_->mutex)) {
    return state_->mutex;
  }
  void Enter(WaiterList& ready) REQUIRES(state_->mutex) {
    if (state_->has_no_receiver()) return Decide(ready);
    state_->closing.PushBack(*this);
  }
  void Leave(WaiterList&) REQUIRES(state_->mutex) { state_->closing.Erase(*this); }
  void Refuse(Errc why) noexcept { refused_ = why; }
  Outcome Take() {
    if (refused_) return *refused_;
    return std::monostate();
  }

 protected:
  ~ClosedRequest() = default;

 private:
  const std::shared_ptr<State> state_;
  std::optional<Errc> refused_;
};

}  // namespace sluice::channel
