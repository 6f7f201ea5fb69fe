// SPDX-License-Identifier: Apache-2.0
// In what two specs of one name differ (N5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

namespace sluice::broker {

struct Difference {
  std::string field;  // "spec.capacity"
  std::string existing;
  std::string asked;
};

// Looks at fields one after the other, and keeps the first that differs.
class Comparison {
 public:
  template <class T>
  Comparison& Field(const char* field, T existing, T asked) {
    if (!first_.has_value() && existing != asked) {
      first_ = Difference{field, Text(existing), Text(asked)};
    }
    return *this;
  }
  std::optional<Difference> first() const { return first_; }

 private:
  template <class T>
  static std::string Text(T value) {
    if constexpr (std::is_same_v<T, bool>) {
      return value ? "true" : "false";
    } else {
      return std::to_string(static_cast<std::uint64_t>(value));
    }
  }

  std::optional<Difference> first_;
};

}  // namespace sluice::broker
