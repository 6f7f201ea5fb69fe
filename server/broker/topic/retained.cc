// SPDX-License-Identifier: Apache-2.0
#include "broker/topic/retained.h"

#include <algorithm>

namespace sluice::broker {

// A batch is freed with the last of its messages, and those stand side by side.
std::optional<std::uint64_t> Retained::ToDrop(const Wanted& wanted, std::uint64_t most) const {
  const std::uint64_t count = size() + wanted.count;
  std::uint64_t drop = count > capacity() ? count - capacity() : 0;
  if (drop > most) return std::nullopt;
  std::uint64_t bytes = meter_.bytes + wanted.charge;
  for (std::uint64_t i = 0; bytes > wanted.bytes_most; ++i) {
    if (i == most) return std::nullopt;
    const Message& message = messages_[static_cast<std::size_t>(i)];
    const bool is_last =
        i + 1 == size() || !message.SharesBatch(messages_[static_cast<std::size_t>(i + 1)]);
    if (is_last) bytes -= std::min(bytes, message.batch_charge());
    drop = std::max(drop, i + 1);
  }
  return drop;
}

std::uint64_t Retained::Clear() {
  const std::uint64_t count = size();
  while (size() > 0) DropOldest();
  return count;
}

}  // namespace sluice::broker
