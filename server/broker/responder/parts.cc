// SPDX-License-Identifier: Apache-2.0
// How many parts of a reply a worker may send: what its caller allows, as far as memory reaches.
#include <algorithm>
#include <utility>

#include "broker/responder/core.h"

namespace sluice::broker {
namespace {

// Of a reply that is gathered: allowed by the broker itself, so far ahead that nobody waits for it.
constexpr std::uint64_t kGatheredAhead = 1'024;

}  // namespace

std::uint64_t Responder::Core::room_for_parts() const {
  const std::uint64_t part = spec.message_bytes_max;
  const std::uint64_t used = retained + reserved_parts * part;
  const std::uint64_t own = used >= spec.bytes_max ? 0 : spec.bytes_max - used;
  return std::min(own, memory.free_to_all()) / part;
}

// One part is always allowed when none is on its way: a call never waits for memory that others
// hold, so nothing can come to stand.
void Responder::Turn::AllowMore(Envelope& call) {
  const std::uint64_t before = call.told;
  if (!call.options.wants_parts) {
    if (call.told < call.sent + kGatheredAhead / 2) call.told = call.sent + kGatheredAhead;
  } else if (call.told < call.allowed) {
    if (call.told == call.taken) ++call.told;
    call.told += std::min(call.allowed - call.told, core_.room_for_parts());
    Reserve(call);
    const bool is_hungry = call.told < call.allowed;
    if (is_hungry && !call.hungry.is_linked()) core_.hungry.PushBack(call.hungry);
    if (!is_hungry && call.hungry.is_linked()) core_.hungry.Erase(call.hungry);
  }
  if (call.told == before || before == 0 || call.has_part_news) return;
  call.has_part_news = true;
  call.worker->part_news_.push_back(call.assignment);
  after_.Tell(call.worker->notifier_);
}

void Responder::Turn::ServeHungry() {
  while (!core_.hungry.empty() && core_.room_for_parts() > 0) {
    Envelope& call = core_.hungry.front()->call;
    const std::uint64_t before = call.told;
    AllowMore(call);
    if (call.told == before || call.hungry.is_linked()) return;
  }
}

void Responder::Turn::Reserve(Envelope& call) {
  const bool counts = call.options.wants_parts && call.where == Where::kHeld;
  const std::uint64_t ahead = counts ? call.told - call.sent : 0;
  core_.reserved_parts -= call.reserved;
  call.reserved = ahead > 1 ? ahead - 1 : 0;
  core_.reserved_parts += call.reserved;
}

// Its worker sends nothing more: what was gathered is void, and counting begins anew.
void Responder::Turn::StopParts(Envelope& call) {
  call.told = call.sent = 0;
  Reserve(call);
  call.has_part_news = false;
  if (call.hungry.is_linked()) core_.hungry.Erase(call.hungry);
  const std::uint64_t joined = call.joined == nullptr ? 0 : call.joined->size();
  Release(call, call.gathered.size() + joined);
  call.gathered = EncodedMessage();
  call.joined.reset();
}

}  // namespace sluice::broker
