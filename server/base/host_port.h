// SPDX-License-Identifier: Apache-2.0
// An address as an option gives it: HOST:PORT, where HOST is a name, an IPv4 number, or an IPv6
// number in brackets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;
};

// Nothing: no host, no port, or a port that is not 0 ... 65535.
std::optional<HostPort> ParseHostPort(std::string_view text);

// 127.x, ::1 and localhost, without a port or brackets. Of names only "localhost", in any case:
// another may begin with 127, too.
bool IsLoopbackHost(std::string_view host);

}  // namespace sluice
