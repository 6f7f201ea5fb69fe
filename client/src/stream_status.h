// SPDX-License-Identifier: Apache-2.0
// The statuses of waiting for a stream.
#pragma once

#include "sluice/outcome.h"
#include "sluice/status.h"

namespace sluice {
inline namespace abi1 {

// Why nothing can be done on a stream that ended so.
inline Status EndedStatus(const StreamEnd& end) {
  if (!end.status.ok()) return end.status;
  return Status(Code::kFailedPrecondition, "STREAM_ENDED",
                "the stream has ended (" + ToString(end) + ")",
                {{"closed_reason", ToString(end.reason)}});
}

inline Status DeadlineStatus(const char* of_what) {
  return Status(Code::kDeadlineExceeded, "DEADLINE",
                std::string("the deadline passed: ") + of_what);
}

inline Status WouldBlockStatus() {
  return Status(Code::kFailedPrecondition, "WOULD_BLOCK",
                "this would wait for the client's own thread, on which it was called");
}

}  // namespace abi1
}  // namespace sluice
