// SPDX-License-Identifier: Apache-2.0
// Every connection that the daemon has accepted: the bounds on their number, and what a connection
// did wrong. No gRPC type in this header.
//
// Life     gRPC owns a connection and tells nobody when it closes it. So the kernel is asked: a
//          socket has a cookie that no other socket ever has, and a connection is open as long as
//          its descriptor gives its cookie. Looked at when a bound is hit, before a snapshot, and
//          now and then. (A kernel without cookies makes every connection look closed: the bounds
//          then hold nothing back.)
// Strikes  gRPC's own limits bind only a client that has acknowledged them, and it lets a client
//          reset calls as fast as it begins them. So what only a bad client does, or a good one now
//          and then, fills the connection's bucket, which leaks; when it runs over, the connection
//          is cut. Its size lets a client cancel all its calls at once, twice.
// Hoards   see rpc/unread.h. A connection that has received something is looked at, at most every
//          50 ms; one that is silent costs nothing.
// Peers    a connection is named as gRPC names its peer. All connections of a unix socket have one
//          name, so no call can be put down to one of them: they have no strikes.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mutex.h"
#include "rpc/log_gate.h"
#include "rpc/own_peer.h"
#include "rpc/unread.h"

namespace sluice::rpc {

struct ConnectionLimits {
  std::uint32_t connections_max = 10'000;
  std::uint32_t connections_per_address_max = 0;  // 0: no bound
  std::uint32_t calls_max = 1'000;                // of one connection: sizes the bucket
  std::uint32_t strikes_max = 20'000;             // what the bucket holds at least
  std::uint32_t strikes_leak = 1'000;             // out of the bucket, a second
};

enum class Refusal : std::uint8_t { kTotal, kAddress, kDescriptors };
inline constexpr std::array<std::string_view, 3> kRefusalNames = {"total", "address",
                                                                  "descriptors"};

// Also what a connection was cut for: the strike that ran its bucket over.
enum class Strike : std::uint8_t {
  kTooManyStreams,  // a call refused by a bound on streams
  kMetadata,        // a call with metadata over the limit
  kReset,           // a call reset before its first frame was read
  kExpired,         // the same, but its deadline had passed
  kUnread,          // a hoard; cuts at once
};
inline constexpr std::array<std::string_view, 5> kStrikeNames = {"too_many_streams", "metadata",
                                                                 "reset", "expired", "unread"};

struct ConnectionCounts {
  std::uint64_t open = 0;
  std::uint32_t per_address = 0;  // open ones of the address that has the most
  std::uint64_t accepted = 0;     // since the start, without refused ones
  std::array<std::uint64_t, kRefusalNames.size()> refused{};
  std::array<std::uint64_t, kStrikeNames.size()> cut{};
  std::uint64_t accept_errors = 0;  // out of descriptors, memory, ...
};

// "ipv4:10.0.0.7:51234", "ipv6:%5B::1%5D:51234", "unix:": as gRPC writes it.
std::string PeerName(const sockaddr_storage& address);
// Without its port. A peer that has none is its own address.
std::string_view AddressOf(std::string_view peer);

// Thread-safe. A leaf lock.
class Connections {
 public:
  // Connections of `own` are neither bounded nor counted.
  Connections(ConnectionLimits limits, const Clock& clock, const OwnPeer* own = nullptr);

  // A connection was accepted on `fd`. False: refused, and counted; the caller closes it.
  bool Admit(int fd, const std::string& peer);
  // One was accepted only to be closed.
  void Refused(Refusal reason, const std::string& peer);
  void AcceptFailed(int error);
  // Cuts the connection when its bucket runs over: its calls are then told that it is lost.
  void Struck(const std::string& peer, Strike strike);
  // Forgets what is closed.
  void Sweep();
  // Looks for hoards. True: look again within 50 ms. Else it is enough to look when `activity` is
  // readable: there is news of some connection.
  bool Watch();
  int activity() const noexcept { return activity_.get(); }
  // What the connection's calls account to; nothing: it has no name of its own, or is ours.
  std::shared_ptr<Traffic> TrafficOf(const std::string& peer) const;

  const ConnectionLimits& limits() const noexcept { return limits_; }
  ConnectionCounts Counts();

 private:
  struct Connection {
    std::uint64_t cookie = 0;
    std::string peer;
    double level = 0;  // of the bucket, at `struck`
    TimePoint struck{};
    bool is_cut = false;
    std::shared_ptr<Traffic> traffic;
    UnreadJudge judge;
  };

  bool HasRoom(std::string_view address, Refusal& reason) const REQUIRES(mutex_);
  bool Cut(int fd, std::uint64_t cookie) REQUIRES(mutex_);
  void LogCut(const std::string& peer, Strike strike);
  // Whether it is to be looked at again soon.
  bool WatchOne(int fd);
  void SweepLocked() REQUIRES(mutex_);
  void Forget(int fd) REQUIRES(mutex_);

  const ConnectionLimits limits_;
  const double bucket_;
  const Clock& clock_;
  const OwnPeer* const own_;
  mutable Mutex mutex_;
  std::unordered_map<int, Connection> by_fd_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, int> by_peer_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, std::uint32_t> per_address_ GUARDED_BY(mutex_);
  const Fd activity_;
  // The accepting thread's only.
  TimePoint watched_{};
  std::vector<int> suspects_;
  TimePoint swept_ GUARDED_BY(mutex_){};
  ConnectionCounts counts_ GUARDED_BY(mutex_);  // but `open`
  // A second descriptor of a connection that is cut, for that moment. Held in advance: when they
  // have run out a connection can still be cut.
  Fd nothing_ GUARDED_BY(mutex_);
  Fd pinned_ GUARDED_BY(mutex_);
  std::array<LogGate, kRefusalNames.size()> refused_log_;
  std::array<LogGate, kStrikeNames.size()> cut_log_;
  LogGate failed_log_;
};

}  // namespace sluice::rpc
