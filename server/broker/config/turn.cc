// SPDX-License-Identifier: Apache-2.0
// A turn's frame, and how Config begins and ends.
#include <algorithm>
#include <utility>

#include "broker/config/core.h"
#include "broker/random.h"

namespace sluice::broker {

// Epochs of keys begin anywhere in the lower half of what may be drawn: those of an earlier life of
// the daemon mean none of this one.
Config::Core::Core(ChannelSpace& channel_space)
    : space(channel_space),
      service_epoch(RandomNumber()),
      next_epoch(RandomNumber() / 2 + 1),
      bytes(channel_space.memory) {}

Config::Core::~Core() {
  while (tombstones.PopFront() != nullptr) {
  }
  for (auto& [id, keys] : sessions) {
    while (keys.PopFront() != nullptr) {
    }
  }
}

const KeyRecord* Config::Core::Find(std::string_view key) const {
  const auto it = live.find(key);
  return it == live.end() ? nullptr : &it->second;
}

std::uint32_t Config::Core::Watching(std::string_view key) const {
  return static_cast<std::uint32_t>(interests.Count(key));
}

TimePoint Config::Core::next_due() const { return dues.empty() ? kNever : dues.begin()->first; }

std::shared_ptr<Config> Config::Create(ChannelSpace& space) {
  return std::shared_ptr<Config>(new Config(space));
}

Config::Config(ChannelSpace& space) : core_(std::make_unique<Core>(space)) {}

Config::~Config() = default;

std::uint64_t Config::service_epoch() const noexcept { return core_->service_epoch; }

ConfigStats Config::Describe() const {
  const Core& core = *core_;
  MutexLock lock(core.mutex);
  ConfigStats stats;
  stats.keys = core.live.size();
  stats.ephemeral_keys = core.ephemeral_keys;
  stats.tombstones = core.tombstones.size();
  stats.watchers = core.watchers.size();
  stats.waiting_gets = core.dues.size();
  stats.revision = core.revision;
  stats.retained_bytes = core.bytes;
  stats.refused_memory = core.refused_memory;
  stats.counts = core.counts;
  return stats;
}

void Config::Close(ClosedReason reason) {
  Turn turn(*this);
  Core& core = turn.core();
  if (core.closed_reason != ClosedReason::kUnspecified) return;
  core.closed_reason = reason;
  for (Watcher* watcher = core.watchers.front(); watcher != nullptr;
       watcher = IntrusiveList<Watcher>::Next(*watcher)) {
    turn.after().Tell(watcher->notifier_);
  }
  turn.EndAllWaits();
}

// Some at a time: watchers are told meanwhile, and may keep up with many deletes.
void Config::SessionEnded(const std::string& session_id) {
  for (bool has_more = true; has_more;) {
    Turn turn(*this);
    Core& core = turn.core();
    for (std::size_t count = 0; count < kKeysAtOnce; ++count) {
      const auto session = core.sessions.find(session_id);
      has_more = session != core.sessions.end();
      if (!has_more) break;
      turn.Delete(*session->second.front());  // the last one takes the session with it
    }
  }
}

TimePoint Config::RunDue(TimePoint now) {
  Turn turn(*this);
  Core& core = turn.core();
  turn.WaitsTimeOut(now);
  core.scheduled = core.next_due();
  return core.scheduled;
}

Config::Turn::Turn(Config& config)
    : config_(config),
      core_(*config.core_),
      after_(core_.space.clock, core_.space.timers, core_.space.memory),
      lock_(core_.mutex) {}

Config::Turn::~Turn() {
  const TimePoint next = core_.next_due();
  if (next >= core_.scheduled) return;
  core_.scheduled = next;
  after_.RunBy(next, config_.shared_from_this());
}

}  // namespace sluice::broker
