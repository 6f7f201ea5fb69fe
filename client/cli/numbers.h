// SPDX-License-Identifier: Apache-2.0
// Options that are numbers. CLI11's own checks let NaN pass, and its integers are strtoull's: "-1"
// is 2^64 - 1, "" is 0, and what is too large is the largest. These refuse all of it, and say what
// the option takes.
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <limits>
#include <string>

namespace sluice::cli {

// A number from min to max.
CLI::Validator NumberBetween(double min, double max);
// A whole number from min to max: decimal digits, and nothing else.
CLI::Validator WholeBetween(std::uint64_t min, std::uint64_t max);

// An option that is a whole number.
template <class Value>
CLI::Option* AddWhole(CLI::App& verb, const std::string& option, Value& target,
                      const std::string& about, std::uint64_t min = 0,
                      std::uint64_t max = std::numeric_limits<Value>::max()) {
  return verb.add_option(option, target, about)->transform(WholeBetween(min, max));
}

// An option in seconds, 0 up to what the wire can say; a double, or one that may be left out.
template <class Value>
CLI::Option* AddSeconds(CLI::App& verb, const std::string& option, Value& target,
                        const std::string& about, double max = 4294967.0) {
  return verb.add_option(option, target, about)->check(NumberBetween(0.0, max));
}

}  // namespace sluice::cli
