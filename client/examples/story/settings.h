// SPDX-License-Identifier: Apache-2.0
// The settings that everyone in the story goes by: keys under `story/`, followed as they change.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "sluice/client.h"

namespace story {

inline constexpr std::chrono::seconds kPatience{60};

class Settings {
 public:
  // Knows every setting when it returns. Throws std::runtime_error if they cannot be followed.
  Settings(sluice::Client& client, std::string name)
      : name_(std::move(name)), watcher_(Open(client, name_)) {
    if (const auto known = watcher_.WaitForSnapshot(kPatience); !known.ok()) {
      throw std::runtime_error(known.ToString());
    }
  }

  // A number above 0; `otherwise` if the key is not there, or is none.
  std::size_t Get(const char* key, std::size_t otherwise) const {
    const sluice::ConfigSnapshot entry = watcher_.Get(key);
    const long value = entry == nullptr ? 0 : std::atol(entry->value.c_str());
    return value > 0 ? static_cast<std::size_t>(value) : otherwise;
  }

 private:
  static sluice::Watcher Open(sluice::Client& client, const std::string& name) {
    sluice::WatcherOptions options;
    options.prefixes = {"story/"};
    options.on_change = [name](const sluice::ConfigSnapshot& entry) {
      std::printf("  [%s] %s is %s\n", name.c_str(), entry->key.c_str(),
                  entry->deleted ? "gone" : entry->value.c_str());
    };
    auto watcher = client.OpenWatcher(options, kPatience);
    if (!watcher) throw std::runtime_error(watcher.status().ToString());
    return *std::move(watcher);
  }

  const std::string name_;
  sluice::Watcher watcher_;
};

}  // namespace story
