// SPDX-License-Identifier: Apache-2.0
#include "message_json.h"

#include <absl/strings/escaping.h>

#include <string_view>

#include "invocation.h"

namespace sluice::cli {
namespace {

Status BadLine(const std::string& text, const std::string& field = {}) {
  Status::Details details;
  if (!field.empty()) details["field"] = field;
  return BadOption(text, std::move(details));
}

// What a message that was received has beside its content; read and ignored.
bool IsOfReceived(const std::string& key) {
  return key == "topic" || key == "position" || key == "accepted_unix_us" || key == "attempts" ||
         key == "failures";
}

Status ReadHeaders(const Json& value, OwnedMessage& message) {
  if (!value.is_object()) return BadLine("headers must be an object", "headers");
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) return BadLine("a header must be a text: " + key, "headers");
    message.headers.emplace_back(key, text.get<std::string>());
  }
  return Status();
}

Status ReadField(const std::string& key, const Json& value, OwnedMessage& message) {
  if (IsOfReceived(key)) return Status();
  if (key == "headers") return ReadHeaders(value, message);
  std::string* target = nullptr;
  if (key == "payload" || key == "payload_base64") target = &message.payload;
  if (key == "id") target = &message.id;
  if (key == "content_type") target = &message.content_type;
  if (target == nullptr) return BadLine("unknown field: " + key, key);
  if (!value.is_string()) return BadLine(key + " must be a text", key);
  *target = value.get<std::string>();
  if (key != "payload_base64") return Status();
  std::string decoded;
  if (!absl::Base64Unescape(*target, &decoded)) return BadLine("this is not base64", key);
  *target = std::move(decoded);
  return Status();
}

}  // namespace

void PutContent(Json& json, std::string_view payload, std::string_view id,
                std::string_view content_type) {
  PutBytes(json, "payload", payload);
  if (!id.empty()) json["id"] = id;
  if (!content_type.empty()) json["content_type"] = content_type;
}

Json ToJson(const Delivery& delivery) {
  Json json;
  json["position"] = delivery.position;
  PutContent(json, delivery.payload, delivery.id, delivery.content_type);
  for (const Header& header : delivery.Headers())
    json["headers"][std::string(header.key)] = header.value;
  json["accepted_unix_us"] = delivery.accepted_unix_us;
  json["attempts"] = delivery.attempts;
  json["failures"] = delivery.failures;
  return json;
}

Json ToJson(const OwnedMessage& message) {
  Json json;
  PutContent(json, message.payload, message.id, message.content_type);
  for (const auto& [key, value] : message.headers) json["headers"][key] = value;
  return json;
}

Result<OwnedMessage> FromJsonLine(const std::string& line) {
  const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return BadLine("this is not JSON");
  if (!json.is_object()) return BadLine("a line must be a JSON object");
  if (json.contains("payload") == json.contains("payload_base64")) {
    return BadLine("a message has one of payload and payload_base64", "payload");
  }
  OwnedMessage message;
  for (const auto& [key, value] : json.items()) {
    if (Status status = ReadField(key, value, message); !status.ok()) return status;
  }
  return message;
}

void PrintDelivery(const Delivery& delivery, bool json) {
  if (json) {
    PrintJson(ToJson(delivery));
  } else {
    PrintText(Shown(delivery.payload) + "\n");
  }
}

void PrintPayload(std::string_view payload) {
  PrintText(Shown(payload) + (payload.ends_with('\n') ? "" : "\n"));
}

}  // namespace sluice::cli
