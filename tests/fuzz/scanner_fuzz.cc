// SPDX-License-Identifier: Apache-2.0
// Goal: scanner and reference agree on every frame: whether it is accepted, what is in it, and for
// a refusal its kind, the message and the field. Input: one byte that chooses the limits (even: the
// defaults; odd: tiny ones, so that short inputs reach them), then the frame. The reader of clients
// runs over the same bytes.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/reference_scanner.h"
#include "wire/frame_reader.h"
#include "wire/frame_scanner.h"

namespace {

using sluice::wire::Header;
using sluice::wire::MessageSpan;
using sluice::wire::MessageView;
using sluice::wire::ReceivedFrame;
using sluice::wire::ScanError;
using sluice::wire::ScanLimits;
using sluice::wire::ScannedFrame;
namespace reference = sluice::wire::reference;

constexpr ScanLimits kTinyLimits{.frame_bytes_max = 90,
                                 .messages_max = 3,
                                 .message_bytes_max = 40,
                                 .headers_max = 2,
                                 .header_bytes_max = 12};

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "scanner and reference disagree: %s\n", what);
  std::abort();
}

void CompareRefusals(const ScanError& error, const reference::Refusal& refusal) {
  Require(error.kind == refusal.kind, "kind of the refusal");
  Require(error.message_index == refusal.message_index, "index of the refused message");
  Require(error.field == refusal.field, "field of the refusal");
  const bool is_limit =
      error.kind == ScanError::Kind::kTooMany || error.kind == ScanError::Kind::kTooLarge;
  Require(is_limit ? error.value > error.limit : error.value == 0, "value of the refusal");
  Require(!Name(error.kind).empty(), "the kind has a name");
  Require(error.text.find(refusal.field) != std::string::npos, "the sentence names the field");
}

void CompareMessage(std::string_view record, std::uint32_t payload_bytes,
                    const reference::Message& expected) {
  Require(record == expected.record, "bytes of the record");
  Require(payload_bytes == expected.payload.size(), "size of the payload");
  ReceivedFrame alone;
  Require(ReadFrame(record, alone) && alone.messages.size() == 1,
          "the reader takes the record alone");
  const MessageView& view = alone.messages[0];
  Require(view.payload == expected.payload, "payload");
  Require(view.id == expected.id, "id");
  Require(view.content_type == expected.content_type, "content type");
  std::vector<Header> entries;
  Require(ReadHeaders(view.encoded, entries), "the reader takes the headers");
  std::map<std::string, std::string> headers;
  for (const Header& entry : entries) headers[std::string(entry.key)] = entry.value;
  Require(headers == expected.headers, "headers");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ScanLimits limits = data[0] % 2 == 0 ? ScanLimits{} : kTinyLimits;
  const std::string_view frame(reinterpret_cast<const char*>(data) + 1, size - 1);

  ScannedFrame scanned;
  scanned.messages.push_back(MessageSpan{1, 2, 3});
  scanned.other = "left from the frame before";
  const auto error = ScanFrame(frame, limits, scanned);
  const reference::Judgement judgement = reference::Judge(frame, limits);
  Require(error.has_value() == judgement.refusal.has_value(), "acceptance");
  if (error.has_value()) {
    CompareRefusals(*error, *judgement.refusal);
    Require(scanned.messages.empty() && scanned.other.empty(), "a refusal accepts nothing");
  } else {
    Require(scanned.messages.size() == judgement.messages.size(), "number of messages");
    Require(scanned.other == judgement.other, "the other fields");
    for (std::size_t i = 0; i < scanned.messages.size(); ++i) {
      const MessageSpan& span = scanned.messages[i];
      CompareMessage(frame.substr(span.offset, span.size), span.payload_bytes,
                     judgement.messages[i]);
    }
  }

  ReceivedFrame received;
  if (!ReadFrame(frame, received)) {
    Require(received.messages.empty() && received.runs.empty() && received.other.empty(),
            "nothing is read");
  }
  return 0;
}
