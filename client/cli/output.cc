// SPDX-License-Identifier: Apache-2.0
#include "output.h"

#include <absl/strings/escaping.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <mutex>

namespace sluice::cli {
namespace {

std::mutex& OutputMutex() {
  static std::mutex mutex;
  return mutex;
}

std::string CellOf(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

bool IsTable(const Json& value) {
  return value.is_array() && !value.empty() && value.front().is_object();
}

bool IsUtf8(std::string_view text) {
  try {
    (void)Json(text).dump();
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

}  // namespace

void PrintText(std::string_view text) {
  std::lock_guard lock(OutputMutex());
  std::cout << text;
}

void PrintError(std::string_view text) {
  std::lock_guard lock(OutputMutex());
  std::cout.flush();  // Before it, as it was.
  std::cerr << text << std::flush;
}

void PrintJson(const Json& json) {
  // What is not UTF-8 can only come from text of a peer that breaks the protocol: shown, not thrown
  // at.
  PrintText(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

void PrintEvent(bool json, const Json& event, const std::string& text) {
  if (json) {
    PrintJson(event);
    (void)FlushOutput();
  } else {
    PrintError("sluice: " + text + "\n");
  }
}

void PrintTable(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    std::cout << line << "\n";
  }
}

void PrintFields(const Json& object) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [key, value] : object.items()) {
    if (IsTable(value)) continue;
    if (!value.is_object()) {
      rows.push_back({key, CellOf(value)});
      continue;
    }
    for (const auto& [inner, of] : value.items()) rows.push_back({key + "." + inner, CellOf(of)});
  }
  PrintTable(rows);
  for (const auto& [key, value] : object.items()) {
    if (!IsTable(value)) continue;
    std::vector<std::vector<std::string>> table(1);
    for (const auto& [head, of] : value.front().items()) table[0].push_back(head);
    for (const Json& line : value) {
      std::vector<std::string> cells;
      for (const auto& [head, of] : line.items()) cells.push_back(CellOf(of));
      table.push_back(std::move(cells));
    }
    std::cout << "\n" << key << "\n";
    PrintTable(table);
  }
}

void PutBytes(Json& object, const std::string& key, std::string_view bytes) {
  if (IsUtf8(bytes)) {
    object[key] = bytes;
  } else {
    object[key + "_base64"] = absl::Base64Escape({bytes.data(), bytes.size()});
  }
}

std::string Shown(std::string_view bytes) {
  static const bool is_terminal = isatty(STDOUT_FILENO) == 1;
  const auto is_control = [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
  };
  const bool is_plain =
      !is_terminal || (IsUtf8(bytes) && std::none_of(bytes.begin(), bytes.end(), is_control));
  return is_plain ? std::string(bytes) : absl::CHexEscape({bytes.data(), bytes.size()});
}

std::string AsText(std::string_view bytes) {
  return Json::parse(Json(bytes).dump(-1, ' ', false, Json::error_handler_t::replace))
      .get<std::string>();
}

bool FlushOutput() {
  std::lock_guard lock(OutputMutex());
  std::cout.flush();
  return std::cout.good();
}

}  // namespace sluice::cli
