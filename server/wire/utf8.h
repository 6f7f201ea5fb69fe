// SPDX-License-Identifier: Apache-2.0
// Whether bytes are UTF-8 as protobuf understands it in a `string` field: every sequence in its
// shortest form, no surrogates (U+D800 to U+DFFF), nothing above U+10FFFF. U+0000, noncharacters
// and the empty string are fine. A generated C++ parser refuses a whole frame for one string that
// is not.
//
// Cost: ASCII, nearly everything in headers and ids, is checked eight bytes at a time.
#pragma once

#include <string_view>

namespace sluice::wire {

[[nodiscard]] bool IsValidUtf8(std::string_view text);

}  // namespace sluice::wire
