// SPDX-License-Identifier: Apache-2.0
// Identities that outlive one call: what unary calls and ephemeral things are tied to.
//
// A session is held by one stream at a time. Lost without half-close it lingers, and may be taken
// up again by its id; then it ends, and everything tied to it learns so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "broker/limits.h"
#include "broker/notifier.h"
#include "broker/timers.h"

namespace sluice::broker {

// What may be tied to a session.
class SessionBound {
 public:
  virtual ~SessionBound() = default;
  // What is tied to this session ends. Idempotent. Called with no lock held.
  virtual void SessionEnded(const std::string& session_id) = 0;
};

// One instant. opened = ended + kept
struct SessionStats {
  std::uint64_t kept = 0;
  std::uint64_t lingering = 0;  // part of kept: their stream was lost
  std::uint64_t opened = 0;     // over the life of the daemon, as the three below
  std::uint64_t resumed = 0;
  std::uint64_t ended = 0;
  std::uint64_t expired = 0;  // part of ended: lingered out
};

// As operators see it. Whoever knows an id may take the session up, so its end is not shown.
struct SessionView {
  std::string id_begins;  // its first bytes, in hex
  bool is_held = false;   // by a stream; else it lingers
  Duration ends_in{0};    // lingering: unless it is taken up
  std::uint64_t tied = 0;
};

struct SessionPage {
  std::vector<SessionView> sessions;
  std::uint64_t next = 0;  // the place to go on at; 0: there are no more
};

class Sessions final : public Scheduled, public std::enable_shared_from_this<Sessions> {
 public:
  Sessions(const Clock& clock, Timers& timers, const Limits& limits);

  struct Kept {
    std::string id;  // kSessionIdBytes, random, drawn here
    std::uint64_t fence = 0;
    bool resumed = false;
  };
  // A known id is taken over: the stream that held it is told, and IsHeldBy its fence turns false.
  // An unknown or empty one gives a new session. RESOURCE_EXHAUSTED, reason TOO_MANY_SESSIONS.
  Result<Kept> Keep(const std::string& id, NotifierPtr notifier);
  // The fence that holds the session now; 0: it has ended.
  std::uint64_t fence(const std::string& id) const;
  // Half-close: ends it now. Ignored when another holds it.
  void End(const std::string& id, std::uint64_t fence);
  // The stream was lost: it ends after `linger` unless taken up.
  void Release(const std::string& id, std::uint64_t fence, Duration linger);

  // FAILED_PRECONDITION, reason SESSION_GONE. SessionEnded will be called. Tie before naming the
  // session to the one that is bound; if fence(id) is 0 after that call, the session ended in
  // between and may have been announced too early: then call SessionEnded again.
  Status Tie(const std::string& id, const std::shared_ptr<SessionBound>& bound);
  // FAILED_PRECONDITION, reason SESSION_GONE. The notifier is told when the session ends.
  Status Tie(const std::string& id, const NotifierPtr& notifier);

  std::uint32_t count() const;
  // Some from `place` on (at first 0), in no order: `count`, and what shares the last one's place.
  // The lock is held for a part of them at a time: a session kept meanwhile may be left out.
  SessionPage List(std::uint64_t place, std::size_t count) const;
  SessionStats Describe() const;
  // Every session ends: the daemon goes down.
  void EndAll();

  TimePoint RunDue(TimePoint now) override;

 private:
  template <class T>
  using WeakSet = std::set<std::weak_ptr<T>, std::owner_less<std::weak_ptr<T>>>;

  struct Session {
    std::uint64_t fence = 0;
    NotifierPtr holder;          // nullptr: lingering
    TimePoint ends_at = kNever;  // lingering
    WeakSet<SessionBound> bound;
    WeakSet<Notifier> notifiers;
    std::size_t prune_at = 64;  // ties, when those of the gone are dropped
  };
  using Table = std::unordered_map<std::string, Session>;

  // What a session leaves to be told, once the lock is released.
  struct Ended {
    std::string id;
    Session session;
  };
  Ended Take(Table::iterator it) REQUIRES(mutex_);
  static void Tell(const Ended& ended);
  static void Prune(Session& session);
  static SessionView View(const std::string& id, const Session& session, TimePoint now);
  TimePoint NextEnd() const REQUIRES(mutex_);

  const Clock& clock_;
  Timers& timers_;
  const Limits& limits_;
  mutable Mutex mutex_;
  Table sessions_ GUARDED_BY(mutex_);
  std::set<std::pair<TimePoint, std::string>> lingering_ GUARDED_BY(mutex_);
  std::uint64_t next_fence_ GUARDED_BY(mutex_);
  std::uint64_t opened_ GUARDED_BY(mutex_) = 0;
  std::uint64_t resumed_ GUARDED_BY(mutex_) = 0;
  std::uint64_t ended_ GUARDED_BY(mutex_) = 0;
  std::uint64_t expired_ GUARDED_BY(mutex_) = 0;
};

}  // namespace sluice::broker
