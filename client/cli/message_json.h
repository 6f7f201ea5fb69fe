// SPDX-License-Identifier: Apache-2.0
// A message as one line of JSON: what `receive --json` prints, `send --json-lines` reads.
//
//   payload         text; or payload_base64, if it is not UTF-8
//   headers         an object of texts; left out when empty, as are:
//   id, content_type
//   topic, position, accepted_unix_us, attempts, failures   of a received message; read and ignored
#pragma once

#include <string>

#include "output.h"
#include "sluice/message.h"
#include "sluice/owned_message.h"

namespace sluice::cli {

// What Delivery, OwnedMessage and a reply have in common: payload, id, content type.
void PutContent(Json& json, std::string_view payload, std::string_view id,
                std::string_view content_type);
Json ToJson(const Delivery& delivery);
Json ToJson(const OwnedMessage& message);

// BAD_OPTION says what is wrong with the line.
Result<OwnedMessage> FromJsonLine(const std::string& line);

// The delivery as the user wants it, on stdout: JSON, or the payload and a line feed.
void PrintDelivery(const Delivery& delivery, bool json);
// A reply, or a part of one, for people: its payload, and a line feed unless it ends with one.
void PrintPayload(std::string_view payload);

}  // namespace sluice::cli
