// SPDX-License-Identifier: Apache-2.0
#include "admin/process_figures.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace sluice::admin {
namespace {

// /proc/self/stat behind the name of the program, which may contain anything: the fields from the
// third on.
std::istringstream StatFields() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t behind = line.rfind(')');
  return std::istringstream(behind == std::string::npos ? std::string() : line.substr(behind + 1));
}

double BootUnixSeconds() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("btime ")) return std::stod(line.substr(6));
  }
  return 0;
}

std::uint64_t OpenFds() {
  std::error_code error;
  std::uint64_t count = 0;
  for (std::filesystem::directory_iterator fd("/proc/self/fd", error), end; !error && fd != end;
       fd.increment(error)) {
    ++count;
  }
  return count > 0 ? count - 1 : 0;  // without the one that is reading here
}

}  // namespace

ProcessFigures ReadProcessFigures() {
  ProcessFigures figures;
  const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  std::istringstream fields = StatFields();
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user = 0, system = 0, started = 0;
  std::uint64_t resident_pages = 0;
  fields >> user >> system;
  for (int field = 16; field < 20; ++field) fields >> skipped;
  fields >> figures.threads >> skipped >> started >> figures.virtual_bytes >> resident_pages;
  figures.cpu_seconds = (user + system) / ticks;
  figures.started_unix_seconds = BootUnixSeconds() + started / ticks;
  figures.resident_bytes = resident_pages * page;
  figures.open_fds = OpenFds();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) figures.max_fds = limit.rlim_cur;
  return figures;
}

}  // namespace sluice::admin
