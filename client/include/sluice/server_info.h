// SPDX-License-Identifier: Apache-2.0
/// What the daemon says of itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace sluice {
inline namespace abi1 {

struct ServerInfo {
  std::string version;
  std::chrono::milliseconds uptime{0};
  std::uint64_t started_unix_us = 0;
  bool draining = false;
  /// Every bound in force, and what there is now, by the names of the wire
  /// (proto/sluice/v1/admin.proto): what a newer daemon counts shows up here, too, once the library
  /// knows its name.
  std::map<std::string, std::uint64_t> bounds;
  std::map<std::string, std::uint64_t> live;
};

/// One open call.
struct StreamDescription {
  std::uint64_t id = 0;
  std::string method;
  std::string peer;
  std::string channel;
  std::string state;
  std::chrono::milliseconds age{0};
  std::chrono::milliseconds write_stalled{
      0};  ///< How long the client has not taken the last write.
  std::uint64_t write_bytes = 0;
  std::uint64_t held_messages = 0;
  std::uint64_t credit_messages = 0;
  std::uint64_t waiting_messages = 0;
};

enum class Health : std::uint8_t { kUnknown, kServing, kNotServing };

}  // namespace abi1
}  // namespace sluice
