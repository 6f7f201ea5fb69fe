// SPDX-License-Identifier: Apache-2.0
#include "posting.h"

#include <string>

#include "checked_payload.h"

namespace sluice::bench {
namespace {

Status Post(SendingEnd& end, std::size_t producer, Pace& pace, const Run& run) {
  const BenchOptions& options = run.options();
  const bool waits = options.rate <= 0 && options.batch > 0;
  std::string payload(options.size, '\0');
  while (pace.Next()) {
    FillPayload({run.id(), producer, pace.sequence(), pace.intended_ns()}, payload);
    const auto posted = end.Post({payload, {}, {}, {}}, kStallBound);
    if (!posted.ok()) return posted.status();
    if (!waits || pace.count() % options.batch != 0) continue;
    if (Status status = end.Flush(kStallBound); !status.ok()) return status;
  }
  return Status();
}

}  // namespace

Status PostAll(SendingEnd& end, std::size_t producer, Pace& pace, const Run& run, Posted& posted) {
  const Status status = Post(end, producer, pace, run);
  const auto closed = end.Close(kStallBound);
  const SendCounts counts = end.counts();
  posted.taken += counts.taken;
  posted.accepted += counts.ok;
  if (!status.ok()) return status;
  if (!closed.ok()) return closed.status();
  return closed->kind == StreamEnd::Kind::kLost ? closed->status : Status();
}

}  // namespace sluice::bench
