// SPDX-License-Identifier: Apache-2.0
#include "account.h"

#include <algorithm>

namespace sluice::bench {

std::optional<PayloadHead> Account::Take(std::string_view payload) {
  const auto head = ReadPayload(payload);
  if (!head || head->run != run_ || head->producer >= producers_.size()) {
    ++corrupt_;
    return {};
  }
  Producer& producer = producers_[head->producer];
  const std::uint64_t sequence = head->sequence;
  if (sequence >= producer.seen.size()) {
    producer.seen.resize(std::max<std::size_t>(sequence + 1, producer.seen.size() * 2));
  }
  if (producer.seen[sequence]) {
    ++duplicates_;
    return head;
  }
  producer.seen[sequence] = true;
  ++distinct_;
  if (sequence < producer.next) {
    ++out_of_order_;
  } else {
    producer.next = sequence + 1;
  }
  return head;
}

void Account::Add(const Account& other) {
  for (std::size_t i = 0; i < producers_.size(); ++i) {
    std::vector<bool>& seen = producers_[i].seen;
    const std::vector<bool>& more = other.producers_[i].seen;
    if (seen.size() < more.size()) seen.resize(more.size());
    for (std::size_t sequence = 0; sequence < more.size(); ++sequence) {
      if (!more[sequence]) continue;
      if (seen[sequence]) {
        ++duplicates_;
      } else {
        seen[sequence] = true;
        ++distinct_;
      }
    }
  }
  duplicates_ += other.duplicates_;
  out_of_order_ += other.out_of_order_;
  corrupt_ += other.corrupt_;
}

bool Account::Has(std::size_t producer, std::uint64_t sequence) const {
  const std::vector<bool>& seen = producers_[producer].seen;
  return sequence < seen.size() && seen[sequence];
}

}  // namespace sluice::bench
