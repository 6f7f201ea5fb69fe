// SPDX-License-Identifier: Apache-2.0
// What the methods of a table are called in figures: their parts, and their types, from the
// descriptors of their services.
#pragma once

#include <vector>

#include "rpc/call_stats.h"

namespace sluice::rpc {

class MethodTable;

// By Method::index; the first one, "unknown", is for all that the table has not.
std::vector<MethodName> MethodNames(const MethodTable& methods);

}  // namespace sluice::rpc
