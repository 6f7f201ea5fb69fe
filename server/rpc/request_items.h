// SPDX-License-Identifier: Apache-2.0
// Frames whose messages stand in an item or in the request itself (CallStart.request,
// WorkerReply.message, CallRequest.request): the messages are taken out as bytes, checked as those
// of a Send are (wire/frame_scanner.h), and travel verbatim; the generated class reads what is
// left, with an empty message where one stood.
//
// Threads: an object belongs to its caller, who may reuse it from frame to frame.
#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "broker/responder_call.h"
#include "wire/frame_scanner.h"

namespace sluice::rpc {

// Where messages stand in a frame.
struct ItemLayout {
  std::uint32_t items_field = 0;  // repeated; 0: the frame itself is the one item
  std::string_view items_name;
  std::size_t items_max = 1;
  std::uint32_t message_field = 0;
  std::uint32_t id_field = 0;  // of an item: its call_id
};

class ItemFrame {
 public:
  explicit ItemFrame(std::string& scratch) : scratch_(scratch) {}

  // INVALID_ARGUMENT: MALFORMED, also for an item with two messages; or OUT_OF_BOUNDS for the
  // frame, the number of items, or the headers of a message. Names the item by index and call_id.
  Status Read(const grpc::ByteBuffer& buffer, const ItemLayout& layout,
              google::protobuf::MessageLite& rest);
  // One for each item, in order; none where there is none.
  std::vector<broker::EncodedMessage>& messages() noexcept { return messages_; }

 private:
  // False: it is not an encoding, or `fault_` says what is wrong.
  bool ReadItem(std::string_view item, const ItemLayout& layout, std::string& rest);
  bool ReadItems(std::string_view frame, const ItemLayout& layout);
  bool Take(std::string_view message);
  // With the index and the call_id of the item.
  Status Named(Status fault, std::string_view item, const ItemLayout& layout) const;

  std::string& scratch_;
  std::string rest_;
  std::string item_rest_;
  wire::ScannedFrame scanned_;
  std::vector<broker::EncodedMessage> messages_;
  Status fault_;
};

// A message of no bytes: what an absent request stands for.
broker::EncodedMessage EmptyMessage();

}  // namespace sluice::rpc
