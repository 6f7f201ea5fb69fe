// SPDX-License-Identifier: Apache-2.0
// Config keys: each holds its latest value, and tells those who watch it.
//
// State          A key is there from its first set to its delete; its setter may go (N35, N40). A
//                deleted key is remembered by a tombstone, the last kTombstonesMax of them (N37).
// Order          Every set and delete gets the next revision, of all keys together. The keys stand
//                in one list by the revision of their latest change, and a change moves its key to
//                the end. So what a watcher owes its client is what stands behind its revision: the
//                latest of each key, however many changes there were (N34, W7), and no watcher has
//                a backlog.
// Fallen behind  A watcher that has not told a tombstone when that is forgotten ends with kLimit:
//                what it could tell from there on would hide a delete. It may resume, by reset.
// On watch       A channel::watch is one value with the senders and receivers of one handle each;
//                here watchers follow prefixes over all keys in one order of revisions, sets are
//                conditional, and versions outlive a watcher. So its rules (W2, W6, W7, W11, W12,
//                W19) hold here on a state of their own, under one lock.
// Threads        every method may be called from any thread. One mutex, none nested; notices, and
//                what is let go, go out after it is released.
// Cost           A set: O(log keys), and O(log selectors) for each different length of a prefix
//                that is watched; then 1 for each watcher of that key, none for others. Take: the
//                keys that changed since the first that concerns the watcher, at most
//                kKeysAtOnce under one hold of the lock. Memory: about 500 bytes a key beside name
//                and value; a watcher its selectors, and while it is given a snapshot a mark for
//                each frame of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "broker/channel_space.h"
#include "broker/config_entry.h"
#include "broker/config_watcher.h"
#include "broker/notifier.h"
#include "broker/sessions.h"
#include "broker/timers.h"

namespace sluice::broker {

class Config final : public Scheduled,
                     public SessionBound,
                     public std::enable_shared_from_this<Config> {
 public:
  // Every key takes a place of `space`, which outlives it.
  static std::shared_ptr<Config> Create(ChannelSpace& space);
  ~Config() override;

  std::uint64_t service_epoch() const noexcept;  // the life that revisions belong to (N6)
  ConfigStats Describe() const;

  // --- keys -------------------------------------------------------------------------------------
  // kOk: stored, `entry` is what is stored. kConflict: not at `expect`, `entry` is the latest, if
  // there is one (N36). kNoSubscribers: required, and nobody watches (W11). kFull: the daemon has
  // no memory for what it takes more than the entry before. Judged in this order,
  // in one instant with the storing; without kOk nothing changed, and nobody is told.
  // INVALID_ARGUMENT: CheckSet. RESOURCE_EXHAUSTED, reason TOO_MANY_CHANNELS: a new key has no
  // place.
  Result<KeyAnswer> Set(SetOptions options);
  // kOk: `entry` is the tombstone. kAbsent. kConflict: not at `expect`, `entry` is the latest.
  // INVALID_ARGUMENT: CheckDelete.
  Result<KeyAnswer> Delete(const std::string& key, const std::optional<KeyVersion>& expect);
  // kOk or kAbsent. INVALID_ARGUMENT: the name.
  Result<KeyAnswer> Get(const std::string& key) const;
  // In order of name, from after `after`, names that begin with `prefix`: at most `count`, and at
  // most `bytes_max` in a frame, or one.
  KeyPage List(const std::string& prefix, const std::string& after, std::size_t count,
               std::uint64_t bytes_max, bool with_values) const;

  // --- waiting for a value (N39) ----------------------------------------------------------------
  // The ticket is done at once (ask TakeAnswer after it), or when the condition holds, the deadline
  // comes, or the broker goes down; then the notifier is told. kOk: `entry` is the one that was
  // found to fulfil the condition (W19). kTimedOut: `entry` is what there is, if anything. kClosed:
  // `reason`. While it waits it counts as a watcher of the key. INVALID_ARGUMENT: the name,
  // CheckCondition.
  Status Wait(GetTicket& ticket, const std::string& key, KeyCondition condition, TimePoint deadline,
              NotifierPtr notifier);
  // True: done, and `out` says how.
  bool TakeAnswer(GetTicket& ticket, KeyAnswer& out);
  // The caller went: nothing is left of it.
  void CancelWait(GetTicket& ticket);

  // --- watching (N34, N38) ----------------------------------------------------------------------
  // Ask Take after it. INVALID_ARGUMENT for a key, a prefix, none, or too many.
  Status Watch(Watcher& watcher, const WatchOptions& options, NotifierPtr notifier);
  // The next frame: entries of at most `bytes_max`, or one. Nothing: the notifier is told when
  // there is something.
  WatchNews Take(Watcher& watcher, std::uint64_t bytes_max);
  void Unwatch(Watcher& watcher);

  // --- ends -------------------------------------------------------------------------------------
  // Waits end with kClosed; watchers when they have told what there is. Idempotent.
  void Close(ClosedReason reason);
  // The keys tied to it are deleted (N40). Idempotent.
  void SessionEnded(const std::string& session_id) override;
  TimePoint RunDue(TimePoint now) override;

 private:
  struct Core;  // the state, guarded by its mutex (config/core.h)
  class Turn;   // one operation under the lock, and what follows from it

  explicit Config(ChannelSpace& space);

  const std::unique_ptr<Core> core_;
};

}  // namespace sluice::broker
