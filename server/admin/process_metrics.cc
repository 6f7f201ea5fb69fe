// SPDX-License-Identifier: Apache-2.0
// The process by the names that every exporter uses; the build, the log, the HTTP port, health.
#include "admin/metrics.h"
#include "admin/process_figures.h"
#include "base/log.h"
#include "base/version.h"

namespace sluice::admin {
namespace {

void AddLog(Families& out) {
  const LogCounts counts = CountLog();
  Family lines = out.Counter("sluice_log_lines_total", "Log lines made, by level.");
  for (std::size_t i = 0; i < counts.lines.size(); ++i) {
    lines.Add({{"level", kLogLevelNames[i]}}, counts.lines[i]);
  }
  out.Counter("sluice_log_dropped_total", "Log lines overwritten before they were written.")
      .Add(counts.dropped);
}

void AddHttp(const HttpCounts& http, Families& out) {
  Family answers = out.Counter("sluice_http_responses_total",
                               "Answers of the HTTP port, by the class of their status.");
  for (std::size_t i = 2; i < http.answers.size(); ++i) {
    answers.Add({{"code", std::to_string(i) + "xx"}}, http.answers[i].load());
  }
  out.Counter("sluice_http_connections_accepted_total", "Connections to the HTTP port accepted.")
      .Add(http.connections_accepted.load());
  out.Counter("sluice_http_connections_refused_total", "Connections to the HTTP port refused.")
      .Add(http.connections_refused.load());
  out.Counter("sluice_http_accept_failures_total",
              "Connections to the HTTP port that could not be accepted.")
      .Add(http.accept_failures.load());
  out.Counter("sluice_http_timeouts_total", "Requests and answers of the HTTP port cut off.")
      .Add(http.timed_out.load());
  out.Gauge("sluice_http_connections", "Open connections to the HTTP port.")
      .Add(http.connections.load());
  out.Gauge("sluice_http_unsent_bytes", "Bytes of answers that are being written.")
      .Add(http.unsent_bytes.load());
}

}  // namespace

void AddProcessMetrics(const Sources& sources, Families& out) {
  const ProcessFigures process = ReadProcessFigures();
  out.Counter("process_cpu_seconds_total", "Processor time of the process, user and system.")
      .Add(process.cpu_seconds);
  out.Gauge("process_start_time_seconds", "When the process began, in seconds since 1970.")
      .Add(process.started_unix_seconds);
  out.Gauge("process_resident_memory_bytes", "Memory in use.").Add(process.resident_bytes);
  out.Gauge("process_virtual_memory_bytes", "Memory mapped.").Add(process.virtual_bytes);
  out.Gauge("process_threads", "Threads.").Add(process.threads);
  out.Gauge("process_open_fds", "Open file descriptors.").Add(process.open_fds);
  out.Gauge("process_max_fds", "The most open file descriptors.").Add(process.max_fds);
  out.Gauge("sluice_build_info", "1; what this is says the labels.")
      .Add({{"version", kVersion}, {"compiler", __VERSION__}}, 1);
  out.Gauge("sluice_alive", "1: /healthz says so.").Add(sources.why_not_alive().empty() ? 1 : 0);
  out.Gauge("sluice_ready", "1: /readyz says so.").Add(sources.why_not_ready().empty() ? 1 : 0);
  const SelfChecks checks = sources.self_checks();
  out.Counter("sluice_self_checks_total", "Rounds in which the daemon asked itself, by outcome.")
      .Add({{"outcome", "answered"}}, checks.answered)
      .Add({{"outcome", "missed"}}, checks.missed)
      .Add({{"outcome", "skipped"}}, checks.skipped);
  AddLog(out);
  AddHttp(sources.http, out);
}

}  // namespace sluice::admin
