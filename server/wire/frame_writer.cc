// SPDX-License-Identifier: Apache-2.0
#include "wire/frame_writer.h"

#include <array>
#include <bit>

namespace sluice::wire {
namespace {

std::uint64_t TagOf(std::uint32_t field, WireType type) {
  return (std::uint64_t{field} << 3) | static_cast<std::uint64_t>(type);
}

// Sizes of whole fields, 0 for those that are left out: a message's length stands before its
// content.
std::size_t UintFieldBytes(std::uint32_t field, std::uint64_t value) {
  return value == 0 ? 0 : VarintBytes(TagOf(field, WireType::kVarint)) + VarintBytes(value);
}

std::size_t Fixed64FieldBytes(std::uint32_t field, std::uint64_t value) {
  return value == 0 ? 0 : VarintBytes(TagOf(field, WireType::kFixed64)) + sizeof value;
}

std::size_t BytesFieldBytes(std::uint32_t field, std::size_t size) {
  return size == 0 ? 0 : VarintBytes(TagOf(field, WireType::kBytes)) + VarintBytes(size) + size;
}

// Entries always hold both fields, as the generated classes write them, empty or not.
std::size_t EntryBytes(const Header& header) {
  return 2 + VarintBytes(header.key.size()) + header.key.size() + VarintBytes(header.value.size()) +
         header.value.size();
}

}  // namespace

std::size_t VarintBytes(std::uint64_t value) {
  return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

void AppendVarint(std::string& out, std::uint64_t value) {
  std::array<char, kValueBytesMax> bytes;
  std::size_t size = 0;
  while (value >= 0x80) {
    bytes[size++] = static_cast<char>((value & 0x7f) | 0x80);
    value >>= 7;
  }
  bytes[size++] = static_cast<char>(value);
  out.append(bytes.data(), size);
}

void AppendTag(std::string& out, std::uint32_t field, WireType type) {
  AppendVarint(out, TagOf(field, type));
}

void AppendUint(std::string& out, std::uint32_t field, std::uint64_t value) {
  if (value != 0) AppendUintPresent(out, field, value);
}

void AppendUintPresent(std::string& out, std::uint32_t field, std::uint64_t value) {
  AppendTag(out, field, WireType::kVarint);
  AppendVarint(out, value);
}

void AppendFixed64(std::string& out, std::uint32_t field, std::uint64_t value) {
  if (value == 0) return;
  AppendTag(out, field, WireType::kFixed64);
  std::array<char, sizeof value> bytes;
  for (char& byte : bytes) {
    byte = static_cast<char>(value & 0xff);
    value >>= 8;
  }
  out.append(bytes.data(), bytes.size());
}

void AppendBytes(std::string& out, std::uint32_t field, std::string_view bytes) {
  if (!bytes.empty()) AppendBytesPresent(out, field, bytes);
}

void AppendBytesPresent(std::string& out, std::uint32_t field, std::string_view bytes) {
  AppendTag(out, field, WireType::kBytes);
  AppendVarint(out, bytes.size());
  out.append(bytes);
}

void AppendRun(std::string& out, const Run& run) {
  AppendTag(out, kRunsField, WireType::kBytes);
  AppendVarint(out, UintFieldBytes(run_field::kFirstPosition, run.first_position) +
                        UintFieldBytes(run_field::kCount, run.count) +
                        Fixed64FieldBytes(run_field::kAcceptedUnixUs, run.accepted_unix_us) +
                        UintFieldBytes(run_field::kAttempts, run.attempts) +
                        UintFieldBytes(run_field::kFailures, run.failures));
  AppendUint(out, run_field::kFirstPosition, run.first_position);
  AppendUint(out, run_field::kCount, run.count);
  AppendFixed64(out, run_field::kAcceptedUnixUs, run.accepted_unix_us);
  AppendUint(out, run_field::kAttempts, run.attempts);
  AppendUint(out, run_field::kFailures, run.failures);
}

void AppendAck(std::string& out, const Ack& ack) {
  AppendTag(out, kAcksField, WireType::kBytes);
  AppendVarint(out, UintFieldBytes(ack_field::kFirstSequence, ack.first_sequence) +
                        UintFieldBytes(ack_field::kCount, ack.count) +
                        UintFieldBytes(ack_field::kOutcome, ack.outcome) +
                        UintFieldBytes(ack_field::kFirstPosition, ack.first_position) +
                        UintFieldBytes(ack_field::kDurability, ack.durability) +
                        UintFieldBytes(ack_field::kDuplicate, ack.is_duplicate ? 1 : 0) +
                        UintFieldBytes(ack_field::kReason, ack.reason) +
                        UintFieldBytes(ack_field::kDeliveredTo, ack.delivered_to) +
                        UintFieldBytes(ack_field::kFullReason, ack.full_reason));
  AppendUint(out, ack_field::kFirstSequence, ack.first_sequence);
  AppendUint(out, ack_field::kCount, ack.count);
  AppendUint(out, ack_field::kOutcome, ack.outcome);
  AppendUint(out, ack_field::kFirstPosition, ack.first_position);
  AppendUint(out, ack_field::kDurability, ack.durability);
  AppendUint(out, ack_field::kDuplicate, ack.is_duplicate ? 1 : 0);
  AppendUint(out, ack_field::kReason, ack.reason);
  AppendUint(out, ack_field::kDeliveredTo, ack.delivered_to);
  AppendUint(out, ack_field::kFullReason, ack.full_reason);
}

std::size_t MessageBytes(std::string_view payload, std::string_view id,
                         std::string_view content_type, std::span<const Header> headers) {
  std::size_t size = BytesFieldBytes(message_field::kPayload, payload.size()) +
                     BytesFieldBytes(message_field::kId, id.size()) +
                     BytesFieldBytes(message_field::kContentType, content_type.size());
  for (const Header& header : headers) {
    size += BytesFieldBytes(message_field::kHeaders, EntryBytes(header));
  }
  return size;
}

void AppendMessage(std::string& out, std::string_view payload, std::string_view id,
                   std::string_view content_type, std::span<const Header> headers) {
  AppendTag(out, kMessagesField, WireType::kBytes);
  AppendVarint(out, MessageBytes(payload, id, content_type, headers));
  AppendBytes(out, message_field::kPayload, payload);
  for (const Header& header : headers) {
    AppendTag(out, message_field::kHeaders, WireType::kBytes);
    AppendVarint(out, EntryBytes(header));
    AppendBytesPresent(out, header_field::kKey, header.key);
    AppendBytesPresent(out, header_field::kValue, header.value);
  }
  AppendBytes(out, message_field::kId, id);
  AppendBytes(out, message_field::kContentType, content_type);
}

}  // namespace sluice::wire
