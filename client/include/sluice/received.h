// SPDX-License-Identifier: Apache-2.0
/// What waiting for the next thing of a stream gives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "sluice/message.h"

namespace sluice {
inline namespace abi1 {

enum class [[nodiscard]] NextOutcome : std::uint8_t{kGiven, kTimedOut, kEnded};

/// One message of a queue. It holds its whole batch in memory; copies share it.
class Received : public Delivery {
 public:
  Received(std::shared_ptr<const Batch> batch, std::size_t index)
      : Delivery((*batch)[index]), batch_(std::move(batch)) {}

 private:
  std::shared_ptr<const Batch> batch_;
};

}  // namespace abi1
}  // namespace sluice
