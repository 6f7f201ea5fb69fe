// SPDX-License-Identifier: Apache-2.0
// The faults that channels of every kind share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "broker/difference.h"

namespace sluice::broker {

// UNAVAILABLE, with a delay after which another daemon may have taken over (N41).
Status Draining();
// `kind` is the word for the channel: "queue" gives QUEUE_NOT_FOUND.
Status ChannelNotFound(std::string_view kind, const std::string& name);
Status TooManyChannels(std::uint64_t limit);
// `limit`: bytes that everything which waits may hold together.
Status TooMuchWaits(std::uint64_t limit);
Status DeclaredOtherwise(std::string_view kind, const std::string& name,
                         const Difference& difference);

}  // namespace sluice::broker
