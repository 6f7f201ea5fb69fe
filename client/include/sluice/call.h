// SPDX-License-Identifier: Apache-2.0
/// A call, and how it ended: the request side of request/reply in plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "sluice/message.h"
#include "sluice/outcome.h"
#include "sluice/owned_message.h"

namespace sluice {
inline namespace abi1 {

/// What failed at the worker: the application's own answer, not a fault of the daemon.
struct CallFailure {
  std::string code;  ///< For programs; the daemon's own begin with `_`.
  std::string text;  ///< For people.
};

/// How a call is made. It has a constructor, as the replies have, because g++ 12 destroys
/// temporaries of aggregate type twice in a co_await expression.
struct CallOptions {
  CallOptions() = default;

  std::string responder;  ///< Empty: the caller's own (CallerOptions).
  /// TIMED_OUT after this long without a reply, also while there is no connection; 0: none.
  std::chrono::milliseconds timeout{0};
  bool wait_for_responder = false;       ///< Stay queued while nobody serves (N26).
  bool retry_on_responder_loss = false;  ///< Another worker gets it: it may be done twice (N23).
  /// Doing it twice does no harm: it is asked again after a lost connection instead of ending
  /// UNKNOWN.
  bool retry_safe = false;
};

/// The one outcome of a call (N25).
///   OK               `message`, unless the worker ended the call without one
///   FAILED           `failure`
///   FULL, NO_RESPONDER, ABSENT   nobody had it: not done
///   RESPONDER_GONE   its worker was lost with it
///   CLOSED           `reason`
///   TIMED_OUT, REPLY_TOO_LARGE
///   UNKNOWN          the connection was lost while the call was open: it may have been done
struct CallReply {
  CallReply() = default;

  bool ok() const { return outcome == Outcome::kOk; }

  Outcome outcome = Outcome::kUnspecified;
  bool has_message = false;
  OwnedMessage message;
  CallFailure failure;
  ClosedReason reason = ClosedReason::kUnspecified;
  /// It may have been done. False: nobody began it, and it may be asked again without doubt.
  bool handed_out = false;
  FullReason full_reason = FullReason::kUnspecified;  ///< With FULL.
};

/// One part of a reply, or its end.
struct CallPart : CallReply {
  CallPart() = default;

  bool last = false;  ///< Nothing follows. Otherwise the outcome is OK and there is a message.
};

}  // namespace abi1
}  // namespace sluice
