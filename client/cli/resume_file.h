// SPDX-License-Identifier: Apache-2.0
// Where a subscriber is, kept in a file from one run to the next: one JSON object,
//
//   {"selector": "orders.>", "topics": [{"topic": ..., "epoch": ..., "next_position": ...}]}
//
// written anew beside it and renamed, at most every kSaveInterval while messages come: a run that
// is killed prints again what came since.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sluice/subscriber.h"

namespace sluice::cli {

class ResumeFile {
 public:
  static constexpr std::chrono::milliseconds kSaveInterval{200};

  // An empty path: nothing is kept.
  ResumeFile(std::string path, std::string selector)
      : path_(std::move(path)), selector_(std::move(selector)) {}

  // What the last run left; nothing if there is no such file. BAD_OPTION: it is not ours, or of
  // another topic or pattern.
  Result<std::optional<std::vector<TopicPosition>>> Load();

  void MoveTo(const std::string& topic, std::uint64_t epoch, std::uint64_t next_position);
  void Forget(const std::string& topic);
  // Unless nothing moved, or (without `now`) it was saved a moment ago. BAD_OPTION: it cannot be
  // written.
  Status Save(bool now);

 private:
  Status Write() const;

  const std::string path_;
  const std::string selector_;
  std::map<std::string, TopicPosition> topics_;
  bool is_dirty_ = true;  // Also "no topics so far" is a place to come back to.
  std::optional<std::chrono::steady_clock::time_point> saved_at_;
};

}  // namespace sluice::cli
