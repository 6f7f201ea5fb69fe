// SPDX-License-Identifier: Apache-2.0
// Outcomes in the words of the model, and an operation of any kind in progress.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "channel/operation.h"
#include "channel/outcome.h"
#include "tests/channel/support.h"

namespace sluice::channel::testing {

using Word = std::string;

inline Word Of(Errc why) {
  switch (why) {
    case Errc::kFull:
      return "full";
    case Errc::kEmpty:
      return "empty";
    case Errc::kClosed:
      return "closed";
    case Errc::kTimedOut:
      return "timed out";
    case Errc::kCancelled:
      return "cancelled";
    case Errc::kTooMany:
      return "too many";
  }
  return "unknown";
}
inline Word Of(const Box& box) { return " " + std::to_string(box.number()); }
inline Word Of(const std::vector<Box>& boxes) {
  Word words;
  for (const Box& box : boxes) words += Of(box);
  return words;
}
template <class T>
inline Word Of(const Sent<T>& sent) {
  return sent.ok() ? "sent" : Of(sent.error().why) + Of(sent.error().value);
}
inline Word Of(const Result<Box, Errc>& received) {
  return received.ok() ? "received" + Of(*received) : Of(received.error());
}

// An operation of any kind, in progress.
class Running {
 public:
  virtual ~Running() = default;
  virtual bool is_done() const = 0;
  virtual bool Expire() = 0;
  // Whether it won, and what came back.
  virtual std::pair<bool, Word> Cancel() = 0;
};

template <class Op, class Tell>
class RunningOf final : public Running {
 public:
  template <class Make>
  RunningOf(Make make, Tell tell) : operation_(make()) {
    operation_.Start([this, tell](typename Op::Outcome outcome) {
      is_done_ = true;
      tell(std::move(outcome));
    });
  }
  bool is_done() const override { return is_done_; }
  bool Expire() override { return operation_.Expire(); }
  std::pair<bool, Word> Cancel() override {
    if (!operation_.Cancel()) return {false, ""};
    if constexpr (requires { operation_.TakeBack(); }) return {true, Of(operation_.TakeBack())};
    return {true, ""};
  }

 private:
  Op operation_;
  bool is_done_ = false;
};

}  // namespace sluice::channel::testing
