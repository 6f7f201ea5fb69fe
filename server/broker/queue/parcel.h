// SPDX-License-Identifier: Apache-2.0
// A message once it was handed out, with what the broker knows of it.
#pragma once

#include <cstdint>

#include "broker/batch.h"
#include "broker/delivery.h"

namespace sluice::broker {

struct Parcel {
  Message message;
  std::uint64_t position = 0;
  std::uint32_t attempts = 0;  // handings out
  std::uint32_t failures = 0;  // nacks, expired leases, losses of the stream that held it
};

// Adds a message to a delivery: a neighbour with the same history lengthens the last slice and run.
inline void Append(const Message& message, std::uint64_t position, std::uint32_t attempts,
                   std::uint32_t failures, Delivery& out) {
  message.AppendTo(out);
  const std::uint64_t accepted = message.accepted_unix_us();
  if (!out.runs.empty()) {
    Run& last = out.runs.back();
    if (last.first_position + last.count == position && last.accepted_unix_us == accepted &&
        last.attempts == attempts && last.failures == failures) {
      ++last.count;
      return;
    }
  }
  out.runs.push_back({position, 1, accepted, attempts, failures});
}

inline void Append(const Parcel& parcel, Delivery& out) {
  Append(parcel.message, parcel.position, parcel.attempts, parcel.failures, out);
}

}  // namespace sluice::broker
