// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <sys/utsname.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <thread>

namespace sluice::bench {
namespace {

using cli::Json;

struct Machine {
  unsigned cores = std::thread::hardware_concurrency();
  std::string cpu = "unknown";
  std::string kernel;
  std::string arch;
};

Machine ThisMachine() {
  Machine machine;
  utsname name = {};
  uname(&name);
  machine.kernel = std::string(name.sysname) + " " + name.release;
  machine.arch = name.machine;
  std::ifstream cpus("/proc/cpuinfo");
  for (std::string line; std::getline(cpus, line);) {
    if (!line.starts_with("model name")) continue;
    machine.cpu = line.substr(line.find(':') + 2);
    break;
  }
  return machine;
}

std::string Format(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

double Us(std::uint64_t ns) { return static_cast<double>(ns) / 1000; }

double PerSecond(const Report& report) {
  return report.elapsed_s > 0 ? static_cast<double>(report.received) / report.elapsed_s : 0;
}

double MibPerSecond(const Report& report) {
  return PerSecond(report) * static_cast<double>(report.size) / (1 << 20);
}

Json ToJson(const Histogram& histogram) {
  return {{"count", histogram.count()},
          {"mean_us", histogram.mean() / 1000},
          {"p50_us", Us(histogram.Percentile(50))},
          {"p99_us", Us(histogram.Percentile(99))},
          {"p99_9_us", Us(histogram.Percentile(99.9))},
          {"max_us", Us(histogram.max())}};
}

Json ToJson(const Report& report) {
  const Machine machine = ThisMachine();
  Json json = {{"bench", report.bench}, {"ok", report.is_ok()}, {"channel", report.channel}};
  json["sent"] = report.sent;
  json["received"] = report.received;
  json["elapsed_s"] = report.elapsed_s;
  json["messages_per_s"] = PerSecond(report);
  json["mib_per_s"] = MibPerSecond(report);
  for (const auto& [name, histogram] : report.latencies) json["latency"][name] = ToJson(histogram);
  json["errors"] = {{"lost", report.lost},
                    {"duplicates", report.duplicates},
                    {"order", report.order},
                    {"checksum", report.checksum},
                    {"refused", report.refused}};
  json["faults"] = report.faults;
  for (const auto& [name, count] : report.notes) json[name] = count;
  json["settings"] = report.settings;
  json["versions"] = {{"client", SLUICE_VERSION}, {"daemon", report.daemon_version}};
  json["machine"] = {{"cores", machine.cores},
                     {"cpu", machine.cpu},
                     {"kernel", machine.kernel},
                     {"arch", machine.arch}};
  return json;
}

void PrintText(const Report& report) {
  const Machine machine = ThisMachine();
  std::vector<std::vector<std::string>> rows = {
      {"bench", report.bench + (report.is_ok() ? "" : ", something is WRONG")},
      {"sent", std::to_string(report.sent)},
      {"received", std::to_string(report.received)},
      {"throughput", Format("%.0f messages/s", PerSecond(report)) +
                         Format(", %.1f MiB/s", MibPerSecond(report)) +
                         Format(", in %.3f s", report.elapsed_s)}};
  for (const auto& [name, histogram] : report.latencies) {
    rows.push_back({name + " us", Format("p50 %.1f", Us(histogram.Percentile(50))) +
                                      Format("  p99 %.1f", Us(histogram.Percentile(99))) +
                                      Format("  p99.9 %.1f", Us(histogram.Percentile(99.9))) +
                                      Format("  max %.1f", Us(histogram.max()))});
  }
  rows.push_back({"errors", "lost " + std::to_string(report.lost) + ", duplicates " +
                                std::to_string(report.duplicates) + ", order " +
                                std::to_string(report.order) + ", checksum " +
                                std::to_string(report.checksum) + ", refused " +
                                std::to_string(report.refused)});
  for (const auto& [name, count] : report.notes) rows.push_back({name, std::to_string(count)});
  for (const std::string& fault : report.faults) rows.push_back({"fault", fault});
  std::string settings;
  for (const auto& [name, value] : report.settings.items()) {
    settings += (settings.empty() ? "" : ", ") + name + " ";
    settings += value.is_string() ? value.get<std::string>() : value.dump();
  }
  rows.push_back({"settings", settings});
  rows.push_back({"versions", "client " SLUICE_VERSION ", daemon " + report.daemon_version});
  rows.push_back({"machine", std::to_string(machine.cores) + " cores, " + machine.cpu + ", " +
                                 machine.kernel + " " + machine.arch});
  cli::PrintTable(rows);
}

}  // namespace

bool Report::is_ok() const {
  return lost + duplicates + order + checksum + refused == 0 && faults.empty();
}

void Report::Add(const Account& account) {
  received += account.distinct();
  duplicates += account.duplicates();
  order += account.out_of_order();
  checksum += account.corrupt();
}

int Print(const Report& report, bool json) {
  if (json) {
    cli::PrintJson(ToJson(report));
  } else {
    PrintText(report);
  }
  if (!cli::FlushOutput()) return cli::FailOutput();
  return report.is_ok() ? int{cli::kDone} : cli::FailRefused("the benchmark found something wrong");
}

}  // namespace sluice::bench
