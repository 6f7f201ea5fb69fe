// SPDX-License-Identifier: Apache-2.0
/// Request/reply with values of a type instead of bytes (Codec in typed.h):
///
///     auto reply = co_await caller.Call(question);
///     if (reply) Use(*reply);
///
/// A payload that is none of the type is BAD_PAYLOAD: a failure by that code for the caller, if the
/// worker cannot read the request; a fault of the reply, if the caller cannot read that.
/// Threads: as of the ends below.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "sluice/typed.h"

namespace sluice {
inline namespace abi1 {

/// A reply with its value; or the outcome, or the fault, that there is instead.
template <class T>
class [[nodiscard]] TypedReply {
 public:
  explicit TypedReply(Status fault) : fault_(std::move(fault)) {}
  explicit TypedReply(CallReply reply) : reply_(std::move(reply)) {
    if (!reply_.ok()) return;
    value_ = Codec<T>::Decode(reply_.message.payload);
    if (value_) return;
    fault_ = Status(Code::kDataLoss, "BAD_PAYLOAD", "the reply is none of the type that is read");
  }

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  /// Requires: ok().
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  const T* operator->() const { return &*value_; }

  /// UNSPECIFIED with a fault that is not of the payload.
  Outcome outcome() const { return reply_.outcome; }
  const CallFailure& failure() const { return reply_.failure; }
  const CallReply& untyped() const { return reply_; }
  /// OK also if the outcome is not.
  const Status& fault() const { return fault_; }

 private:
  CallReply reply_;
  std::optional<T> value_;
  Status fault_;
};

template <class RequestValue, class ReplyValue>
class TypedCaller {
 public:
  static Result<TypedCaller> Open(Client& client, CallerOptions options, Deadline deadline) {
    Result<Caller> caller = client.OpenCaller(std::move(options), deadline);
    if (!caller.ok()) return caller.status();
    return TypedCaller(*std::move(caller));
  }
  explicit TypedCaller(Caller caller) : caller_(std::move(caller)) {}

  Operation<TypedReply<ReplyValue>> Call(const RequestValue& value,
                                         const CallOptions& options = {}) {
    return Map(caller_.Call(Codec<RequestValue>::Encode(value), options),
               [](Result<CallReply> reply) {
                 return reply.ok() ? TypedReply<ReplyValue>(*std::move(reply))
                                   : TypedReply<ReplyValue>(reply.status());
               });
  }
  Result<StreamEnd> Close(Deadline deadline) { return caller_.Close(deadline); }
  Caller& untyped() { return caller_; }

 private:
  Caller caller_;
};

/// The answer to one request: Reply with values.
template <class T>
class TypedAnswer {
 public:
  explicit TypedAnswer(Reply reply) : reply_(std::move(reply)) {}

  Status Send(const T& value) { return reply_.Send(Codec<T>::Encode(value)); }
  Status SendPart(const T& value, Deadline deadline = Deadline::Never()) {
    return reply_.SendPart(Codec<T>::Encode(value), deadline);
  }
  Status Finish() { return reply_.Finish(); }
  Status Fail(std::string_view code, std::string_view text) { return reply_.Fail(code, text); }
  Status Release() { return reply_.Release(); }
  bool is_cancelled() const { return reply_.is_cancelled(); }

 private:
  Reply reply_;
};

/// A request with its value, and the right to answer it.
template <class RequestValue, class ReplyValue>
struct TypedRequest {
  TypedRequest(RequestValue from, Request asked, Reply answer)
      : value(std::move(from)), request(std::move(asked)), reply(std::move(answer)) {}

  RequestValue value;
  Request request;
  TypedAnswer<ReplyValue> reply;
};

template <class RequestValue, class ReplyValue>
class TypedResponder {
 public:
  using Received = TypedRequest<RequestValue, ReplyValue>;
  using Handler = std::function<void(Received&)>;

  /// `handler` runs on options.threads threads; none, with threads = 0: Recv.
  static Result<TypedResponder> Open(Client& client, ResponderOptions options, Handler handler,
                                     Deadline deadline) {
    if (handler) {
      options.handler = [handler = std::move(handler)](Request& request, Reply reply) {
        Result<Received> received = Read({std::move(request), std::move(reply)});
        if (received.ok()) handler(*received);
      };
    }
    Result<Responder> responder = client.OpenResponder(std::move(options), deadline);
    if (!responder.ok()) return responder.status();
    return TypedResponder(*std::move(responder));
  }
  explicit TypedResponder(Responder responder)
      : share_(std::make_shared<Share>(std::move(responder))) {}

  /// The next request. BAD_PAYLOAD: its caller was told, and there may be more.
  Operation<Result<Received>> Recv() { return Map(share_->responder.Recv(), Next{share_}); }
  Result<StreamEnd> Close(Deadline deadline) { return share_->responder.Close(deadline); }
  Responder& untyped() { return share_->responder; }

 private:
  // Operations hold it, too.
  struct Share {
    explicit Share(Responder from) : responder(std::move(from)) {}

    Responder responder;
    std::mutex mutex;
    std::optional<ReceivedRequest> left_over;  // Came when its operation was given up.
  };

  struct Next {
    Result<Received> operator()(Result<ReceivedRequest> received) {
      if (!received.ok()) return received.status();
      return Read(*std::move(received));
    }
    std::optional<Result<ReceivedRequest>> Before() {
      std::lock_guard lock(share->mutex);
      if (!share->left_over) return std::nullopt;
      Result<ReceivedRequest> there(*std::move(share->left_over));
      share->left_over.reset();
      return there;
    }
    void Unwanted(Result<ReceivedRequest> received) {
      std::lock_guard lock(share->mutex);
      if (received.ok()) share->left_over.emplace(*std::move(received));
    }
    std::shared_ptr<Share> share;
  };

  static Result<Received> Read(ReceivedRequest received) {
    if (auto value = Codec<RequestValue>::Decode(received.request.payload())) {
      return Received(*std::move(value), std::move(received.request), std::move(received.reply));
    }
    const char* const why = "the request is none of the type that is read";
    (void)received.reply.Fail("BAD_PAYLOAD", why);
    return Status(Code::kDataLoss, "BAD_PAYLOAD", why);
  }

  std::shared_ptr<Share> share_;
};

}  // namespace abi1
}  // namespace sluice
