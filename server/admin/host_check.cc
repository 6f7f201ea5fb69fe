// SPDX-License-Identifier: Apache-2.0
#include "admin/host_check.h"

#include "base/host_port.h"

namespace sluice::admin {

bool IsLoopbackHostHeader(std::string_view host) {
  if (const auto with_port = ParseHostPort(host)) return IsLoopbackHost(with_port->host);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return IsLoopbackHost(host);
}

}  // namespace sluice::admin
