// SPDX-License-Identifier: Apache-2.0
// The families of verbs, each in the file of its name.
#pragma once

#include "invocation.h"

namespace sluice::cli {

void AddQueueVerbs(CLI::App& app, Invocation& invocation);
void AddSendVerb(CLI::App& app, Invocation& invocation);
void AddReceiveVerb(CLI::App& app, Invocation& invocation);

void AddTopicVerbs(CLI::App& app, Invocation& invocation);
void AddPublishVerb(CLI::App& app, Invocation& invocation);
void AddSubscribeVerb(CLI::App& app, Invocation& invocation);

void AddResponderVerbs(CLI::App& app, Invocation& invocation);
void AddCallVerb(CLI::App& app, Invocation& invocation);
void AddServeVerb(CLI::App& app, Invocation& invocation);

void AddSetVerb(CLI::App& app, Invocation& invocation);
void AddKeyVerbs(CLI::App& app, Invocation& invocation);
void AddWatchVerb(CLI::App& app, Invocation& invocation);

void AddBenchVerbs(CLI::App& app, Invocation& invocation);
void AddAdminVerbs(CLI::App& app, Invocation& invocation);
void AddCompletionVerb(CLI::App& app, Invocation& invocation);

}  // namespace sluice::cli
