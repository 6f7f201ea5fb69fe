// SPDX-License-Identifier: Apache-2.0
#include "config_convert.h"

#include <utility>

#include "queue_convert.h"

namespace sluice {
inline namespace abi1 {

v1::KeyVersion ToWire(const KeyVersion& version) {
  v1::KeyVersion wire;
  wire.set_epoch(version.epoch);
  wire.set_version(version.version);
  return wire;
}

v1::SetKeyRequest ToWire(const SetKeyRequest& request) {
  v1::SetKeyRequest wire;
  wire.set_key(request.key);
  wire.set_value(request.value);
  wire.set_content_type(request.content_type);
  if (request.expect) *wire.mutable_expect() = ToWire(*request.expect);
  wire.set_require_watchers(request.require_watchers);
  wire.set_session_id(request.session_id);
  return wire;
}

v1::GetKeyRequest ToWire(const GetKeyRequest& request) {
  v1::GetKeyRequest wire;
  wire.set_key(request.key);
  switch (request.wait_for) {
    case KeyWait::kNone:
      break;
    case KeyWait::kExists:
      wire.set_exists(true);
      break;
    case KeyWait::kVersionAbove:
      *wire.mutable_version_above() = ToWire(request.version_above);
      break;
    case KeyWait::kEquals:
      wire.set_equals(request.equals);
      break;
  }
  wire.set_wait_ms(ToWireMs(request.wait));
  return wire;
}

ConfigEntry TakeFromWire(v1::Entry& entry) {
  ConfigEntry to;
  to.key = std::move(*entry.mutable_key());
  to.value = std::move(*entry.mutable_value());
  to.content_type = std::move(*entry.mutable_content_type());
  to.at = {entry.epoch(), entry.version()};
  to.revision = entry.revision();
  to.deleted = entry.deleted();
  to.ephemeral = entry.ephemeral();
  to.changed_unix_us = entry.changed_unix_us();
  return to;
}

}  // namespace abi1
}  // namespace sluice
