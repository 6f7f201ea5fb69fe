// SPDX-License-Identifier: Apache-2.0
// One bound in force, by its name in ServerInfo. No gRPC type in this header.
#pragma once

#include <cstdint>
#include <string>

namespace sluice::rpc {

struct Bound {
  std::string name;
  std::uint64_t value = 0;
};

}  // namespace sluice::rpc
