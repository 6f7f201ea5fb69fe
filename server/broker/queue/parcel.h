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

inline void Append(const Parcel& parcel, Delivery& out) {
  Append(parcel.message, parcel.position, parcel.attempts, parcel.failures, out);
}

}  // namespace sluice::broker
