// SPDX-License-Identifier: Apache-2.0
// What the verbs print: tables for people, one JSON object a line for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sluice/client.h"

namespace sluice::cli {

// Keys in the order they are put in.
using Json = nlohmann::ordered_json;

void PrintJson(const Json& json);

// Columns as wide as their widest cell; the first row is the head.
void PrintTable(const std::vector<std::vector<std::string>>& rows);

Json ToJson(const QueueDescription& queue);
Json ToJson(const SendOutcome& outcome);
Json ToJson(const StreamDescription& stream);
Json ToJson(const ServerInfo& info);

}  // namespace sluice::cli
