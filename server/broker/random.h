// SPDX-License-Identifier: Apache-2.0
// What the broker draws: from the kernel's generator, so that ids cannot be guessed and do not
// repeat over restarts. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice::broker {

std::string RandomBytes(std::size_t count);
// 1 ... kDrawnMax, so that every language's numbers hold it.
std::uint64_t RandomNumber();

}  // namespace sluice::broker
