// SPDX-License-Identifier: Apache-2.0
// Config keys as the verbs show and take them. A version is written E:V, epoch and version.
#pragma once

#include <optional>
#include <string>

#include "invocation.h"
#include "output.h"
#include "sluice/config.h"

namespace sluice::cli {

std::string ToText(const KeyVersion& version);
// BAD_OPTION, naming the option.
Result<KeyVersion> ParseVersion(const std::string& text, const std::string& option);

//   key, value (or value_base64), content_type if there is one, at ("E:V"), version, revision,
//   deleted and ephemeral if they are true, changed_unix_us
Json ToJson(const ConfigEntry& entry);

// The outcome of a verb on one key: JSON, and what is refused on stderr. OK: prints nothing for
// people.
int SayOutcome(const Invocation& invocation, const std::string& key, Outcome outcome,
               ClosedReason reason, const std::optional<ConfigEntry>& entry, std::uint32_t watchers,
               FullReason full_reason = FullReason::kUnspecified);

}  // namespace sluice::cli
