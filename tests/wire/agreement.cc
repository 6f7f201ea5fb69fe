// SPDX-License-Identifier: Apache-2.0
#include "tests/wire/agreement.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <map>
#include <string>

#include "sluice/v1/queue.pb.h"
#include "tests/fuzz/reference_scanner.h"

namespace sluice::wire {
namespace {

using ::testing::AssertionFailure;
using ::testing::AssertionResult;
using ::testing::AssertionSuccess;
using Kind = ScanError::Kind;

// Maps in a fixed order, so that equal messages have equal bytes.
std::string Canonical(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

bool IsStricterThanTheGeneratedClass(Kind kind) {
  switch (kind) {
    case Kind::kGroup:
    case Kind::kWireType:
    case Kind::kFieldNumber:
    case Kind::kOverlongVarint:
    case Kind::kTooMany:
    case Kind::kTooLarge:
      return true;
    case Kind::kTruncated:
    case Kind::kBadUtf8:
      break;
  }
  return false;
}

AssertionResult ReferenceAgrees(const std::optional<ScanError>& error,
                                const reference::Judgement& judgement) {
  if (error.has_value() != judgement.refusal.has_value()) {
    return AssertionFailure() << "scanner: " << (error ? error->text : "accepted")
                              << ", reference: "
                              << (judgement.refusal ? judgement.refusal->field : "accepted");
  }
  if (!error.has_value()) return AssertionSuccess();
  const reference::Refusal& refusal = *judgement.refusal;
  if (error->kind == refusal.kind && error->message_index == refusal.message_index &&
      error->field == refusal.field) {
    return AssertionSuccess();
  }
  return AssertionFailure() << "scanner: " << Name(error->kind) << " " << error->text
                            << ", reference: " << Name(refusal.kind) << " message "
                            << refusal.message_index << " " << refusal.field;
}

AssertionResult SameMessage(const std::string& record, std::uint32_t payload_bytes,
                            const reference::Message& expected, const v1::Message& typed) {
  v1::SendStreamRequest alone;
  if (!alone.ParseFromString(record) || alone.messages_size() != 1) {
    return AssertionFailure() << "the record alone is not parsed as one message";
  }
  if (Canonical(alone.messages(0)) != Canonical(typed)) {
    return AssertionFailure() << "the record alone is parsed to another message";
  }
  if (record != expected.record) return AssertionFailure() << "the record is not the same";
  if (payload_bytes != typed.payload().size() || expected.payload != typed.payload()) {
    return AssertionFailure() << "the payload is not the same";
  }
  if (expected.id != typed.id()) return AssertionFailure() << "the id is not the same";
  if (expected.content_type != typed.content_type()) {
    return AssertionFailure() << "the content type is not the same";
  }
  const std::map<std::string, std::string> headers(typed.headers().begin(), typed.headers().end());
  if (expected.headers != headers) return AssertionFailure() << "the headers are not the same";
  return AssertionSuccess();
}

}  // namespace

AssertionResult AllAgree(std::string_view frame, const ScanLimits& limits, Tally& tally) {
  ScannedFrame scanned;
  const auto error = ScanFrame(frame, limits, scanned);
  const reference::Judgement judgement = reference::Judge(frame, limits);
  const AssertionResult alike = ReferenceAgrees(error, judgement);
  if (!alike) return alike;

  v1::SendStreamRequest whole;
  const bool is_parsed = whole.ParseFromArray(frame.data(), static_cast<int>(frame.size()));
  if (error.has_value()) {
    ++tally.refused.at(static_cast<std::size_t>(error->kind));
    if (!is_parsed) return AssertionSuccess();
    ++tally.refused_though_parsed;
    if (IsStricterThanTheGeneratedClass(error->kind)) return AssertionSuccess();
    return AssertionFailure() << "refused though the generated class parses it: " << error->text;
  }

  v1::SendStreamRequest other;
  if (!other.ParseFromString(scanned.other)) {
    ++tally.refused_by_other;
    if (!is_parsed) return AssertionSuccess();
    return AssertionFailure() << "the whole is parsed, its other fields are not";
  }
  if (!is_parsed) return AssertionFailure() << "accepted, but the generated class refuses it";
  ++tally.accepted;
  if (!scanned.messages.empty()) ++tally.accepted_with_messages;
  if (static_cast<std::size_t>(whole.messages_size()) != scanned.messages.size()) {
    return AssertionFailure() << "the number of messages is not the same";
  }
  for (std::size_t i = 0; i < scanned.messages.size(); ++i) {
    const MessageSpan& span = scanned.messages[i];
    const AssertionResult same =
        SameMessage(std::string(frame.substr(span.offset, span.size)), span.payload_bytes,
                    judgement.messages[i], whole.messages(static_cast<int>(i)));
    if (!same) return AssertionFailure() << "message " << i << ": " << same.message();
  }
  whole.clear_messages();
  if (Canonical(whole) == Canonical(other)) return AssertionSuccess();
  return AssertionFailure() << "the other fields are not the same";
}

}  // namespace sluice::wire
