// SPDX-License-Identifier: Apache-2.0
// The gate for request frames that carry a batch: finds where each message begins and ends, and
// refuses what any generated parser would refuse, so that the bytes can be handed on verbatim.
//
// Promise    What the scanner accepts, every generated parser parses: the message bytes reach every
//            consumer of the channel, and one that its parser refuses would end that consumer's
//            stream.
// Messages   Field 1 of the frame, wherever it stands. Of a Message (payload 1, headers 2, id 3,
//            content type 4) each known field must have its wire type; id, content type, header
//            keys and values must be UTF-8 at each occurrence; a repeated singular field is legal
//            and the last one wins. Unknown fields pass, their framing checked. A header entry may
//            lack key or value, repeat them, or hold unknown fields.
// The rest   Every other top-level field is collected in order into `other`, framing checked, for
//            the generated class, which judges its content. Field 1 never goes there.
// Refused    Groups, field number 0 or above 2^29 - 1, wire types 6 and 7, overlong varints
//            (varint.h), fields that reach beyond what holds them, and what is over a limit.
// A refusal  names message and field; nothing of the frame is accepted.
// Cost       One pass, no copy of a message, no allocation once the vector has grown; measured by
//            tests/wire/frame_scanner_bench.cc.
// Threads    A pure function of its arguments.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::wire {

// One message of a frame: the whole record, its tag and length included (`0A len bytes`), so that
// frame bytes [offset, offset + size) stand under field 1 of another frame as they are.
struct MessageSpan {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
  std::uint32_t payload_bytes = 0;

  friend bool operator==(const MessageSpan&, const MessageSpan&) = default;
};

// Reused by its owner from frame to frame: the scanner clears it and keeps its memory.
struct ScannedFrame {
  std::vector<MessageSpan> messages;
  std::string other;  // The encoded fields beside `messages`, in order.

  void Clear() {
    messages.clear();
    other.clear();
  }
};

struct ScanLimits {
  // The whole frame. Above 2 GiB less 256 bytes nothing is accepted, whatever this says.
  std::uint32_t frame_bytes_max = 4 * 1024 * 1024;
  // Messages of one frame.
  std::uint32_t messages_max = 65'536;
  // One encoded Message, without its tag and length.
  std::uint32_t message_bytes_max = 1024 * 1024;
  // Header entries of one message; a repeated key counts each time.
  std::uint32_t headers_max = 64;
  // Keys and values of one message together, each occurrence.
  std::uint32_t header_bytes_max = 8 * 1024;
};

struct ScanError {
  enum class Kind : std::uint8_t {
    kTruncated,       // Bytes end inside a field, or a length reaches beyond what holds it.
    kOverlongVarint,  // Over 5 bytes in a length, over 10 bytes or 64 bits in a value, a padded
                      // tag.
    kFieldNumber,     // 0, or above 2^29 - 1.
    kGroup,           // Start or end of a group.
    kWireType,        // 6 or 7, or not the one of a known field.
    kBadUtf8,         // A string is not UTF-8 (utf8.h).
    kTooMany,         // Messages or headers; `limit` and `value` are set.
    kTooLarge,        // A message, its headers or the frame; `limit` and `value` are set.
  };

  Kind kind = Kind::kTruncated;
  std::int64_t message_index = -1;  // From 0; -1 is the frame itself.
  // "payload", "headers", "id", "content_type"; "messages" for a message as such; "frame" for the
  // rest.
  std::string_view field;
  std::uint64_t limit = 0;
  std::uint64_t value = 0;  // A count stops at the first that is over the limit.
  std::string text;         // One sentence for people: "message 3: headers: not valid UTF-8".
};

// "TRUNCATED", "OVERLONG_VARINT", ...: for ErrorInfo metadata and metrics.
[[nodiscard]] std::string_view Name(ScanError::Kind kind);

// Scans `frame` into `scanned`. Nothing returned: accepted. Otherwise `scanned` is left empty.
[[nodiscard]] std::optional<ScanError> ScanFrame(std::string_view frame, const ScanLimits& limits,
                                                 ScannedFrame& scanned);

}  // namespace sluice::wire
