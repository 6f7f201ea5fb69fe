// SPDX-License-Identifier: Apache-2.0
// The daemon's log: one JSON object a line on standard error, written by a thread of its own. When
// that thread cannot keep up the oldest lines are overwritten: a stuck terminal never stops the
// broker.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace sluice {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

inline constexpr std::array<const char*, 4> kLogLevelNames = {"debug", "info", "warning", "error"};

// Starts the log. Until then, and after StopLog, lines are dropped.
void StartLog(LogLevel least);
// Writes what is pending. Bounded in time.
void StopLog();

using LogValue = std::variant<std::string_view, std::int64_t, std::uint64_t, bool>;
using LogField = std::pair<std::string_view, LogValue>;

// {"ts":"...","level":"info","event":"queue_declared","msg":"...",fields...}. Values are escaped:
// they may come from clients. `event` is constant; people read `message`, programs read `event` and
// the fields.
void Log(LogLevel level, std::string_view event, std::string_view message,
         std::initializer_list<LogField> fields = {});

// Since the process began; any thread.
struct LogCounts {
  std::array<std::uint64_t, 4> lines{};  // given to the log, by level; those below `least` are not
  std::uint64_t dropped = 0;             // of these: overwritten before they were written
};
LogCounts CountLog();

}  // namespace sluice
