// SPDX-License-Identifier: Apache-2.0
// What the verbs print: tables for people, one JSON object a line for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::cli {

// Keys in the order they are put in.
using Json = nlohmann::ordered_json;

// On stdout, as it is. With the next two it may be called from several threads at once.
void PrintText(std::string_view text);
void PrintJson(const Json& json);
// What happens beside the payloads: on stdout with `json`, else as `text` on stderr.
void PrintEvent(bool json, const Json& event, const std::string& text);
// On stderr, as it is; from several threads, too.
void PrintError(std::string_view text);

// Columns as wide as their widest cell; the first row is the head.
void PrintTable(const std::vector<std::vector<std::string>>& rows);
// An object that people read line by line; lists of objects in it as tables below.
void PrintFields(const Json& object);

// `bytes` under `key`; or, if they are not UTF-8, under `key`_base64.
void PutBytes(Json& object, const std::string& key, std::string_view bytes);
// As they are; but on a terminal bytes that are no text, and controls, are escaped.
std::string Shown(std::string_view bytes);
// With what is not UTF-8 replaced.
std::string AsText(std::string_view bytes);

// Writes out what was printed. False: stdout takes nothing more.
bool FlushOutput();

}  // namespace sluice::cli
