// SPDX-License-Identifier: Apache-2.0
// Plain sockets for tests: what no client library would do.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/fd.h"

namespace sluice {

inline sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Connected to a port of the loopback. A receive waits for a minute at most.
inline Fd ConnectTo(int port) {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{.tv_sec = 60, .tv_usec = 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  const sockaddr_in address = Loopback(port);
  EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0)
      << errno;
  return fd;
}

// Whether the other side has ended the connection, or does within a minute. What comes before is
// dropped.
inline bool IsEnded(const Fd& fd) {
  char buffer[4096];
  ssize_t got = 0;
  while ((got = recv(fd.get(), buffer, sizeof(buffer), 0)) > 0) {
  }
  return got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

inline void SendAll(const Fd& fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // ended: for the reader to see
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

// What a gRPC client sends first: the preface and empty settings.
inline constexpr std::string_view kGreeting("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
                                            33);

// One frame of HTTP/2 (RFC 9113, 4.1).
inline std::string Http2Frame(char type, char flags, std::uint32_t stream,
                              const std::string& payload) {
  std::string frame;
  for (const int shift : {16, 8, 0}) frame += static_cast<char>(payload.size() >> shift);
  frame += type;
  frame += flags;
  for (const int shift : {24, 16, 8, 0}) frame += static_cast<char>(stream >> shift);
  return frame + payload;
}

// The headers with which a gRPC client begins a call: literals, in one frame.
inline std::string Headers(std::uint32_t stream, const std::string& path) {
  std::string block;
  for (const auto& [name, value] : std::initializer_list<std::pair<std::string, std::string>>{
           {":method", "POST"},
           {":scheme", "http"},
           {":path", path},
           {":authority", "localhost"},
           {"te", "trailers"},
           {"content-type", "application/grpc"}}) {
    block += '\0';
    for (const std::string& text : {name, value}) {
      block += static_cast<char>(text.size());
      block += text;
    }
  }
  return Http2Frame(1, 4, stream, block);
}

// RST_STREAM, CANCEL.
inline std::string Reset(std::uint32_t stream) {
  return Http2Frame(3, 0, stream, std::string("\0\0\0\x08", 4));
}

}  // namespace sluice
