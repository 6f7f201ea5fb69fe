// SPDX-License-Identifier: Apache-2.0
// A message as one line of JSON: what `receive --json` prints, `send --json-lines` reads.
//
//   payload         text; or payload_base64, if it is not UTF-8
//   headers         an object of texts; left out when empty, as are:
//   id, content_type
//   position, accepted_unix_us, attempts, failures   of a received message; read and ignored
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "output.h"
#include "sluice/message.h"

namespace sluice::cli {

// A message that owns its text.
struct OwnedMessage {
  std::string payload;
  std::string id;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;
};

Json ToJson(const Delivery& delivery);

// BAD_OPTION says what is wrong with the line.
Result<OwnedMessage> FromJsonLine(const std::string& line);

// The delivery as the user wants it, on stdout: JSON, or the payload and a line feed.
void PrintDelivery(const Delivery& delivery, bool json);

}  // namespace sluice::cli
