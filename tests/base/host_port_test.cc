// SPDX-License-Identifier: Apache-2.0
#include "base/host_port.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(HostPort, IsTakenApart) {
  struct Case {
    const char* text;
    const char* host;
    int port;
  };
  for (const Case& given :
       {Case{"127.0.0.1:7401", "127.0.0.1", 7401}, Case{"[::1]:0", "::1", 0},
        Case{"localhost:65535", "localhost", 65'535}, Case{"example.org:80", "example.org", 80}}) {
    const auto parsed = ParseHostPort(given.text);
    ASSERT_TRUE(parsed.has_value()) << given.text;
    EXPECT_EQ(parsed->host, given.host);
    EXPECT_EQ(parsed->port, given.port);
  }
}

TEST(HostPort, WhatIsNoneIsNothing) {
  for (const char* text :
       {"", ":", "7401", "localhost", "localhost:", ":7401", "localhost:65536", "localhost:-1",
        "localhost:7x", "::1:7401", "[::1]", "[]:1", "localhost:+1", "localhost: 1"}) {
    EXPECT_FALSE(ParseHostPort(text).has_value()) << text;
  }
}

TEST(HostPort, WhatStaysOnThisMachine) {
  for (const char* host : {"127.0.0.1", "127.9.9.9", "::1", "localhost", "LocalHost"}) {
    EXPECT_TRUE(IsLoopbackHost(host)) << host;
  }
  for (const char* host : {"", "0.0.0.0", "::", "192.0.2.1", "127.example.org", "127.0.0.1.nip.io",
                           "localhost.example.org", "localhost.", "1270.0.0.1", "[::1]"}) {
    EXPECT_FALSE(IsLoopbackHost(host)) << host;
  }
}

}  // namespace
}  // namespace sluice
