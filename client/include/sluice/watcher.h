// SPDX-License-Identifier: Apache-2.0
/// Follows config keys: knows the latest of each, and tells what changed.
///
/// Selection   Keys by name, and all keys that begin with a prefix. They need not be there.
/// Latest      Get answers from memory. From the first complete snapshot on (WaitForSnapshot) it
///             knows every selected key.
/// Changes     Next, Recv or on_change tell them in the order in which the keys changed last, each
///             key's latest only: who is slow misses those between (W7), and never a key. A key
///             that came and went untold is not told. The snapshot is told as changes, too.
/// Deleted     An entry with `deleted`. Its version is 0 epochs on: the last one known, with
///             revision 0, if it was found missing after a reconnect.
/// Reconnect   A lost stream is opened again and goes on where it was (N38). If the daemon does not
///             know that point any more, or is another one, a new snapshot replaces what is known;
///             keys that it does not name are told as deleted. Meanwhile Get answers what was
///             known, and is_current() is false.
/// Flow        Its connection is its own, with a window of 64 KiB, so that what is on its way and
///             cannot be replaced by newer values is little.
/// Ends        Close and the destructor cancel; both within 1 s.
/// Threads     All functions may be called from any thread at once. Callbacks run on a thread of
///             the client and must not wait; waiting functions called from them answer WOULD_BLOCK.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sluice/config.h"
#include "sluice/deadline.h"
#include "sluice/operation.h"
#include "sluice/outcome.h"
#include "sluice/status.h"
#include "sluice/stream_state.h"

namespace sluice {
inline namespace abi1 {

/// An entry as it was when it was looked at; null: there is no such key.
using ConfigSnapshot = std::shared_ptr<const ConfigEntry>;

struct WatcherOptions {
  std::vector<std::string> keys;
  /// Together with keys at least 1, at most 1,000. The empty one is every key.
  std::vector<std::string> prefixes;
  /// Instead of Next and Recv.
  std::function<void(const ConfigSnapshot&)> on_change;
  ReconnectOptions reconnect;
  OnStreamState on_state;
};

struct WatcherStats {
  std::uint64_t entries = 0;    ///< That came, tombstones included.
  std::uint64_t snapshots = 0;  ///< Completed.
  std::uint64_t resumed = 0;    ///< Times that it went on where it was.
  std::uint64_t resets = 0;     ///< Times that it could not.
  std::uint64_t keys = 0;       ///< Known to be there now.
  std::uint64_t reconnects = 0;
  std::uint64_t exceptions = 0;  ///< Thrown by its callbacks.
};

class WatchStream;

class Watcher {
 public:
  explicit Watcher(std::shared_ptr<WatchStream> stream);
  Watcher(Watcher&&) noexcept;
  Watcher& operator=(Watcher&&) noexcept;
  ~Watcher();

  /// The latest known of a selected key.
  ConfigSnapshot Get(const std::string& key) const;
  /// The latest of all that are there, by name.
  std::vector<ConfigSnapshot> All() const;

  /// The next change. DEADLINE; STREAM_ENDED.
  Result<ConfigSnapshot> Next(Deadline deadline);
  Operation<Result<ConfigSnapshot>> Recv();

  /// Waits until a snapshot was complete once. DEADLINE, STREAM_ENDED.
  Status WaitForSnapshot(Deadline deadline);
  /// Waits until `holds` accepts the latest of the key (null: it is not there), once a snapshot was
  /// complete, the one known first; and answers what was accepted. `holds` runs on this thread,
  /// without a lock. Values that are replaced meanwhile may be missed. DEADLINE, STREAM_ENDED.
  Result<ConfigSnapshot> WaitFor(const std::string& key,
                                 const std::function<bool(const ConfigSnapshot&)>& holds,
                                 Deadline deadline);

  /// Connected, and everything up to some moment of this connection is known.
  bool is_current() const;
  Result<StreamEnd> Close(Deadline deadline);

  WatcherStats stats() const;
  StreamState state() const;
  /// How it ended for good; nothing while it lives or reconnects.
  std::optional<StreamEnd> end() const;

 private:
  std::shared_ptr<WatchStream> stream_;
};

}  // namespace abi1
}  // namespace sluice
