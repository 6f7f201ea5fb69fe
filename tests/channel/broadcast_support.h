// SPDX-License-Identifier: Apache-2.0
// The steps of the broadcast scenarios, and what a receive told in words, so that a test reads as
// its scenario does.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <variant>

#include "channel/broadcast.h"

namespace sluice::channel::testing {

inline std::string Show(const broadcast::NoValue& none) {
  if (const auto* lagged = std::get_if<Lagged>(&none)) {
    return "lagged " + std::to_string(lagged->missed);
  }
  switch (std::get<Errc>(none)) {
    case Errc::kEmpty:
      return "empty";
    case Errc::kClosed:
      return "closed";
    case Errc::kTimedOut:
      return "timed out";
    case Errc::kCancelled:
      return "cancelled";
    case Errc::kFull:
    case Errc::kTooMany:
      break;
  }
  return "not an outcome of a receive";
}

inline std::string Show(const broadcast::Item<int>& item) {
  return item.ok() ? std::to_string(**item) : Show(item.error());
}

using Tx = broadcast::Sender<int>;
using Rx = broadcast::Receiver<int>;

// How many receivers a send was accepted for; 0 if it was refused.
inline std::size_t Send(const Tx& tx, int value) {
  const auto sent = tx.Send(value);
  return sent.ok() ? *sent : 0;
}

inline void SendAll(const Tx& tx, int first, int last) {
  for (int value = first; value <= last; ++value) ASSERT_NE(Send(tx, value), 0U);
}

// What `n` receives tell, with blanks in between.
inline std::string Read(Rx& rx, int n) {
  std::string told;
  for (int i = 0; i < n; ++i) told += (i == 0 ? "" : ", ") + Show(rx.TryRecv());
  return told;
}

}  // namespace sluice::channel::testing
