// SPDX-License-Identifier: Apache-2.0
#include "rpc/config_convert.h"

#include <array>
#include <utility>

#include "broker/limits.h"
#include "rpc/byte_buffer.h"
#include "rpc/convert.h"
#include "wire/frame_writer.h"

namespace sluice::rpc {
namespace {

using Entry = v1::Entry;

// A smaller value is copied: it costs less than a slice of its own.
constexpr std::size_t kReferredBytesMin = 2'048;

template <class Response>
constexpr std::array<int, 3> kAnswerFields = {
    Response::kOutcomeFieldNumber, Response::kEntryFieldNumber, Response::kWatchersFieldNumber};
static_assert(kAnswerFields<v1::SetKeyResponse> == kAnswerFields<v1::GetKeyResponse>);
static_assert(kAnswerFields<v1::DeleteKeyResponse> == kAnswerFields<v1::GetKeyResponse>);

std::uint32_t Number(int field) { return static_cast<std::uint32_t>(field); }

void AppendLength(std::string& out, int field, std::size_t length) {
  wire::AppendTag(out, Number(field), wire::WireType::kBytes);
  wire::AppendVarint(out, length);
}

// What follows the value.
void AppendTail(std::string& out, const broker::KeyEntry& entry) {
  wire::AppendBytes(out, Number(Entry::kContentTypeFieldNumber), entry.content_type);
  wire::AppendUint(out, Number(Entry::kVersionFieldNumber), entry.version);
  wire::AppendFixed64(out, Number(Entry::kEpochFieldNumber), entry.epoch);
  wire::AppendUint(out, Number(Entry::kRevisionFieldNumber), entry.revision);
  wire::AppendUint(out, Number(Entry::kDeletedFieldNumber), entry.deleted ? 1 : 0);
  wire::AppendUint(out, Number(Entry::kEphemeralFieldNumber), entry.ephemeral ? 1 : 0);
  wire::AppendFixed64(out, Number(Entry::kChangedUnixUsFieldNumber), entry.changed_unix_us);
}

}  // namespace

void EntryFrame::Add(int number, const broker::EntryPtr& entry, bool with_value) {
  const std::size_t value_bytes = with_value ? entry->value.size() : 0;
  std::string head;
  wire::AppendBytes(head, Number(Entry::kKeyFieldNumber), entry->key);
  if (value_bytes != 0) AppendLength(head, Entry::kValueFieldNumber, value_bytes);
  std::string tail;
  AppendTail(tail, *entry);
  AppendLength(text_, number, head.size() + value_bytes + tail.size());
  text_ += head;
  if (value_bytes >= kReferredBytesMin) {
    Flush();
    // Shares the entry, and shows its value.
    delivery_.slices.push_back({.bytes = broker::Bytes(entry, &entry->value),
                                .offset = 0,
                                .size = static_cast<std::uint32_t>(value_bytes)});
  } else if (value_bytes != 0) {
    text_ += entry->value;
  }
  text_ += tail;
}

void EntryFrame::Flush() {
  const auto size = static_cast<std::uint32_t>(text_.size());
  auto part = std::make_shared<const std::string>(std::exchange(text_, std::string()));
  delivery_.slices.push_back({.bytes = std::move(part), .offset = 0, .size = size});
}

grpc::ByteBuffer EntryFrame::Finish() { return MakeFrame(delivery_, text_); }

grpc::ByteBuffer ToFrame(const broker::KeyAnswer& answer, bool with_value) {
  using Response = v1::GetKeyResponse;
  EntryFrame frame;
  wire::AppendUint(frame.text(), Number(Response::kOutcomeFieldNumber),
                   static_cast<std::uint64_t>(answer.outcome));
  if (answer.entry != nullptr) frame.Add(Response::kEntryFieldNumber, answer.entry, with_value);
  wire::AppendUint(frame.text(), Number(Response::kWatchersFieldNumber), answer.watchers);
  wire::AppendUint(frame.text(), Number(Response::kReasonFieldNumber),
                   static_cast<std::uint64_t>(answer.reason));
  wire::AppendUint(frame.text(), Number(v1::SetKeyResponse::kFullReasonFieldNumber),
                   static_cast<std::uint64_t>(answer.full_reason));
  return frame.Finish();
}

grpc::ByteBuffer ToFrame(const broker::WatchNews& news, std::uint64_t service_epoch) {
  EntryFrame frame;
  for (const broker::EntryPtr& entry : news.entries) {
    frame.Add(v1::WatchResponse::kEntriesFieldNumber, entry, true);
  }
  v1::WatchResponse event;
  if (news.reset) event.mutable_reset()->set_service_epoch(service_epoch);
  if (news.point.has_value()) {
    event.mutable_end_of_snapshot()->set_service_epoch(news.point->service_epoch);
    event.mutable_end_of_snapshot()->set_revision(news.point->revision);
  }
  event.AppendToString(&frame.text());
  return frame.Finish();
}

std::optional<broker::KeyVersion> VersionOf(bool is_present, const v1::KeyVersion& version) {
  if (!is_present) return std::nullopt;
  return broker::KeyVersion{.epoch = version.epoch(), .version = version.version()};
}

Result<broker::SetOptions> FromWire(v1::SetKeyRequest& request) {
  const std::string& session = request.session_id();
  if (Status id = CheckId("session_id", session, broker::kSessionIdBytes); !id.ok()) return id;
  broker::SetOptions options;
  options.key = std::move(*request.mutable_key());
  options.value = std::move(*request.mutable_value());
  options.content_type = std::move(*request.mutable_content_type());
  options.expect = VersionOf(request.has_expect(), request.expect());
  options.require_watchers = request.require_watchers();
  options.session_id = session;
  if (Status status = broker::CheckSet(options); !status.ok()) return status;
  return options;
}

Result<std::optional<broker::KeyCondition>> ConditionOf(v1::GetKeyRequest& request) {
  using Kind = broker::KeyCondition::Kind;
  broker::KeyCondition condition;
  switch (request.wait_case()) {
    case v1::GetKeyRequest::WAIT_NOT_SET:
      return std::optional<broker::KeyCondition>();
    case v1::GetKeyRequest::kExists:
      if (!request.exists()) return InvalidField("exists", "it is false; to wait for it, say true");
      condition.kind = Kind::kExists;
      break;
    case v1::GetKeyRequest::kVersionAbove:
      condition.kind = Kind::kVersionAbove;
      condition.above = *VersionOf(true, request.version_above());
      break;
    case v1::GetKeyRequest::kEquals:
      condition.kind = Kind::kEquals;
      condition.equals = std::move(*request.mutable_equals());
      break;
  }
  return std::optional<broker::KeyCondition>(std::move(condition));
}

broker::WatchOptions FromWire(const v1::WatchRequest& request) {
  broker::WatchOptions options;
  options.keys.assign(request.keys().begin(), request.keys().end());
  options.prefixes.assign(request.prefixes().begin(), request.prefixes().end());
  if (request.has_resume()) {
    options.resume = broker::WatchPoint{.service_epoch = request.resume().service_epoch(),
                                        .revision = request.resume().revision()};
  }
  return options;
}

}  // namespace sluice::rpc
