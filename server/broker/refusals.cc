// SPDX-License-Identifier: Apache-2.0
#include "broker/refusals.h"

#include <algorithm>
#include <cctype>

namespace sluice::broker {

Status Draining() {
  return Status(Code::kUnavailable, "DRAINING", "the daemon is going down")
      .RetryAfter(std::chrono::seconds(1));
}

Status ChannelNotFound(std::string_view kind, const std::string& name) {
  std::string reason(kind);
  std::transform(reason.begin(), reason.end(), reason.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const std::string word(kind);
  return Status(Code::kNotFound, reason + "_NOT_FOUND", "there is no " + word + " \"" + name + "\"")
      .With(word, name);
}

Status TooManyChannels(std::uint64_t limit) {
  return Status(Code::kResourceExhausted, "TOO_MANY_CHANNELS",
                "there are " + std::to_string(limit) + " channels, which is the most")
      .With("limit", std::to_string(limit));
}

Status TooMuchWaits(std::uint64_t limit) {
  return Status(Code::kResourceExhausted, "SERVER_MEMORY",
                "what waits holds " + std::to_string(limit) + " bytes already, which is the most")
      .With("limit", std::to_string(limit));
}

Status DeclaredOtherwise(std::string_view kind, const std::string& name,
                         const Difference& difference) {
  const std::string word(kind);
  return Status(Code::kFailedPrecondition, "DECLARED_OTHERWISE",
                word + " \"" + name + "\" is declared with " + difference.field + " " +
                    difference.existing + ", not " + difference.asked)
      .With(word, name)
      .With("field", difference.field)
      .With("limit", difference.existing)
      .With("value", difference.asked);
}

}  // namespace sluice::broker
