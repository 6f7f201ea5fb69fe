// SPDX-License-Identifier: Apache-2.0
// Appends protobuf fields to a string: for response frames that the broker encodes by hand (runs
// and acks beside verbatim messages) and for clients that send batches. Whoever parses the result
// sees what the generated classes would have written: fields in ascending order, and, as proto3 has
// it, nothing at all for a field that is 0, false or empty. The functions named ...Present write it
// even then, for `optional` fields.
//
// Strings must be UTF-8 (utf8.h): nothing is checked here. Lengths must be below 2^31.
// Cost: no allocation but the string's own growth; reuse the string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "wire/field.h"
#include "wire/frame_fields.h"

namespace sluice::wire {

// The bytes that a varint takes: 1 to 10.
[[nodiscard]] std::size_t VarintBytes(std::uint64_t value);

void AppendVarint(std::string& out, std::uint64_t value);
void AppendTag(std::string& out, std::uint32_t field, WireType type);

// One whole field. Left out when 0 or empty.
void AppendUint(std::string& out, std::uint32_t field, std::uint64_t value);
void AppendFixed64(std::string& out, std::uint32_t field, std::uint64_t value);
void AppendBytes(std::string& out, std::uint32_t field, std::string_view bytes);

void AppendUintPresent(std::string& out, std::uint32_t field, std::uint64_t value);
// Also the way to append an encoded message as a field: an empty one is present, too.
void AppendBytesPresent(std::string& out, std::uint32_t field, std::string_view bytes);

// Field 2 of ReceiveResponse, ReceiveStreamResponse and SubscribeResponse.
void AppendRun(std::string& out, const Run& run);
// Field 3 of SendStreamResponse and PublishStreamResponse.
void AppendAck(std::string& out, const Ack& ack);
// Of an encoded Message, without a tag and a length around it.
[[nodiscard]] std::size_t MessageBytes(std::string_view payload, std::string_view id,
                                       std::string_view content_type,
                                       std::span<const Header> headers);
// Field 1 of every frame that carries a batch.
void AppendMessage(std::string& out, std::string_view payload, std::string_view id = {},
                   std::string_view content_type = {}, std::span<const Header> headers = {});

}  // namespace sluice::wire
