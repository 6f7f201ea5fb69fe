// SPDX-License-Identifier: Apache-2.0
/// How a client connects, and what it tells of its connection.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace sluice {
inline namespace abi1 {

struct ClientOptions {
  std::string address = "127.0.0.1:7400";  ///< host:port, or unix:/path.
  std::chrono::milliseconds connect_timeout{5000};
  /// Connect keeps trying until connect_timeout, instead of giving up at the first refusal.
  bool wait_for_server = false;
  /// Without sign of life the peer is asked after the interval, and is lost after the timeout. The
  /// daemon refuses intervals under 5 s.
  std::chrono::milliseconds keepalive_interval{20000};
  std::chrono::milliseconds keepalive_timeout{10000};
  /// While streams are open and nothing comes for so long, the daemon is asked for its health; with
  /// nothing for three times as long the streams are lost (NO_HEARTBEAT), and are opened again.
  /// Keepalive notices a dead machine; this notices a daemon that is stopped. 0: off.
  std::chrono::milliseconds heartbeat_interval{10000};
  /// Debian's Abseil checks lock orders at every lock of the process, which serialises all of them.
  bool disable_absl_deadlock_checks = true;
  /// gRPC writes its remarks to stderr, for the whole process. Off, unless GRPC_VERBOSITY is set.
  bool silence_grpc_log = true;
};

/// Of the connection itself; each stream has a StreamState of its own.
enum class ConnectionState : std::uint8_t {
  kIdle,  ///< Not connected, and not trying until something is asked.
  kConnecting,
  kReady,
  kUnreachable,  ///< The last attempt failed; another follows.
};

/// "READY" and the like.
std::string ToString(ConnectionState state);

/// Of all streams of a client, since it connected; the calls are not counted.
struct ClientStats {
  std::uint64_t streams = 0;     ///< Open now.
  std::uint64_t reconnects = 0;  ///< Streams that were accepted again after a loss.
  std::uint64_t frames_sent = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t frames_received = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t heartbeats_lost = 0;  ///< Times that the daemon had gone silent.
};

}  // namespace abi1
}  // namespace sluice
