// SPDX-License-Identifier: Apache-2.0
// What the daemon tells, as JSON: the names are the wire's.
#pragma once

#include "output.h"
#include "sluice/client.h"

namespace sluice::cli {

Json ToJson(const QueueDescription& queue);
Json ToJson(const TopicDescription& topic);
Json ToJson(const SubscriberDescription& subscriber);
Json ToJson(const ResponderDescription& responder);
Json ToJson(const WorkerDescription& worker);
Json ToJson(const SendOutcome& outcome);
Json ToJson(const StreamDescription& stream);
Json ToJson(const ServerInfo& info);

}  // namespace sluice::cli
