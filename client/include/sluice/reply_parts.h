// SPDX-License-Identifier: Apache-2.0
/// A reply in parts, as they come. At most `window` parts are held untaken; the worker waits for
/// credit beyond them.
///
/// Ends       The part with `last` is the end, and tells the outcome of the call (call.h). With any
///            other outcome than OK, the parts before are the beginning of a reply that will not be
///            completed. After it: STREAM_ENDED.
/// Threads    Cancel from any thread; Next and Recv from one at a time.
#pragma once

#include <memory>

#include "sluice/call.h"
#include "sluice/deadline.h"
#include "sluice/operation.h"

namespace sluice {
inline namespace abi1 {

class PartsOfReply;

class ReplyParts {
 public:
  explicit ReplyParts(std::shared_ptr<PartsOfReply> stream);
  ReplyParts(ReplyParts&&) noexcept;
  ReplyParts& operator=(ReplyParts&&) noexcept;
  /// Cancels the call, unless it is over.
  ~ReplyParts();

  Result<CallPart> Next(Deadline deadline);
  Operation<Result<CallPart>> Recv();
  /// The worker is told (N24); who waits for a part gets STREAM_ENDED.
  void Cancel();

 private:
  std::shared_ptr<PartsOfReply> stream_;
};

}  // namespace abi1
}  // namespace sluice
