// SPDX-License-Identifier: Apache-2.0
// What one receiving end got of a run: every payload is whole, of this run, seen once, and each
// producer's come in the order they were sent. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "checked_payload.h"

namespace sluice::bench {

class Account {
 public:
  Account(std::uint64_t run, std::size_t producers) : run_(run), producers_(producers) {}

  // Nothing: it is corrupt, or of something else.
  std::optional<PayloadHead> Take(std::string_view payload);
  // What another end got that shares the messages with this one: what both got is a duplicate.
  // Order is each end's own.
  void Add(const Account& other);

  bool Has(std::size_t producer, std::uint64_t sequence) const;

  std::uint64_t distinct() const { return distinct_; }
  std::uint64_t duplicates() const { return duplicates_; }
  std::uint64_t out_of_order() const { return out_of_order_; }  // Behind a later one.
  std::uint64_t corrupt() const { return corrupt_; }

 private:
  struct Producer {
    std::vector<bool> seen;
    std::uint64_t next = 0;  // Above all seen.
  };

  const std::uint64_t run_;
  std::vector<Producer> producers_;
  std::uint64_t distinct_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t out_of_order_ = 0;
  std::uint64_t corrupt_ = 0;
};

}  // namespace sluice::bench
