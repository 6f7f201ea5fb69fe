// SPDX-License-Identifier: Apache-2.0
// Against DNS rebinding: a page of somebody else's site, made to resolve to this machine, still
// says its own name in Host.
#pragma once

#include <string_view>

namespace sluice::admin {

// Whether the Host of a request, with a port or without, is loopback by name or number.
bool IsLoopbackHostHeader(std::string_view host);

}  // namespace sluice::admin
