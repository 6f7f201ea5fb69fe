// SPDX-License-Identifier: Apache-2.0
// One HTTP connection, from its acceptance to its end: one request at a time, in order.
//
//   first byte -> header -> (turn) -> answer -> written -> first byte ...   or  -> linger -> gone
//
// Linger     after the last answer what still comes is read and dropped for a moment: closing with
//            bytes unread would reset the connection, and the answer with it.
// Threads    none: everything on the port's thread. It lives as long as an operation of it is open.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "admin/http_counts.h"
#include "admin/http_limits.h"
#include "admin/pace.h"
#include "admin/router.h"
#include "base/clock.h"

namespace sluice::admin {

class HttpSession;

// What the connections of one port share.
struct HttpPort {
  const HttpLimits& limits;
  const Router& router;
  const Clock& clock;
  HttpCounts& counts;
  bool is_loopback = true;
  Pace pace{};
  std::unordered_map<std::string, std::uint32_t> per_address{};
  std::unordered_set<HttpSession*> sessions{};
  std::uint32_t served = 0;   // connections
  std::uint32_t refused = 0;  // connections that are being told so
};

class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  enum class Kind { kServed, kRefused };

  HttpSession(boost::asio::ip::tcp::socket socket, std::string address, Kind kind, HttpPort& port);
  ~HttpSession();
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

  void Start();
  // At once, from outside of its handlers.
  void Cut();

 private:
  using ErrorCode = boost::system::error_code;
  using RequestParser = boost::beast::http::request_parser<boost::beast::http::empty_body>;
  using Message = boost::beast::http::response<boost::beast::http::string_body>;
  using Serializer = boost::beast::http::response_serializer<boost::beast::http::string_body>;

  void AwaitRequest();
  void ReadHeader();
  void OnHeader(ErrorCode error);
  void OnBadHeader(ErrorCode error);
  // The answer that needs no page; nothing: the request is as it must be.
  std::optional<Response> Judge(bool& may_keep) const;
  void MakePage();
  void AwaitTurn(Duration wait);
  void Send(Response response, bool may_keep);
  void OnSent(ErrorCode error, bool keep);
  void Linger();
  void ReadAndDrop();
  // Everything from now on takes at most so long; then `Expired`.
  void Allow(std::chrono::milliseconds time);
  void Expired();

  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer deadline_;
  boost::asio::steady_timer turn_;
  const std::string address_;
  const Kind kind_;
  HttpPort& port_;
  boost::beast::flat_buffer buffer_;
  std::uint64_t allowance_ = 0;  // which call of Allow is in force
  bool is_reading_header_ = false;
  bool is_late_ = false;  // its header did not come in time
  std::size_t dropped_bytes_ = 0;
  std::optional<RequestParser> parser_;
  std::optional<Target> target_;
  TimePoint turn_by_{};
  std::optional<Message> message_;
  std::uint64_t unsent_bytes_ = 0;  // of it, as the port counts them
  std::optional<Serializer> serializer_;
};

}  // namespace sluice::admin
