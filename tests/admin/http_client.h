// SPDX-License-Identifier: Apache-2.0
// A socket to a port of this machine that sends bytes as they are, and reads what comes.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <charconv>
#include <string>
#include <string_view>

#include "base/fd.h"

namespace sluice::test {

// Longer than anything here takes; it only ends a test that has failed.
inline constexpr int kBoundMs = 60'000;

struct HttpAnswer {
  int status = 0;  // 0: none came
  std::string head;
  std::string body;
};

class HttpClient {
 public:
  explicit HttpClient(int port, int receive_bytes = 0) {
    socket_ = Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (receive_bytes != 0) {
      setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<in_port_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // it has been cut: what comes then tells
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void SendEnd() { shutdown(socket_.get(), SHUT_WR); }

  // The next answer on the connection. Of one to HEAD there is no body.
  HttpAnswer Read(bool has_body = true) {
    HttpAnswer answer;
    std::size_t end = 0;
    while ((end = come_.find("\r\n\r\n")) == std::string::npos) {
      if (!More()) return answer;
    }
    answer.head = come_.substr(0, end + 2);
    come_.erase(0, end + 4);
    std::from_chars(answer.head.data() + 9, answer.head.data() + 12, answer.status);
    std::size_t length = 0;
    const std::string field = Field(answer, "Content-Length");
    std::from_chars(field.data(), field.data() + field.size(), length);
    while (has_body && come_.size() < length) {
      if (!More()) return {};
    }
    if (has_body) {
      answer.body = come_.substr(0, length);
      come_.erase(0, length);
    }
    return answer;
  }
  HttpAnswer Get(const std::string& target) {
    Send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return Read();
  }
  // Nothing more comes: the other end closed, or cut it.
  bool IsClosed() { return come_.empty() && !More(); }

  // "" when it is not there.
  static std::string Field(const HttpAnswer& answer, const std::string& name) {
    const std::size_t at = answer.head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const std::size_t begin = at + name.size() + 4;
    return answer.head.substr(begin, answer.head.find("\r\n", begin) - begin);
  }

 private:
  // False: the end.
  bool More() {
    pollfd waiting{socket_.get(), POLLIN, 0};
    if (poll(&waiting, 1, kBoundMs) != 1) {
      ADD_FAILURE() << "nothing came, and no end";
      return false;
    }
    char bytes[65'536];
    const ssize_t read = recv(socket_.get(), bytes, sizeof bytes, 0);
    if (read <= 0) return false;
    come_.append(bytes, static_cast<std::size_t>(read));
    return true;
  }

  Fd socket_;
  std::string come_;
};

}  // namespace sluice::test
