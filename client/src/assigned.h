// SPDX-License-Identifier: Apache-2.0
// A request in hand: what Request and Reply share.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "sluice/deadline.h"
#include "sluice/owned_message.h"
#include "sluice/responder.h"
#include "sluice/v1/request.pb.h"

namespace sluice {
inline namespace abi1 {

class Assigned {
 public:
  enum class Phase {
    kHeld,
    kAnswered,  // Its last reply is on its way.
    kOver,      // The daemon wants no more of it: the caller has gone, or it was refused.
    kLost,      // Its stream is gone.
  };

  Assigned(std::uint64_t id, OwnedMessage message) : call_id(id), request(std::move(message)) {}

  const std::uint64_t call_id;
  const OwnedMessage request;
  bool wants_parts = false;
  std::uint32_t attempts = 0;
  std::optional<Deadline> until;
  std::shared_ptr<ServeStream> owner;
  std::stop_source stop;

  // Guarded by the owner's lock:
  Phase phase = Phase::kHeld;
  bool is_unwanted = false;  // The daemon said that its caller has gone; `stop` follows.
  std::uint64_t parts_allowed = 0;
  std::uint64_t parts_sent = 0;
  std::optional<v1::WorkerReply> last_part;  // It waits for credit.

  // Of the thread that runs its handler: the Reply was dropped unanswered meanwhile.
  bool is_dropped = false;
};

}  // namespace abi1
}  // namespace sluice
