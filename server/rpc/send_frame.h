// SPDX-License-Identifier: Apache-2.0
// A frame of messages on its way in: scanned, checked against its channel, copied once.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "broker/batch.h"
#include "rpc/byte_buffer.h"
#include "wire/frame_scanner.h"

namespace sluice::rpc {

// INVALID_ARGUMENT, reason MALFORMED or OUT_OF_BOUNDS: what the scanner refused, in words.
Status Refused(const wire::ScanError& error);

// Reused from frame to frame by its owner. Views live until the next Scan.
class SendFrame {
 public:
  explicit SendFrame(std::string& scratch) : scratch_(scratch) {}

  // INVALID_ARGUMENT, reason MALFORMED or OUT_OF_BOUNDS, naming index, field, limit and value.
  Status Scan(const grpc::ByteBuffer& buffer);
  // The fields beside the messages, for the generated class.
  const std::string& rest() const noexcept { return scanned_.other; }
  std::uint32_t messages() const noexcept {
    return static_cast<std::uint32_t>(scanned_.messages.size());
  }
  // Against the channel's own limit, and that the last sequence is one that travels. Nothing else
  // about a frame depends on its channel.
  template <class Channel>
  Status Check(const Channel& channel, std::uint64_t first_sequence) const {
    return Check(Channel::kKind, channel.spec().message_bytes_max, first_sequence);
  }
  // Copies the records.
  broker::Incoming Take();
  void Clear();

 private:
  Status Check(std::string_view kind, std::uint64_t message_bytes_max,
               std::uint64_t first_sequence) const;

  std::string& scratch_;
  std::optional<FlatFrame> frame_;
  wire::ScannedFrame scanned_;
  std::vector<broker::RecordSpan> records_;
};

}  // namespace sluice::rpc
