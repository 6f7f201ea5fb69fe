// SPDX-License-Identifier: Apache-2.0
#include <grpcpp/support/slice.h>

#include <utility>

#include "batch_reader.h"
#include "sluice/message.h"
#include "wire/frame_reader.h"

namespace sluice {
inline namespace abi1 {

struct Batch::Bytes {
  grpc::Slice slice;          // What the deliveries point into.
  wire::ReceivedFrame frame;  // Kept for its memory.
};

Batch::Batch() = default;
Batch::~Batch() = default;
Batch::Batch(Batch&& other) noexcept = default;
Batch& Batch::operator=(Batch&& other) noexcept = default;

std::vector<Header> Delivery::Headers() const {
  std::vector<wire::Header> read;
  std::vector<Header> headers;
  if (!wire::ReadHeaders(encoded, read)) return headers;  // The daemon lets none through.
  headers.reserve(read.size());
  for (const wire::Header& header : read) headers.push_back({header.key, header.value});
  return headers;
}

bool BatchReader::Read(grpc::ByteBuffer& frame, Batch& batch, std::string& other,
                       std::uint64_t lease) {
  batch.deliveries_.clear();
  batch.ranges_.clear();
  if (batch.bytes_ == nullptr) batch.bytes_ = std::make_unique<Batch::Bytes>();
  Batch::Bytes& bytes = *batch.bytes_;
  // A frame within one read buffer is used where it lies, a longer one is joined by one copy.
  if (!frame.TrySingleSlice(&bytes.slice).ok() && !frame.DumpToSingleSlice(&bytes.slice).ok())
    return false;
  const std::string_view encoded(reinterpret_cast<const char*>(bytes.slice.begin()),
                                 bytes.slice.size());
  batch.frame_bytes_ = bytes.slice.size();
  wire::ReceivedFrame& received = bytes.frame;
  if (!wire::ReadFrame(encoded, received) || !received.RunsPartitionMessages()) return false;
  other.assign(received.other);

  batch.deliveries_.reserve(received.messages.size());
  std::size_t next = 0;
  for (const wire::Run& run : received.runs) {
    batch.ranges_.push_back({run.first_position, run.count, lease});
    for (std::uint32_t i = 0; i < run.count; ++i, ++next) {
      const wire::MessageView& message = received.messages[next];
      batch.deliveries_.push_back({run.first_position + i, run.accepted_unix_us, run.attempts,
                                   run.failures, message.payload, message.id, message.content_type,
                                   message.encoded, lease});
    }
  }
  return true;
}

void BatchReader::SetLease(Batch& batch, std::uint64_t lease) {
  for (Delivery& delivery : batch.deliveries_) delivery.lease = lease;
  for (PositionRange& range : batch.ranges_) range.lease = lease;
}

}  // namespace abi1
}  // namespace sluice
