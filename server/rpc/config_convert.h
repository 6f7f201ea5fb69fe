// SPDX-License-Identifier: Apache-2.0
// Between the wire's config messages and the broker's. Entries are written by hand, so that a large
// value goes out by reference however many watchers it has.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "broker/config_entry.h"
#include "broker/config_watcher.h"
#include "broker/delivery.h"
#include "sluice/v1/config.pb.h"

namespace sluice::rpc {

// A frame with entries in it, put together field by field.
class EntryFrame {
 public:
  // Other fields of the frame are appended here, encoded.
  std::string& text() noexcept { return text_; }
  // One entry as the field `number` of the frame.
  void Add(int number, const broker::EntryPtr& entry, bool with_value);
  grpc::ByteBuffer Finish();

 private:
  void Flush();

  std::string text_;           // behind the parts
  broker::Delivery delivery_;  // the parts: text before it, and values by reference
};

// SetKeyResponse, GetKeyResponse and DeleteKeyResponse, which have the same fields.
grpc::ByteBuffer ToFrame(const broker::KeyAnswer& answer, bool with_value);
// The `closed` of WatchNews is not in it: it ends the stream.
grpc::ByteBuffer ToFrame(const broker::WatchNews& news, std::uint64_t service_epoch);

std::optional<broker::KeyVersion> VersionOf(bool is_present, const v1::KeyVersion& version);
// Takes the strings out of `request`. INVALID_ARGUMENT: the session's id, what CheckSet refuses.
Result<broker::SetOptions> FromWire(v1::SetKeyRequest& request);
// None: the request has no condition. Takes the strings out. INVALID_ARGUMENT: `exists` is false.
Result<std::optional<broker::KeyCondition>> ConditionOf(v1::GetKeyRequest& request);
broker::WatchOptions FromWire(const v1::WatchRequest& request);

}  // namespace sluice::rpc
