// SPDX-License-Identifier: Apache-2.0
#include "base/status.h"

namespace sluice {

Status OutOfBounds(std::string_view field, std::string_view limit, std::uint64_t limit_value,
                   std::uint64_t value) {
  std::string message(field);
  message.append(" is ").append(std::to_string(value)).append(", ").append(limit).append(" is ");
  message.append(std::to_string(limit_value));
  return Status(Code::kInvalidArgument, "OUT_OF_BOUNDS", std::move(message))
      .With("field", std::string(field))
      .With("limit", std::to_string(limit_value))
      .With("value", std::to_string(value));
}

Status InvalidField(std::string_view field, std::string message) {
  message.insert(0, ": ").insert(0, field);
  return Status(Code::kInvalidArgument, "INVALID_FIELD", std::move(message))
      .With("field", std::string(field));
}

}  // namespace sluice
