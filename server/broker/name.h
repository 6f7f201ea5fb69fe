// SPDX-License-Identifier: Apache-2.0
// Names of channels: 1 to 255 bytes of A-Z a-z 0-9 - _ . /
#pragma once

#include <cstddef>
#include <string_view>

#include "base/status.h"

namespace sluice::broker {

// INVALID_ARGUMENT, naming `field` and what is wrong with the name: its length, the byte and where,
// an empty token ("a..b", a leading or trailing dot), or a leading '_' (the broker's own).
Status CheckName(std::string_view field, std::string_view name);

// A part of a name, which stands `at` bytes into it: the bytes alone.
Status CheckNameBytes(std::string_view field, std::string_view part, std::size_t at);

}  // namespace sluice::broker
