// SPDX-License-Identifier: Apache-2.0
/// The sending end of a named queue. Client::OpenSender makes one.
#pragma once

#include <optional>
#include <string>

#include "sluice/sending_end.h"

namespace sluice {
inline namespace abi1 {

struct SenderOptions : SendingOptions {
  std::string queue;
  std::optional<QueueSpec> spec;  ///< Declares the queue if it is absent, after a loss, too.
};

class Sender : public SendingEnd {
 public:
  explicit Sender(std::shared_ptr<SendingStream> stream) : SendingEnd(std::move(stream)) {}

  /// One message, and what became of it. The message is copied. Lazy, as every Operation.
  Operation<SendOutcome> Send(const Message& message) const { return Ask(message); }
};

}  // namespace abi1
}  // namespace sluice
