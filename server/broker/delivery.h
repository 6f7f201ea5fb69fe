// SPDX-License-Identifier: Apache-2.0
// What is handed to a reader: stored bytes by reference, in the form they have on the wire, and the
// runs that tell what the broker knows of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sluice::broker {

// Immutable and shared: a copy is a reference count, from any thread.
using Bytes = std::shared_ptr<const std::string>;

struct BytesSlice {
  Bytes bytes;
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

// Neighbouring positions with the same history.
struct Run {
  std::uint64_t first_position = 0;
  std::uint32_t count = 0;
  std::uint64_t accepted_unix_us = 0;
  std::uint32_t attempts = 0;  // handings out, this one included
  std::uint32_t failures = 0;
};

// `slices` in order are the records of all messages, each a complete `messages = 1` field; `runs`
// partition them in order.
struct Delivery {
  std::vector<BytesSlice> slices;
  std::vector<Run> runs;
  std::uint32_t messages = 0;
  std::uint64_t bytes = 0;

  // Keeps the memory of its lists.
  void Clear() noexcept {
    slices.clear();
    runs.clear();
    messages = 0;
    bytes = 0;
  }
};

}  // namespace sluice::broker
