// SPDX-License-Identifier: Apache-2.0
// The unary calls of ConfigService over a transport: what Client and ConfigWriter share.
#pragma once

#include <optional>
#include <string>

#include "sluice/config.h"
#include "sluice/deadline.h"
#include "sluice/status.h"
#include "transport.h"
#include "unary.h"

namespace sluice {
inline namespace abi1 {

Result<SetKeyReply> CallSetKey(Transport& transport, const SetKeyRequest& request,
                               Deadline deadline, Connecting connecting = Connecting::kFailFast);
Result<GetKeyReply> CallGetKey(Transport& transport, const GetKeyRequest& request,
                               Deadline deadline);
Result<DeleteKeyReply> CallDeleteKey(Transport& transport, const std::string& key,
                                     std::optional<KeyVersion> expect, Deadline deadline,
                                     Connecting connecting = Connecting::kFailFast);

}  // namespace abi1
}  // namespace sluice
