// SPDX-License-Identifier: Apache-2.0
// Uses the installed package: every header, and enough of the library to have it linked.
#include <cstdio>

#include "sluice/typed.h"

int main() {
  sluice::ClientOptions options;
  options.address = "127.0.0.1:1";
  const auto client = sluice::Client::Connect(options);
  std::printf("%s\n", client.status().ToString().c_str());
  return client.status().reason() == "CANNOT_CONNECT" ? 0 : 1;
}
