// SPDX-License-Identifier: Apache-2.0
// Payloads that prove what became of them: a sequence from 0, words derived from it, and a
// checksum.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace sluice::bench {

inline constexpr std::size_t kPayloadBytes = 128;
using Payload = std::array<char, kPayloadBytes>;

void FillPayload(std::uint64_t sequence, Payload& payload);

// What was received of the sequences 0 to expected - 1.
class PayloadAccount {
 public:
  explicit PayloadAccount(std::uint64_t expected) : expected_(expected), seen_(expected) {}

  void Take(std::string_view payload);

  std::uint64_t distinct() const { return distinct_; }
  bool is_complete() const { return distinct_ == expected_; }
  std::uint64_t lost() const { return expected_ - distinct_; }
  std::uint64_t duplicated() const { return duplicated_; }
  std::uint64_t out_of_order() const { return out_of_order_; }  // Behind a later one.
  std::uint64_t corrupt() const { return corrupt_; }

 private:
  const std::uint64_t expected_;
  std::vector<bool> seen_;
  std::uint64_t next_ = 0;  // Above all seen.
  std::uint64_t distinct_ = 0;
  std::uint64_t duplicated_ = 0;
  std::uint64_t out_of_order_ = 0;
  std::uint64_t corrupt_ = 0;
};

}  // namespace sluice::bench
