// SPDX-License-Identifier: Apache-2.0
// The connection that the daemon makes to itself, to see whether it answers. It is no client: no
// bound refuses it and no list shows it, or a full house would look like a dead daemon. No gRPC
// type in this header.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/mutex.h"

namespace sluice::rpc {

// Thread-safe. A leaf lock.
class OwnPeer {
 public:
  // As gRPC names the peer of a call. Before the connection is made, so that nobody meets it
  // unknown; one at a time.
  void Set(std::string peer) {
    MutexLock lock(mutex_);
    peer_ = std::move(peer);
  }
  bool Is(std::string_view peer) const {
    MutexLock lock(mutex_);
    return !peer_.empty() && peer == peer_;
  }

 private:
  mutable Mutex mutex_;
  std::string peer_ GUARDED_BY(mutex_);
};

}  // namespace sluice::rpc
