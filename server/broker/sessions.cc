// SPDX-License-Identifier: Apache-2.0
#include "broker/sessions.h"

#include <string_view>
#include <vector>

#include "broker/random.h"

namespace sluice::broker {
namespace {

Status SessionGone() {
  return Status(Code::kFailedPrecondition, "SESSION_GONE", "the session has ended or never was");
}

// Places of the table walked under one hold of the lock.
constexpr std::size_t kPlacesAtOnce = 4'096;
constexpr std::size_t kShownIdBytes = 4;

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) {
    for (const int shift : {4, 0}) {
      hex += "0123456789abcdef"[(static_cast<unsigned char>(byte) >> shift) & 15];
    }
  }
  return hex;
}

}  // namespace

// Fences begin at the time, so that they rise over restarts, too.
Sessions::Sessions(const Clock& clock, Timers& timers, const Limits& limits)
    : clock_(clock), timers_(timers), limits_(limits), next_fence_(clock.UnixMicros()) {}

Result<Sessions::Kept> Sessions::Keep(const std::string& id, NotifierPtr notifier) {
  NotifierPtr former;
  Kept kept;
  {
    MutexLock lock(mutex_);
    auto it = id.empty() ? sessions_.end() : sessions_.find(id);
    kept.resumed = it != sessions_.end();
    if (!kept.resumed) {
      if (sessions_.size() >= limits_.sessions_max) {
        return Status(Code::kResourceExhausted, "TOO_MANY_SESSIONS",
                      std::to_string(sessions_.size()) + " sessions are kept, the most is " +
                          std::to_string(limits_.sessions_max))
            .With("limit", std::to_string(limits_.sessions_max));
      }
      it = sessions_.emplace(RandomBytes(kSessionIdBytes), Session()).first;
    }
    ++(kept.resumed ? resumed_ : opened_);
    Session& session = it->second;
    lingering_.erase({session.ends_at, it->first});
    session.ends_at = kNever;
    session.fence = next_fence_++;
    former = std::exchange(session.holder, std::move(notifier));
    kept.id = it->first;
    kept.fence = session.fence;
  }
  if (former != nullptr) former->Notify();
  return kept;
}

std::uint64_t Sessions::fence(const std::string& id) const {
  MutexLock lock(mutex_);
  const auto it = sessions_.find(id);
  return it == sessions_.end() ? 0 : it->second.fence;
}

void Sessions::End(const std::string& id, std::uint64_t fence) {
  Ended ended;
  {
    MutexLock lock(mutex_);
    const auto it = sessions_.find(id);
    if (it == sessions_.end() || it->second.fence != fence) return;
    ended = Take(it);
  }
  Tell(ended);
}

void Sessions::Release(const std::string& id, std::uint64_t fence, Duration linger) {
  if (linger <= Duration::zero()) return End(id, fence);
  NotifierPtr former;  // outlives the lock: its end may run anything
  const TimePoint ends_at = Later(clock_.Now(), linger);
  {
    MutexLock lock(mutex_);
    const auto it = sessions_.find(id);
    if (it == sessions_.end() || it->second.fence != fence) return;
    lingering_.erase({it->second.ends_at, id});
    it->second.ends_at = ends_at;
    lingering_.emplace(ends_at, id);
    former = std::move(it->second.holder);
  }
  timers_.RunBy(ends_at, shared_from_this());
}

Status Sessions::Tie(const std::string& id, const std::shared_ptr<SessionBound>& bound) {
  MutexLock lock(mutex_);
  const auto it = sessions_.find(id);
  if (it == sessions_.end()) return SessionGone();
  it->second.bound.insert(bound);
  Prune(it->second);
  return Status();
}

Status Sessions::Tie(const std::string& id, const NotifierPtr& notifier) {
  MutexLock lock(mutex_);
  const auto it = sessions_.find(id);
  if (it == sessions_.end()) return SessionGone();
  it->second.notifiers.insert(notifier);
  Prune(it->second);
  return Status();
}

// Every call that names the session ties something: those that are gone are dropped whenever the
// ties have doubled, so that a long session does not grow with its calls.
void Sessions::Prune(Session& session) {
  if (session.bound.size() + session.notifiers.size() < session.prune_at) return;
  std::erase_if(session.bound, [](const auto& weak) { return weak.expired(); });
  std::erase_if(session.notifiers, [](const auto& weak) { return weak.expired(); });
  session.prune_at = 2 * (session.bound.size() + session.notifiers.size()) + 64;
}

std::uint32_t Sessions::count() const {
  MutexLock lock(mutex_);
  return static_cast<std::uint32_t>(sessions_.size());
}

SessionStats Sessions::Describe() const {
  MutexLock lock(mutex_);
  SessionStats stats;
  stats.kept = sessions_.size();
  stats.lingering = lingering_.size();
  stats.opened = opened_;
  stats.resumed = resumed_;
  stats.ended = ended_;
  stats.expired = expired_;
  return stats;
}

SessionView Sessions::View(const std::string& id, const Session& session, TimePoint now) {
  SessionView view;
  view.id_begins = Hex(std::string_view(id).substr(0, kShownIdBytes));
  view.is_held = session.holder != nullptr;
  view.ends_in = view.is_held ? Duration::zero() : session.ends_at - now;
  view.tied = session.bound.size() + session.notifiers.size();
  return view;
}

SessionPage Sessions::List(std::uint64_t place, std::size_t count) const {
  SessionPage page;
  const TimePoint now = clock_.Now();
  for (bool is_over = false; !is_over;) {
    MutexLock lock(mutex_);
    const std::size_t places = sessions_.bucket_count();
    for (std::size_t i = 0; i < kPlacesAtOnce && place < places; ++i, ++place) {
      for (auto it = sessions_.cbegin(place); it != sessions_.cend(place); ++it) {
        page.sessions.push_back(View(it->first, it->second, now));
      }
      if (page.sessions.size() < count) continue;
      page.next = ++place < places ? place : 0;
      return page;
    }
    is_over = place >= places;
  }
  return page;
}

void Sessions::EndAll() {
  std::vector<Ended> all;
  {
    MutexLock lock(mutex_);
    while (!sessions_.empty()) all.push_back(Take(sessions_.begin()));
  }
  for (const Ended& ended : all) Tell(ended);
}

TimePoint Sessions::RunDue(TimePoint now) {
  std::vector<Ended> due;
  TimePoint next = kNever;
  {
    MutexLock lock(mutex_);
    while (!lingering_.empty() && NextEnd() <= now) {
      ++expired_;
      due.push_back(Take(sessions_.find(lingering_.begin()->second)));
    }
    next = NextEnd();
  }
  for (const Ended& ended : due) Tell(ended);
  return next;
}

TimePoint Sessions::NextEnd() const {
  return lingering_.empty() ? kNever : lingering_.begin()->first;
}

Sessions::Ended Sessions::Take(Table::iterator it) {
  lingering_.erase({it->second.ends_at, it->first});
  Ended ended{it->first, std::move(it->second)};
  sessions_.erase(it);
  ++ended_;
  return ended;
}

void Sessions::Tell(const Ended& ended) {
  for (const auto& weak : ended.session.bound) {
    if (const auto bound = weak.lock()) bound->SessionEnded(ended.id);
  }
  for (const auto& weak : ended.session.notifiers) {
    if (const auto notifier = weak.lock()) notifier->Notify();
  }
  if (ended.session.holder != nullptr) ended.session.holder->Notify();
}

}  // namespace sluice::broker
