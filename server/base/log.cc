// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>

namespace sluice {
namespace {

constexpr std::size_t kLinesMax = 8'192;

std::shared_ptr<spdlog::logger> logger;
std::array<std::atomic<std::uint64_t>, kLogLevelNames.size()> lines{};

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

void StartLog(LogLevel least) {
  spdlog::init_thread_pool(kLinesMax, 1);
  logger = std::make_shared<spdlog::async_logger>(
      "sluice", std::make_shared<spdlog::sinks::stderr_sink_mt>(), spdlog::thread_pool(),
      spdlog::async_overflow_policy::overrun_oldest);
  logger->set_level(ToSpdlog(least));
  // The payload is a JSON object without its opening brace; time and level are the logger's.
  logger->set_pattern(R"({"ts":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v)",
                      spdlog::pattern_time_type::utc);
  logger->flush_on(spdlog::level::info);
}

void StopLog() {
  logger.reset();
  spdlog::shutdown();
}

void Log(LogLevel level, std::string_view event, std::string_view message,
         std::initializer_list<LogField> fields) {
  if (logger == nullptr || !logger->should_log(ToSpdlog(level))) return;
  lines[static_cast<std::size_t>(level)].fetch_add(1, std::memory_order_relaxed);
  nlohmann::ordered_json line;
  line["event"] = event;
  line["msg"] = message;
  for (const auto& [key, value] : fields) {
    std::visit([&line, &name = key](const auto& v) { line[std::string(name)] = v; }, value);
  }
  // Bytes that are not UTF-8 become U+FFFD: a line is always valid JSON.
  const std::string json =
      line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  logger->log(ToSpdlog(level), "{}", std::string_view(json).substr(1));
}

LogCounts CountLog() {
  LogCounts counts;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    counts.lines[i] = lines[i].load(std::memory_order_relaxed);
  }
  if (const auto pool = spdlog::thread_pool()) counts.dropped = pool->overrun_counter();
  return counts;
}

}  // namespace sluice
