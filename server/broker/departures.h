// SPDX-License-Identifier: Apache-2.0
// Channels that have lost their name: kept while somebody uses them, so that what is counted yet is
// counted; then their counts alone are kept. At every instant each channel that ever was is here,
// is known by name, or is in the sum: so sums over all of them never go back.
//
// A Channel provides Counts, with +=; Describe(); and FinalCounts of what that returns. One that
// has lost its name and has no user counts nothing any more.
//
// Threads    none of its own, but for Fold: the registry's lock guards it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <list>
#include <memory>
#include <utility>
#include <vector>

namespace sluice::broker {

template <class Channel>
class Departures {
  struct Leaving {
    std::shared_ptr<Channel> channel;
    bool is_picked = false;
  };
  using List = std::list<Leaving>;

 public:
  using Counts = typename Channel::Counts;

  void Add(std::shared_ptr<Channel> channel) { leaving_.push_back({std::move(channel)}); }

  // Some of those that nobody uses any more, until they are taken: looks at `count`, those left out
  // the longest first.
  class Picked {
   public:
    bool empty() const noexcept { return places_.empty(); }
    // Without the lock: a channel is asked with no other lock held.
    Counts Fold() const {
      Counts counts;
      for (const auto place : places_) counts += FinalCounts(place->channel->Describe());
      return counts;
    }

   private:
    friend class Departures;
    std::vector<typename List::iterator> places_;
  };
  Picked Pick(std::size_t count) {
    Picked picked;
    for (count = std::min(count, leaving_.size()); count > 0; --count) {
      const auto place = leaving_.begin();
      leaving_.splice(leaving_.end(), leaving_, place);
      if (place->is_picked || place->channel.use_count() > 1) continue;
      place->is_picked = true;
      picked.places_.push_back(place);
    }
    return picked;
  }
  // They are in the sum from here on. Returns them, to be let go after the lock.
  std::vector<std::shared_ptr<Channel>> Take(const Picked& picked, const Counts& counts) {
    std::vector<std::shared_ptr<Channel>> gone;
    gone_ += counts;
    for (const auto place : picked.places_) {
      gone.push_back(std::move(place->channel));
      leaving_.erase(place);
    }
    return gone;
  }

  const Counts& gone() const noexcept { return gone_; }
  std::size_t size() const noexcept { return leaving_.size(); }
  void AppendTo(std::vector<std::shared_ptr<Channel>>& out) const {
    for (const Leaving& leaving : leaving_) out.push_back(leaving.channel);
  }

 private:
  List leaving_;
  Counts gone_;
};

// Every channel of a kind at one instant.
template <class Channel>
struct Census {
  std::vector<std::shared_ptr<Channel>> named;
  std::vector<std::shared_ptr<Channel>> leaving;  // have lost their name, and are in use
  typename Channel::Counts gone;                  // of all others that ever were
};

}  // namespace sluice::broker
