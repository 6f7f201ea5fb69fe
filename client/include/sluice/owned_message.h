// SPDX-License-Identifier: Apache-2.0
/// A message that owns its bytes: what a request or a reply comes as.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/message.h"

namespace sluice {
inline namespace abi1 {

struct OwnedMessage {
  OwnedMessage() = default;
  explicit OwnedMessage(std::string bytes) : payload(std::move(bytes)) {}

  /// The value of the header, or empty.
  std::string_view HeaderValue(std::string_view key) const {
    for (const auto& [name, value] : headers) {
      if (name == key) return value;
    }
    return {};
  }

  std::string payload;
  std::string id;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;  ///< In no order.
};

/// The same as a view, for what takes a Message; both are views of `message` and of `headers`.
inline Message View(const OwnedMessage& message, std::vector<Header>& headers) {
  headers.clear();
  for (const auto& [key, value] : message.headers) headers.push_back({key, value});
  return {message.payload, message.id, message.content_type, headers};
}

}  // namespace abi1
}  // namespace sluice
