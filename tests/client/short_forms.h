// SPDX-License-Identifier: Apache-2.0
// What nearly every test of the client begins with, in few words.
#pragma once

#include <cstdint>
#include <string_view>

#include "sluice/message.h"
#include "sluice/queue_spec.h"

namespace sluice::test {

inline Message Text(std::string_view payload) { return {payload, {}, {}, {}}; }

inline QueueSpec Room(std::uint64_t capacity) {
  QueueSpec spec;
  spec.capacity = capacity;
  return spec;
}

}  // namespace sluice::test
