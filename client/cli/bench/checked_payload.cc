// SPDX-License-Identifier: Apache-2.0
#include "checked_payload.h"

#include <cstring>

namespace sluice::bench {
namespace {

constexpr std::size_t kWord = sizeof(std::uint64_t);
constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;

// Of the whole payload but its last 8 bytes. Each word's place counts, so a swap is seen, too.
std::uint64_t Checksum(const char* bytes, std::size_t size) {
  std::uint64_t sum = kOdd ^ size;
  const auto add = [&sum](std::uint64_t word) {
    sum = (sum ^ word) * kOdd;
    sum ^= sum >> 29;
  };
  std::size_t at = 0;
  for (; at + kWord <= size; at += kWord) {
    std::uint64_t word;
    std::memcpy(&word, bytes + at, kWord);
    add(word);
  }
  if (at < size) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + at, size - at);
    add(word);
  }
  return sum;
}

}  // namespace

void FillPayload(const PayloadHead& head, std::span<char> payload) {
  const std::size_t body = payload.size() - kWord;
  std::memcpy(payload.data(), &head, sizeof head);
  for (std::size_t at = sizeof head; at < body; at += kWord) {
    const std::uint64_t word = (head.sequence + at) * kOdd;
    std::memcpy(payload.data() + at, &word, body - at < kWord ? body - at : kWord);
  }
  const std::uint64_t sum = Checksum(payload.data(), body);
  std::memcpy(payload.data() + body, &sum, kWord);
}

std::optional<PayloadHead> ReadPayload(std::string_view payload) {
  if (payload.size() < kPayloadBytesMin) return {};
  const std::size_t body = payload.size() - kWord;
  std::uint64_t sum;
  std::memcpy(&sum, payload.data() + body, kWord);
  if (sum != Checksum(payload.data(), body)) return {};
  PayloadHead head;
  std::memcpy(&head, payload.data(), sizeof head);
  return head;
}

}  // namespace sluice::bench
