// SPDX-License-Identifier: Apache-2.0
// The plain types of config keys from and to the generated ones.
#pragma once

#include "sluice/config.h"
#include "sluice/v1/config.pb.h"

namespace sluice {
inline namespace abi1 {

v1::KeyVersion ToWire(const KeyVersion& version);
v1::SetKeyRequest ToWire(const SetKeyRequest& request);
v1::GetKeyRequest ToWire(const GetKeyRequest& request);

// Takes the strings out of `entry`.
ConfigEntry TakeFromWire(v1::Entry& entry);

}  // namespace abi1
}  // namespace sluice
