// SPDX-License-Identifier: Apache-2.0
#include "sluice/config_writer.h"

#include <algorithm>
#include <utility>

#include "backoff.h"
#include "config_calls.h"
#include "sluice/client.h"
#include "transport.h"
#include "wait_until.h"

namespace sluice {
inline namespace abi1 {
namespace {

// The answer of a call that may have been done or not. A refusal by the daemon is none of these: it
// says RetryInfo, or another reason.
bool IsInDoubt(const Status& status) {
  return status.code() == Code::kDeadlineExceeded ||
         (status.code() == Code::kUnavailable && status.reason() == "CANNOT_CONNECT");
}

// Once, and, if it may be repeated, until it is answered or the deadline has passed, with random
// pauses: a daemon that refuses at once is not asked without end.
template <class Reply, class Once>
Result<Reply> Ask(bool may_repeat, Deadline deadline, Once once) {
  Backoff backoff{ReconnectOptions()};
  for (auto waiting = Connecting::kFailFast;; waiting = Connecting::kWait) {
    Result<Reply> reply = once(waiting);
    if (reply.ok() || !IsInDoubt(reply.status())) return reply;
    if (may_repeat && !deadline.has_passed()) {
      const Deadline pause = backoff.Next(reply.status().retry_after());
      Pause(std::min(pause.at(), deadline.at()));
      continue;
    }
    Reply unknown;
    unknown.outcome = Outcome::kUnknown;
    return unknown;
  }
}

}  // namespace

ConfigWriter Client::MakeConfigWriter(ConfigWriterOptions options) const {
  return ConfigWriter(transport_, std::move(options));
}

ConfigWriter::ConfigWriter(std::shared_ptr<Transport> transport, ConfigWriterOptions options)
    : transport_(std::move(transport)), options_(std::move(options)) {}

Result<SetKeyReply> ConfigWriter::Set(const std::string& key, const std::string& value,
                                      Deadline deadline) {
  return Store(key, value, std::nullopt, deadline);
}

Result<SetKeyReply> ConfigWriter::CompareAndSet(const std::string& key, const KeyVersion& expect,
                                                const std::string& value, Deadline deadline) {
  return Store(key, value, expect, deadline);
}

Result<SetKeyReply> ConfigWriter::Store(const std::string& key, const std::string& value,
                                        const std::optional<KeyVersion>& expect,
                                        Deadline deadline) {
  SetKeyRequest request;
  request.key = key;
  request.value = value;
  request.content_type = options_.content_type;
  request.expect = expect;
  request.session_id = options_.session_id;
  return Ask<SetKeyReply>(options_.retry_safe && !expect, deadline, [&](Connecting connecting) {
    return CallSetKey(*transport_, request, deadline, connecting);
  });
}

Result<DeleteKeyReply> ConfigWriter::Delete(const std::string& key, Deadline deadline) {
  return Ask<DeleteKeyReply>(options_.retry_safe, deadline, [&](Connecting connecting) {
    return CallDeleteKey(*transport_, key, std::nullopt, deadline, connecting);
  });
}

Result<DeleteKeyReply> ConfigWriter::CompareAndDelete(const std::string& key,
                                                      const KeyVersion& expect, Deadline deadline) {
  return Ask<DeleteKeyReply>(false, deadline, [&](Connecting connecting) {
    return CallDeleteKey(*transport_, key, expect, deadline, connecting);
  });
}

Result<SetKeyReply> ConfigWriter::Update(const std::string& key, const Change& change,
                                         Deadline deadline) {
  GetKeyRequest get;
  get.key = key;
  auto read = CallGetKey(*transport_, get, deadline);
  if (!read.ok()) return read.status();
  std::optional<ConfigEntry> latest = std::move(read->entry);
  for (std::uint32_t attempt = 1;; ++attempt) {
    std::optional<std::string> value = change(latest ? &*latest : nullptr);
    if (!value) {
      SetKeyReply left;
      left.outcome = Outcome::kOk;
      left.entry = std::move(latest);
      return left;
    }
    const KeyVersion expect = latest ? latest->at : KeyVersion::Absent();
    auto reply = CompareAndSet(key, expect, *value, deadline);
    if (!reply.ok() || reply->outcome != Outcome::kConflict ||
        attempt >= options_.update_attempts_max) {
      return reply;
    }
    latest = std::move(reply->entry);
  }
}

}  // namespace abi1
}  // namespace sluice
