// SPDX-License-Identifier: Apache-2.0
// What a request asks for: /path?key=value&key=value, taken apart and percent-decoded.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::admin {

class Target {
 public:
  // Of the text in the request line, in bytes.
  static constexpr std::size_t kBytesMax = 2'048;

  // INVALID_ARGUMENT: no path, a '%' without two hex digits, a NUL, a key twice, a fragment.
  static Result<Target> Parse(std::string_view text);

  const std::string& path() const noexcept { return path_; }
  const std::map<std::string, std::string>& parameters() const noexcept { return parameters_; }
  // Empty: not given, or given as nothing.
  std::string Text(const std::string& key) const;
  // INVALID_ARGUMENT, naming the key: no whole number, or not from `least` to `most`.
  Result<std::uint64_t> Number(const std::string& key, std::uint64_t otherwise, std::uint64_t least,
                               std::uint64_t most) const;

 private:
  std::string path_;
  std::map<std::string, std::string> parameters_;
};

}  // namespace sluice::admin
