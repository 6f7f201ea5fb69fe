// SPDX-License-Identifier: Apache-2.0
// The scanner's rules a second time, slow and plain: written from the protobuf encoding and the
// header of wire/frame_scanner.h, one byte at a time, copying everything, sharing no code with what
// it judges. The fuzzer holds the scanner against it; tests/wire holds both against the generated
// classes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/frame_scanner.h"

namespace sluice::wire::reference {

struct Message {
  std::string record;  // Tag and length included.
  std::string payload;
  std::string id;
  std::string content_type;
  std::map<std::string, std::string> headers;
};

struct Refusal {
  ScanError::Kind kind = ScanError::Kind::kTruncated;
  std::int64_t message_index = -1;
  std::string field;
};

struct Judgement {
  std::optional<Refusal> refusal;
  // Of an accepted frame.
  std::vector<Message> messages;
  std::string other;
};

[[nodiscard]] Judgement Judge(std::string_view frame, const ScanLimits& limits);

[[nodiscard]] bool IsUtf8(std::string_view text);

}  // namespace sluice::wire::reference
