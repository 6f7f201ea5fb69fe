// SPDX-License-Identifier: Apache-2.0
// Names to channels of one kind.
//
// A Channel provides: Spec, with Effective() and FirstDifference() for it; kKind, the word for it;
// Create(name, effective spec, epoch, clock, timers, memory); has_ended(), is_deleted(),
// Delete(reason); and what departures.h asks.
//
// Ended      An ended channel answers until its name is wanted for another, or the room is, or it
// has
//            ended long ago.
// Counts     what channels counted is never lost: TakeCensus has those that have gone, too.
// Threads    every method may be called from any thread. The lock is never held while a channel is
//            called, but for Admit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "broker/channel_space.h"
#include "broker/departures.h"
#include "broker/name.h"
#include "broker/outcome.h"
#include "broker/random.h"
#include "broker/refusals.h"

namespace sluice::broker {

template <class Channel>
class Registry {
 public:
  using Spec = typename Channel::Spec;

  explicit Registry(ChannelSpace& space) : space_(space) {}
  virtual ~Registry() = default;
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  struct Declared {
    std::shared_ptr<Channel> channel;
    bool created = false;
  };
  // N5: same name and effective spec, same channel; otherwise FAILED_PRECONDITION, reason
  // DECLARED_OTHERWISE, naming the first field that differs. An ended channel's name gives a new
  // one, with a new epoch. INVALID_ARGUMENT for the name or the spec; RESOURCE_EXHAUSTED, reason
  // TOO_MANY_CHANNELS; UNAVAILABLE, reason DRAINING.
  Result<Declared> Declare(const std::string& name, const Spec& spec) {
    if (Status status = CheckName(Channel::kKind, name); !status.ok()) return status;
    Result<Spec> effective = Effective(spec, space_.limits);
    if (!effective.ok()) return effective.error();
    const std::shared_ptr<Channel> fresh = Channel::Create(
        name, *effective, RandomNumber(), space_.clock, space_.timers, space_.memory);
    for (const bool may_make_room : {true, false}) {
      std::shared_ptr<Channel> existing;  // let go after the lock
      switch (Place(name, fresh, existing)) {
        case Placing::kPlaced:
          existing.reset();
          Settle(1);
          Admitted(*fresh);
          return Declared{fresh, true};
        case Placing::kTaken:
          if (auto difference = FirstDifference(existing->spec(), *effective)) {
            return DeclaredOtherwise(Channel::kKind, name, *difference);
          }
          return Declared{std::move(existing), false};
        case Placing::kDraining:
          return Draining();
        case Placing::kNoRoom:
          break;
      }
      if (may_make_room) space_.make_room();
    }
    return TooManyChannels(space_.limits.channels_max);
  }

  // For looking and settling: NOT_FOUND; declares nothing.
  Result<std::shared_ptr<Channel>> LookUp(const std::string& name) const {
    {
      MutexLock lock(mutex_);
      const auto it = channels_.find(name);
      if (it != channels_.end() && !it->second->is_deleted()) return it->second;
    }
    if (Status status = CheckName(Channel::kKind, name); !status.ok()) return status;
    return ChannelNotFound(Channel::kKind, name);
  }

  // For using: as LookUp, but with auto_declare an unknown name comes to life.
  Result<std::shared_ptr<Channel>> Find(const std::string& name) {
    Result<std::shared_ptr<Channel>> found = LookUp(name);
    if (found.ok() || !space_.auto_declare || found.error().code() != Code::kNotFound) return found;
    Result<Declared> declared = Declare(name, Spec());
    if (declared.ok()) return std::move(declared->channel);
    // Somebody declared it in between, otherwise.
    found = LookUp(name);
    if (found.ok()) return found;
    return std::move(declared).error();
  }

  // As an open does it: with a spec Declare, without Find.
  Result<std::shared_ptr<Channel>> Open(const std::string& name, const std::optional<Spec>& spec) {
    if (!spec.has_value()) return Find(name);
    Result<Declared> declared = Declare(name, *spec);
    if (!declared.ok()) return std::move(declared).error();
    return std::move(declared->channel);
  }

  // N4. The name is free at once. Returns what Channel::Delete does: how much was destroyed.
  Result<std::uint64_t> Delete(const std::string& name) {
    if (Status status = CheckName(Channel::kKind, name); !status.ok()) return status;
    std::shared_ptr<Channel> channel;
    {
      MutexLock lock(mutex_);
      const auto it = channels_.find(name);
      if (it == channels_.end() || it->second->is_deleted()) {
        return ChannelNotFound(Channel::kKind, name);
      }
      channel = std::move(it->second);
      departures_.Add(channel);
      channels_.erase(it);
      space_.GivePlaces(1);
    }
    const std::uint64_t count = channel->Delete(ClosedReason::kDeleted);
    channel.reset();
    Settle(1);
    return count;
  }

  // In order of name, from after `after`, at most `count`, names that begin with `prefix`.
  std::vector<std::shared_ptr<Channel>> List(const std::string& prefix, const std::string& after,
                                             std::size_t count) const {
    std::vector<std::shared_ptr<Channel>> list;
    MutexLock lock(mutex_);
    auto it = after < prefix ? channels_.lower_bound(prefix) : channels_.upper_bound(after);
    for (; it != channels_.end() && list.size() < count; ++it) {
      if (!it->first.starts_with(prefix)) break;
      if (!it->second->is_deleted()) list.push_back(it->second);
    }
    return list;
  }
  std::vector<std::shared_ptr<Channel>> All() const { return List("", "", ~std::size_t{0}); }

  void ForgetEnded() {
    Forget([](const Channel&) { return true; });
  }
  // Those that had ended already when this was last called.
  void ForgetLongEnded() {
    Forget([this](const Channel& channel)
               REQUIRES(mutex_) { return had_ended_.contains(channel.epoch()); });
    MutexLock lock(mutex_);
    had_ended_.clear();
    for (const auto& [name, channel] : channels_) {
      if (channel->has_ended()) had_ended_.insert(channel->epoch());
    }
  }

  // Every channel that is or was, in one instant. What is asked of those in it afterwards, and
  // added up with what has gone, never goes back from one census to a later one.
  Census<Channel> TakeCensus() {
    Settle(kEveryone);
    Census<Channel> census;
    MutexLock lock(mutex_);
    census.named.reserve(channels_.size());
    for (const auto& [name, channel] : channels_) census.named.push_back(channel);
    departures_.AppendTo(census.leaving);
    census.gone = departures_.gone();
    return census;
  }

 protected:
  // A new channel, which nobody knows yet, is about to become visible under its name.
  virtual void Admit(Channel& fresh) REQUIRES(mutex_) { static_cast<void>(fresh); }
  // It is visible, and the lock is released.
  virtual void Admitted(Channel& fresh) { static_cast<void>(fresh); }

  ChannelSpace& space_;
  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<Channel>> channels_ GUARDED_BY(mutex_);

 private:
  Departures<Channel> departures_ GUARDED_BY(mutex_);
  std::unordered_set<std::uint64_t> had_ended_ GUARDED_BY(mutex_);  // epochs

  // Of those that have ended. `is_meant` is called under the lock.
  template <class Predicate>
  void Forget(const Predicate& is_meant) {
    std::size_t forgotten = 0;
    {
      MutexLock lock(mutex_);
      for (auto it = channels_.begin(); it != channels_.end();) {
        const auto here = it++;
        if (!here->second->has_ended() || !is_meant(*here->second)) continue;
        departures_.Add(std::move(here->second));
        channels_.erase(here);
        ++forgotten;
      }
      space_.GivePlaces(forgotten);
    }
    Settle(forgotten);
  }

  static constexpr std::size_t kEveryone = ~std::size_t{0};
  static constexpr std::size_t kLookedAt = 4;

  // Lets go of what nobody uses any more, at the latest when some others have lost their names.
  void Settle(std::size_t departed) {
    typename Departures<Channel>::Picked picked;
    {
      MutexLock lock(mutex_);
      picked = departures_.Pick(departed == kEveryone ? departed : departed + kLookedAt);
    }
    if (picked.empty()) return;
    const typename Channel::Counts counts = picked.Fold();
    std::vector<std::shared_ptr<Channel>> gone;  // let go after the lock
    MutexLock lock(mutex_);
    gone = departures_.Take(picked, counts);
  }

  enum class Placing : std::uint8_t { kPlaced, kTaken, kDraining, kNoRoom };

  // Puts `fresh` under the name, unless there is one that has not ended: `existing`.
  Placing Place(const std::string& name, const std::shared_ptr<Channel>& fresh,
                std::shared_ptr<Channel>& existing) {
    MutexLock lock(mutex_);
    if (space_.is_draining) return Placing::kDraining;
    const auto it = channels_.find(name);
    if (it != channels_.end()) {
      existing = it->second;
      if (!existing->has_ended()) return Placing::kTaken;
      departures_.Add(existing);
      Admit(*fresh);
      it->second = fresh;
      return Placing::kPlaced;
    }
    if (!space_.TakePlace()) return Placing::kNoRoom;
    Admit(*fresh);
    channels_.emplace(name, fresh);
    return Placing::kPlaced;
  }
};

}  // namespace sluice::broker
