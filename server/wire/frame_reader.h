// SPDX-License-Identifier: Apache-2.0
// Reads a received frame in place, for clients: ReceiveResponse, ReceiveStreamResponse,
// SubscribeResponse. Messages and runs come out as views; every other field is collected for the
// generated class.
//
// Views point into the frame and live as long as its bytes. What is read agrees with the generated
// parser on every frame that it accepts, less groups, padded tags and wrong wire types of known
// fields, which no broker writes. The reader asks less of the bytes than the scanner (it does not
// check UTF-8), and never reads beyond them.
// Threads: pure functions of their arguments.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wire/frame_fields.h"

namespace sluice::wire {

struct MessageView {
  std::string_view payload;
  std::string_view id;
  std::string_view content_type;
  std::string_view encoded;  // The whole Message, without tag and length: ReadHeaders takes it.
};

// Reused from frame to frame: ReadFrame clears it and keeps its memory.
struct ReceivedFrame {
  std::vector<MessageView> messages;
  std::vector<Run> runs;
  std::string other;  // The encoded fields beside messages and runs, in order.

  void Clear() {
    messages.clear();
    runs.clear();
    other.clear();
  }

  // The runs describe each message once: run i begins at the message after those of the runs before
  // it.
  [[nodiscard]] bool RunsPartitionMessages() const;
};

// False: the bytes are not such a frame, and `received` is left empty.
[[nodiscard]] bool ReadFrame(std::string_view frame, ReceivedFrame& received);

// One encoded Message; `encoded` is set, too. False: the bytes are not a Message.
[[nodiscard]] bool ReadMessage(std::string_view encoded, MessageView& message);

// The header entries of an encoded Message in the order of the bytes; of a repeated key the last
// one counts. False: the bytes are not a Message, and `headers` is left empty.
[[nodiscard]] bool ReadHeaders(std::string_view encoded, std::vector<Header>& headers);

}  // namespace sluice::wire
