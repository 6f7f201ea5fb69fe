// SPDX-License-Identifier: Apache-2.0
// Test cases about config keys and sessions: keys of the test's own, and ends that must open.
#pragma once

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>

#include "tests/client/daemon.h"

namespace sluice::test {

class ConfigCase : public DaemonTest {
 protected:
  // A key that no other test has; all of them begin with prefix().
  static std::string Key(const std::string& end = "key") { return prefix() + end; }
  static std::string prefix() {
    const auto& info = *::testing::UnitTest::GetInstance()->current_test_info();
    return std::string(info.test_suite_name()) + "." + info.name() + ".";
  }

  static Watcher Open(Client& client, WatcherOptions options) {
    auto watcher = client.OpenWatcher(std::move(options), kBound);
    if (!watcher.ok()) throw std::runtime_error(watcher.status().ToString());
    return *std::move(watcher);
  }
  static Session Open(Client& client, SessionOptions options) {
    auto session = client.OpenSession(std::move(options), kBound);
    if (!session.ok()) throw std::runtime_error(session.status().ToString());
    return *std::move(session);
  }
  // One that follows everything of this test.
  Watcher Follow() {
    WatcherOptions options;
    options.prefixes = {prefix()};
    Watcher watcher = Open(client_, std::move(options));
    EXPECT_TRUE(watcher.WaitForSnapshot(kBound).ok());
    return watcher;
  }

  // What changed: "key=value", or "key gone"; keys without the prefix.
  static std::string Told(Watcher& watcher) {
    const auto change = watcher.Next(kBound);
    if (!change.ok()) return change.status().ToString();
    const std::string key = (*change)->key.substr(prefix().size());
    return (*change)->deleted ? key + " gone" : key + "=" + (*change)->value;
  }

  ConfigEntry Set(const std::string& key, const std::string& value) {
    auto reply = writer_.Set(key, value, kBound);
    if (!reply.ok()) throw std::runtime_error(reply.status().ToString());
    EXPECT_EQ(reply->outcome, Outcome::kOk);
    return *reply->entry;
  }

  ConfigWriter writer_ = client_.MakeConfigWriter();
};

}  // namespace sluice::test
