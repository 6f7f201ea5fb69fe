// SPDX-License-Identifier: Apache-2.0
#include "resume_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "invocation.h"
#include "output.h"

namespace sluice::cli {
namespace {

Status BadFile(const std::string& path, const std::string& text) {
  return BadOption(path + ": " + text, {{"field", "--resume"}});
}

std::uint64_t Number(const Json& topic, const char* key) {
  const auto found = topic.find(key);
  return found != topic.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

}  // namespace

Result<std::optional<std::vector<TopicPosition>>> ResumeFile::Load() {
  using Positions = std::optional<std::vector<TopicPosition>>;
  if (path_.empty()) return Positions();
  std::ifstream file(path_);
  if (!file) {
    if (errno == ENOENT) return Positions();
    return BadFile(path_, std::strerror(errno));
  }
  std::ostringstream text;
  text << file.rdbuf();
  const Json json = Json::parse(text.str(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("selector") || !json.contains("topics") ||
      !json["topics"].is_array()) {
    return BadFile(path_, "this is no file of positions");
  }
  if (json["selector"] != selector_) {
    return BadFile(path_, "these are positions of " + json["selector"].dump());
  }
  for (const Json& topic : json["topics"]) {
    const bool has_name =
        topic.is_object() && topic.contains("topic") && topic["topic"].is_string();
    if (!has_name || Number(topic, "next_position") == 0) {
      return BadFile(path_, "this is no position: " + topic.dump());
    }
    const auto name = topic["topic"].get<std::string>();
    topics_[name] = {name, Number(topic, "epoch"), Number(topic, "next_position")};
  }
  std::vector<TopicPosition> positions;
  for (const auto& [name, position] : topics_) positions.push_back(position);
  return Positions(std::move(positions));
}

void ResumeFile::MoveTo(const std::string& topic, std::uint64_t epoch,
                        std::uint64_t next_position) {
  topics_[topic] = {topic, epoch, next_position};
  is_dirty_ = true;
}

void ResumeFile::Forget(const std::string& topic) {
  topics_.erase(topic);
  is_dirty_ = true;
}

Status ResumeFile::Save(bool now) {
  if (path_.empty() || !is_dirty_) return Status();
  const auto at = std::chrono::steady_clock::now();
  if (!now && saved_at_ && at - *saved_at_ < kSaveInterval) return Status();
  if (Status status = Write(); !status.ok()) return status;
  saved_at_ = at;
  is_dirty_ = false;
  return Status();
}

Status ResumeFile::Write() const {
  Json topics = Json::array();
  for (const auto& [name, position] : topics_) {
    topics.push_back(
        {{"topic", name}, {"epoch", position.epoch}, {"next_position", position.next_position}});
  }
  const std::string fresh = path_ + ".new";
  std::ofstream file(fresh, std::ios::trunc);
  file << Json({{"selector", selector_}, {"topics", topics}}).dump() << "\n";
  file.close();
  if (!file || std::rename(fresh.c_str(), path_.c_str()) != 0) {
    return BadFile(path_, std::string("cannot be written: ") + std::strerror(errno));
  }
  return Status();
}

}  // namespace sluice::cli
