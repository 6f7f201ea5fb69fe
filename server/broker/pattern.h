// SPDX-License-Identifier: Apache-2.0
// Which names a subscriber to many topics means. Names are read as tokens between dots; in a
// pattern the token `*` stands for any one token, and `>`, as the last, for one or more. A `*` or
// `>` in the first place does not match a name that begins with `_`. A name is a pattern, too.
//
// Threads: immutable.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::broker {

class Pattern {
 public:
  // INVALID_ARGUMENT: INVALID_FIELD (empty, a byte no name has, an empty token, a wildcard within a
  // token, `>` before the end), OUT_OF_BOUNDS (above kNameBytesMax).
  static Result<Pattern> Parse(std::string_view field, std::string text);

  const std::string& text() const noexcept { return text_; }
  bool Matches(std::string_view name) const;

 private:
  explicit Pattern(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace sluice::broker
