// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/reference_scanner.h"

#include <cstddef>
#include <cstdint>

namespace sluice::wire::reference {
namespace {

using Kind = ScanError::Kind;

// Thrown by the reader; the field is named by whoever knows it.
struct Fault {
  Kind kind;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool is_done() const { return next_ == bytes_.size(); }
  [[nodiscard]] std::size_t next() const { return next_; }

  std::string Take(std::uint64_t count) {
    std::string taken;
    for (std::uint64_t i = 0; i < count; ++i) {
      if (is_done()) throw Fault{Kind::kTruncated};
      taken.push_back(bytes_[next_++]);
    }
    return taken;
  }

  // Its groups of seven bits come lowest first. Arithmetic on 128 bits, so that nothing can be
  // lost.
  std::uint64_t Varint(int bytes_max) {
    __extension__ unsigned __int128 value = 0;
    for (int i = 0; i < bytes_max; ++i) {
      const auto byte = static_cast<unsigned char>(Take(1)[0]);
      value += static_cast<__uint128_t>(byte % 128) << (7 * i);
      if (byte < 128) {
        if (value > UINT64_MAX) throw Fault{Kind::kOverlongVarint};
        return static_cast<std::uint64_t>(value);
      }
    }
    throw Fault{Kind::kOverlongVarint};
  }

 private:
  std::string_view bytes_;
  std::size_t next_ = 0;
};

struct AnyField {
  std::uint64_t number = 0;
  std::uint64_t wire_type = 0;
  std::string bytes;
};

// `number` is 0 until the tag is known to be good: a fault before that belongs to no field.
AnyField TakeField(Reader& reader, std::uint64_t& number) {
  number = 0;
  const std::size_t begin = reader.next();
  const std::uint64_t tag = reader.Varint(5);
  std::size_t shortest = 1;
  for (std::uint64_t rest = tag / 128; rest != 0; rest /= 128) ++shortest;
  if (reader.next() - begin != shortest) throw Fault{Kind::kOverlongVarint};
  if (tag / 8 == 0 || tag / 8 >= 536'870'912) throw Fault{Kind::kFieldNumber};
  number = tag / 8;
  AnyField field{.number = number, .wire_type = tag % 8, .bytes = {}};
  if (field.wire_type == 0) {
    (void)reader.Varint(10);
  } else if (field.wire_type == 1) {
    (void)reader.Take(8);
  } else if (field.wire_type == 2) {
    field.bytes = reader.Take(reader.Varint(5));
  } else if (field.wire_type == 3 || field.wire_type == 4) {
    throw Fault{Kind::kGroup};
  } else if (field.wire_type == 5) {
    (void)reader.Take(4);
  } else {
    throw Fault{Kind::kWireType};
  }
  return field;
}

void Require(bool holds, Kind kind) {
  if (!holds) throw Fault{kind};
}

void JudgeEntry(const std::string& bytes, const ScanLimits& limits, std::uint64_t& header_bytes,
                Message& message) {
  Reader reader(bytes);
  std::string key;
  std::string value;
  std::uint64_t number = 0;
  while (!reader.is_done()) {
    const AnyField field = TakeField(reader, number);
    if (field.number != 1 && field.number != 2) continue;
    Require(field.wire_type == 2, Kind::kWireType);
    header_bytes += field.bytes.size();
    Require(header_bytes <= limits.header_bytes_max, Kind::kTooLarge);
    Require(IsUtf8(field.bytes), Kind::kBadUtf8);
    if (field.number == 1) key = field.bytes;
    if (field.number == 2) value = field.bytes;
  }
  message.headers[key] = value;
}

// `at` names the field that is being read, for a fault's sake.
void JudgeMessage(const std::string& bytes, const ScanLimits& limits, Message& message,
                  std::string& at) {
  Reader reader(bytes);
  std::uint64_t header_count = 0;
  std::uint64_t header_bytes = 0;
  const std::map<std::uint64_t, std::string> names = {
      {1, "payload"}, {2, "headers"}, {3, "id"}, {4, "content_type"}};
  while (!reader.is_done()) {
    std::uint64_t number = 0;
    AnyField field;
    try {
      field = TakeField(reader, number);
    } catch (const Fault&) {
      at = names.contains(number) ? names.at(number) : "messages";
      throw;
    }
    if (!names.contains(number)) continue;
    at = names.at(number);
    Require(field.wire_type == 2, Kind::kWireType);
    if (number == 1) message.payload = field.bytes;
    if (number == 2) {
      Require(++header_count <= limits.headers_max, Kind::kTooMany);
      JudgeEntry(field.bytes, limits, header_bytes, message);
    }
    if (number == 3 || number == 4) {
      Require(IsUtf8(field.bytes), Kind::kBadUtf8);
      (number == 3 ? message.id : message.content_type) = field.bytes;
    }
  }
}

void JudgeFrame(std::string_view frame, const ScanLimits& limits, Judgement& judgement,
                std::string& at) {
  Require(frame.size() <= limits.frame_bytes_max, Kind::kTooLarge);
  Reader reader(frame);
  while (!reader.is_done()) {
    const std::size_t begin = reader.next();
    std::uint64_t number = 0;
    AnyField field;
    at = "frame";
    try {
      field = TakeField(reader, number);
    } catch (const Fault&) {
      if (number == 1) at = "messages";
      throw;
    }
    const std::string record(frame.substr(begin, reader.next() - begin));
    if (number != 1) {
      judgement.other += record;
      continue;
    }
    at = "messages";
    Require(field.wire_type == 2, Kind::kWireType);
    Require(judgement.messages.size() < limits.messages_max, Kind::kTooMany);
    Require(field.bytes.size() <= limits.message_bytes_max, Kind::kTooLarge);
    Message message;
    message.record = record;
    JudgeMessage(field.bytes, limits, message, at);
    judgement.messages.push_back(message);
  }
}

}  // namespace

Judgement Judge(std::string_view frame, const ScanLimits& limits) {
  Judgement judgement;
  std::string at = "frame";
  try {
    JudgeFrame(frame, limits, judgement, at);
  } catch (const Fault& fault) {
    const auto count = static_cast<std::int64_t>(judgement.messages.size());
    judgement.refusal = Refusal{fault.kind, at == "frame" ? -1 : count, at};
  }
  return judgement;
}

bool IsUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    if (lead < 0x80) continue;
    int more = 0;
    if (lead >= 0xc0 && lead < 0xe0) more = 1;
    if (lead >= 0xe0 && lead < 0xf0) more = 2;
    if (lead >= 0xf0 && lead < 0xf8) more = 3;
    if (more == 0) return false;
    std::uint32_t point = lead & (0x3fu >> more);
    for (int k = 0; k < more; ++k) {
      if (i == text.size()) return false;
      const auto byte = static_cast<unsigned char>(text[i++]);
      if ((byte & 0xc0) != 0x80) return false;
      point = point * 64 + (byte & 0x3f);
    }
    const std::uint32_t least = more == 1 ? 0x80 : more == 2 ? 0x800 : 0x10000;
    if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
  }
  return true;
}

}  // namespace sluice::wire::reference
