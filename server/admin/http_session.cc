// SPDX-License-Identifier: Apache-2.0
#include "admin/http_session.h"

#include <boost/asio/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <utility>

#include "admin/host_check.h"

namespace sluice::admin {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::size_t kReadBytes = 4'096;
// A header, and whatever of further requests came with it.
constexpr std::size_t kBufferBytesMax = 16'384;
constexpr std::size_t kDroppedBytesMax = 65'536;
constexpr unsigned kHttp11 = 11;

Response Bad(int status, std::string_view reason, std::string_view message) {
  return Refusal(status, reason, message);
}

void SetHeaders(http::response<http::string_body>& message, const Response& response) {
  message.set(http::field::content_type, response.content_type);
  message.set(http::field::cache_control, "no-store");
  message.set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  message.set("X-Content-Type-Options", "nosniff");
  message.set("Referrer-Policy", "no-referrer");
  if (response.status == 405) message.set(http::field::allow, "GET, HEAD");
  if (response.status == 503) message.set(http::field::retry_after, "1");
}

}  // namespace

HttpSession::HttpSession(asio::ip::tcp::socket socket, std::string address, Kind kind,
                         HttpPort& port)
    : socket_(std::move(socket)),
      deadline_(socket_.get_executor()),
      turn_(socket_.get_executor()),
      address_(std::move(address)),
      kind_(kind),
      port_(port),
      buffer_(kBufferBytesMax) {
  port_.sessions.insert(this);
  if (kind_ == Kind::kRefused) {
    ++port_.refused;
    return;
  }
  ++port_.served;
  ++port_.per_address[address_];
  port_.counts.connections.store(port_.served, std::memory_order_relaxed);
}

HttpSession::~HttpSession() {
  port_.sessions.erase(this);
  port_.counts.unsent_bytes -= unsent_bytes_;
  if (kind_ == Kind::kRefused) {
    --port_.refused;
    return;
  }
  --port_.served;
  const auto it = port_.per_address.find(address_);
  if (--it->second == 0) port_.per_address.erase(it);
  port_.counts.connections.store(port_.served, std::memory_order_relaxed);
}

void HttpSession::Start() {
  if (kind_ == Kind::kServed) return AwaitRequest();
  Send(Bad(503, "TOO_MANY_CONNECTIONS", "too many connections, in all or from this address"),
       /*may_keep=*/false);
}

void HttpSession::Cut() {
  ErrorCode ignored;
  socket_.close(ignored);
  deadline_.cancel();
  turn_.cancel();
}

void HttpSession::Allow(std::chrono::milliseconds time) {
  deadline_.expires_after(time);
  deadline_.async_wait([weak = weak_from_this(), allowance = ++allowance_](const ErrorCode& error) {
    const auto self = weak.lock();
    if (!error && self && self->allowance_ == allowance) self->Expired();
  });
}

void HttpSession::Expired() {
  if (is_reading_header_) {
    is_late_ = true;
    socket_.cancel();
    return;
  }
  if (message_) ++port_.counts.timed_out;
  Cut();
}

// Between requests a connection may rest; of a pipelined one the next is here already.
void HttpSession::AwaitRequest() {
  const bool is_first = !parser_.has_value();
  parser_.emplace();
  parser_->header_limit(port_.limits.header_bytes_max);
  parser_->body_limit(boost::none);  // judged by Judge: nothing of a body is read
  if (buffer_.size() > 0) return ReadHeader();
  Allow(is_first ? port_.limits.header_timeout : port_.limits.idle_timeout);
  socket_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this()](ErrorCode error, std::size_t bytes) {
                            if (error) return self->Cut();
                            self->buffer_.commit(bytes);
                            self->ReadHeader();
                          });
}

void HttpSession::ReadHeader() {
  Allow(port_.limits.header_timeout);
  is_reading_header_ = true;
  http::async_read_header(socket_, buffer_, *parser_,
                          [self = shared_from_this()](ErrorCode error, std::size_t) {
                            self->is_reading_header_ = false;
                            self->OnHeader(error);
                          });
}

void HttpSession::OnHeader(ErrorCode error) {
  if (is_late_) {
    ++port_.counts.timed_out;
    return Send(Bad(408, "TIMED_OUT", "the header did not come in time"), /*may_keep=*/false);
  }
  if (error) return OnBadHeader(error);
  bool may_keep = true;
  if (std::optional<Response> refusal = Judge(may_keep)) {
    return Send(*std::move(refusal), may_keep);
  }
  Result<Target> target =
      Target::Parse({parser_->get().target().data(), parser_->get().target().size()});
  if (!target) return Send(Refusal(target.error()), /*may_keep=*/true);
  target_ = *std::move(target);
  turn_by_ = Later(port_.clock.Now(), port_.limits.turn_timeout);
  MakePage();
}

void HttpSession::OnBadHeader(ErrorCode error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    const bool is_target = parser_->get().target().empty();  // its line is not over
    return Send(is_target ? Bad(414, "TARGET_TOO_LONG", "the request line is too long")
                          : Bad(431, "HEADER_TOO_LARGE", "the header is too large"),
                /*may_keep=*/false);
  }
  // Nobody is there any more to be told.
  if (error == http::error::end_of_stream || error == http::error::partial_message ||
      error.category() != make_error_code(http::error::bad_method).category()) {
    return Cut();
  }
  Send(Bad(400, "MALFORMED", "this is not HTTP: " + error.message()), /*may_keep=*/false);
}

std::optional<Response> HttpSession::Judge(bool& may_keep) const {
  const auto& request = parser_->get();
  const std::size_t hosts = request.count(http::field::host);
  may_keep = false;
  if (hosts > 1 || (hosts == 0 && request.version() >= kHttp11)) {
    return Bad(400, "MALFORMED", "one Host belongs into a request");
  }
  const auto host = request[http::field::host];
  if (port_.is_loopback && hosts == 1 && !IsLoopbackHostHeader({host.data(), host.size()})) {
    return Bad(421, "WRONG_HOST",
               "this port is on a loopback address and answers to its name or number alone");
  }
  const bool has_body = parser_->chunked() || parser_->content_length().value_or(0) > 0;
  may_keep = !has_body;
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    return Bad(405, "METHOD_NOT_ALLOWED", "only GET and HEAD are served");
  }
  if (has_body) return Bad(413, "BODY_NOT_ACCEPTED", "no request here has a body");
  if (request.target().size() > Target::kBytesMax) {
    return Refusal(414, "TARGET_TOO_LONG",
                   "the most bytes of a target are " + std::to_string(Target::kBytesMax) +
                       ", this one has " + std::to_string(request.target().size()));
  }
  return std::nullopt;
}

void HttpSession::MakePage() {
  if (port_.router.CostOf(*target_) == Cost::kUrgent) {
    return Send(port_.router.Answer(*target_), /*may_keep=*/true);
  }
  const TimePoint now = port_.clock.Now();
  if (const Duration wait = port_.pace.Wait(now); wait > Duration::zero()) {
    return AwaitTurn(wait);
  }
  if (port_.counts.unsent_bytes > port_.limits.unsent_bytes_max) {
    return Send(Bad(503, "BUSY", "too much waits to be read by other clients"),
                /*may_keep=*/true);
  }
  Response response = port_.router.Answer(*target_);
  port_.pace.Spent(now, port_.clock.Now());
  Send(std::move(response), /*may_keep=*/true);
}

void HttpSession::AwaitTurn(Duration wait) {
  if (Later(port_.clock.Now(), wait) > turn_by_) {
    return Send(Bad(503, "BUSY", "too many pages are asked for"), /*may_keep=*/true);
  }
  ++allowance_;  // the time of the header is over, and waiting has its own
  turn_.expires_after(wait);
  turn_.async_wait([self = shared_from_this()](const ErrorCode& error) {
    if (!error && self->socket_.is_open()) self->MakePage();
  });
}

void HttpSession::Send(Response response, bool may_keep) {
  ++port_.counts.answers[static_cast<std::size_t>(response.status) / 100];
  const bool is_asked = parser_.has_value() && parser_->is_header_done();
  const bool is_head = is_asked && parser_->get().method() == http::verb::head;
  const bool keep = may_keep && parser_->get().keep_alive();
  message_.emplace(static_cast<http::status>(response.status),
                   is_asked ? parser_->get().version() : kHttp11);
  SetHeaders(*message_, response);
  message_->body() = std::move(response.body);
  message_->keep_alive(keep);
  message_->prepare_payload();
  unsent_bytes_ = message_->body().size();
  port_.counts.unsent_bytes += unsent_bytes_;
  serializer_.emplace(*message_);
  Allow(port_.limits.write_timeout);
  const auto sent = [self = shared_from_this(), keep](ErrorCode error, std::size_t) {
    self->OnSent(error, keep);
  };
  if (is_head) {
    http::async_write_header(socket_, *serializer_, sent);
  } else {
    http::async_write(socket_, *serializer_, sent);
  }
}

void HttpSession::OnSent(ErrorCode error, bool keep) {
  port_.counts.unsent_bytes -= std::exchange(unsent_bytes_, 0);
  serializer_.reset();
  message_.reset();
  target_.reset();
  if (error) return Cut();
  if (keep) return AwaitRequest();
  Linger();
}

void HttpSession::Linger() {
  ErrorCode error;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  if (error) return Cut();
  Allow(port_.limits.linger_timeout);
  buffer_.clear();
  ReadAndDrop();
}

void HttpSession::ReadAndDrop() {
  socket_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this()](ErrorCode error, std::size_t bytes) {
                            self->dropped_bytes_ += bytes;
                            if (error || self->dropped_bytes_ > kDroppedBytesMax) {
                              return self->Cut();
                            }
                            self->ReadAndDrop();
                          });
}

}  // namespace sluice::admin
