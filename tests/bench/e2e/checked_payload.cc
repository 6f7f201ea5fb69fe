// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/e2e/checked_payload.h"

#include <cstring>

namespace sluice::bench {
namespace {

constexpr std::size_t kWords = kPayloadBytes / sizeof(std::uint64_t);
using Words = std::array<std::uint64_t, kWords>;
constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;

// Of all words but the last. Each word's place counts, so a swap is seen, too.
std::uint64_t Checksum(const Words& words) {
  std::uint64_t sum = kOdd;
  for (std::size_t i = 0; i + 1 < kWords; ++i) {
    sum = (sum ^ words[i]) * kOdd;
    sum ^= sum >> 29;
  }
  return sum;
}

}  // namespace

void FillPayload(std::uint64_t sequence, Payload& payload) {
  Words words;
  words[0] = sequence;
  for (std::size_t i = 1; i + 1 < kWords; ++i) words[i] = (sequence + i) * kOdd;
  words[kWords - 1] = Checksum(words);
  std::memcpy(payload.data(), words.data(), kPayloadBytes);
}

void PayloadAccount::Take(std::string_view payload) {
  Words words;
  if (payload.size() != kPayloadBytes) {
    ++corrupt_;
    return;
  }
  std::memcpy(words.data(), payload.data(), kPayloadBytes);
  const std::uint64_t sequence = words[0];
  if (words[kWords - 1] != Checksum(words) || sequence >= expected_) {
    ++corrupt_;
    return;
  }
  if (seen_[sequence]) {
    ++duplicated_;
    return;
  }
  seen_[sequence] = true;
  ++distinct_;
  if (sequence < next_) {
    ++out_of_order_;
  } else {
    next_ = sequence + 1;
  }
}

}  // namespace sluice::bench
