// SPDX-License-Identifier: Apache-2.0
/// Ends that carry values of a type instead of bytes: std::string as it is, any protobuf message,
/// and whatever has a Codec. Their Send and Recv read like those of the in-process channels, so
/// that one program text runs on both:
///
///     while (auto job = co_await receiver.Recv()) Work(*job);
///     if (!(co_await sender.Send(result)).ok()) ...
///
/// Receiving  is at least once: a message is acknowledged when the next one is asked for, so one
///            that was being worked on when its receiver died comes again. Ack acknowledges the
///            last one without asking for another.
/// A payload  that is none of the type is BAD_PAYLOAD, with its position; it was read nonetheless,
///            and goes as the others with the next Recv.
/// Threads    As of the ends below; one Recv at a time.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "sluice/client.h"
#include "sluice/operation_map.h"

namespace sluice {
inline namespace abi1 {

/// How a T becomes a payload and back. Specialise it for types of your own:
///   static std::string Encode(const T& value);
///   static std::optional<T> Decode(std::string_view payload);   // nothing: these are not its
///   bytes
template <class T>
struct Codec;

template <>
struct Codec<std::string> {
  static std::string Encode(const std::string& value) { return value; }
  static std::optional<std::string> Decode(std::string_view payload) {
    return std::string(payload);
  }
};

/// A generated protobuf message, by what it can do.
template <class T>
concept ProtobufMessage = std::default_initializable<T> &&
    requires(T value, const T& constant, const char* bytes, int size) {
  { constant.SerializeAsString() } -> std::convertible_to<std::string>;
  { value.ParseFromArray(bytes, size) } -> std::same_as<bool>;
};

template <ProtobufMessage T>
struct Codec<T> {
  static std::string Encode(const T& value) { return value.SerializeAsString(); }
  static std::optional<T> Decode(std::string_view payload) {
    T value;
    if (!value.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
      return std::nullopt;
    }
    return value;
  }
};

template <class T>
Result<T> DecodeDelivery(const Delivery& delivery) {
  if (std::optional<T> value = Codec<T>::Decode(delivery.payload)) return *std::move(value);
  const std::string position = std::to_string(delivery.position);
  return Status(Code::kDataLoss, "BAD_PAYLOAD", "the payload is none of the type that is read",
                {{"position", position}});
}

template <class T>
class TypedSender {
 public:
  static Result<TypedSender> Open(Client& client, SenderOptions options, Deadline deadline) {
    Result<Sender> sender = client.OpenSender(std::move(options), deadline);
    if (!sender.ok()) return sender.status();
    return TypedSender(*std::move(sender));
  }
  explicit TypedSender(Sender sender) : sender_(std::move(sender)) {}

  /// Accepted (`ok()`), or why not.
  Operation<SendOutcome> Send(const T& value) const {
    return sender_.Send({Codec<T>::Encode(value), {}, {}, {}});
  }
  Result<StreamEnd> Close(Deadline deadline) { return sender_.Close(deadline); }
  Sender& untyped() { return sender_; }

 private:
  Sender sender_;
};

template <class T>
class TypedReceiver {
 public:
  static Result<TypedReceiver> Open(Client& client, ReceiverOptions options, Deadline deadline) {
    Result<Receiver> receiver = client.OpenReceiver(std::move(options), deadline);
    if (!receiver.ok()) return receiver.status();
    return TypedReceiver(*std::move(receiver));
  }
  explicit TypedReceiver(Receiver receiver)
      : share_(std::make_shared<Share>(std::move(receiver))) {}

  /// The next value; acknowledges the one before it when it is started.
  Operation<Result<T>> Recv() { return Map(share_->receiver.Recv(), Next{share_}); }
  /// Of the last value that Recv gave.
  void Ack() { share_->Ack(); }
  /// Gives back the last value, if it was not acknowledged.
  Result<StreamEnd> Close(Deadline deadline) { return share_->receiver.Close(deadline); }
  Receiver& untyped() { return share_->receiver; }

 private:
  // Operations hold it, too.
  struct Share {
    explicit Share(Receiver from) : receiver(std::move(from)) {}

    std::optional<Result<Received>> Begin() {
      Ack();
      std::lock_guard lock(mutex);
      return std::exchange(left_over, std::nullopt);
    }
    void Hold(const Received& received) {
      std::lock_guard lock(mutex);
      held = received.range();
    }
    void Keep(const Result<Received>& received) {
      std::lock_guard lock(mutex);
      if (received.ok()) left_over = received;
    }
    void Ack() {
      std::optional<PositionRange> done;
      {
        std::lock_guard lock(mutex);
        done = std::exchange(held, std::nullopt);
      }
      if (done) (void)receiver.Ack(*done);  // A stream that has ended says so by Recv.
    }

    Receiver receiver;
    std::mutex mutex;
    std::optional<PositionRange> held;          // Given, and not acknowledged.
    std::optional<Result<Received>> left_over;  // Came when its operation was given up.
  };

  struct Next {
    Result<T> operator()(Result<Received> received) {
      if (!received.ok()) return received.status();
      share->Hold(*received);
      return DecodeDelivery<T>(*received);
    }
    std::optional<Result<Received>> Before() { return share->Begin(); }
    void Unwanted(Result<Received> received) { share->Keep(received); }
    std::shared_ptr<Share> share;
  };

  std::shared_ptr<Share> share_;
};

template <class T>
class TypedPublisher {
 public:
  static Result<TypedPublisher> Open(Client& client, PublisherOptions options, Deadline deadline) {
    Result<Publisher> publisher = client.OpenPublisher(std::move(options), deadline);
    if (!publisher.ok()) return publisher.status();
    return TypedPublisher(*std::move(publisher));
  }
  explicit TypedPublisher(Publisher publisher) : publisher_(std::move(publisher)) {}

  Operation<SendOutcome> Send(const T& value) const {
    return publisher_.Publish({Codec<T>::Encode(value), {}, {}, {}});
  }
  Result<StreamEnd> Close(Deadline deadline) { return publisher_.Close(deadline); }
  Publisher& untyped() { return publisher_; }

 private:
  Publisher publisher_;
};

/// Messages were missed: exactly `missed`, or, when the topic's life is another than before the
/// loss of a connection, 0: nobody can say.
struct Lagged {
  explicit Lagged(std::uint64_t count) : missed(count) {}
  bool operator==(const Lagged&) const = default;
  std::uint64_t missed;
};

/// A value; or a lag; or why nothing comes.
template <class T>
class [[nodiscard]] TypedItem {
 public:
  using NoValue = std::variant<Status, Lagged>;

  explicit TypedItem(std::shared_ptr<const T> value) : value_(std::move(value)) {}
  explicit TypedItem(NoValue why) : why_(std::move(why)) {}

  bool ok() const { return value_ != nullptr; }
  explicit operator bool() const { return ok(); }
  /// Requires: ok().
  const std::shared_ptr<const T>& operator*() const { return value_; }
  /// Requires: not ok().
  const NoValue& error() const { return why_; }

 private:
  std::shared_ptr<const T> value_;
  NoValue why_;
};

template <class T>
class TypedSubscriber {
 public:
  /// With options.only_messages, whatever they say.
  static Result<TypedSubscriber> Open(Client& client, SubscriberOptions options,
                                      Deadline deadline) {
    options.only_messages = true;
    Result<Subscriber> subscriber = client.OpenSubscriber(std::move(options), deadline);
    if (!subscriber.ok()) return subscriber.status();
    return TypedSubscriber(*std::move(subscriber));
  }

  Operation<TypedItem<T>> Recv() { return Map(share_->subscriber.Recv(), Next{share_}); }
  Result<StreamEnd> Close(Deadline deadline) { return share_->subscriber.Close(deadline); }
  Subscriber& untyped() { return share_->subscriber; }

 private:
  explicit TypedSubscriber(Subscriber subscriber)
      : share_(std::make_shared<Share>(std::move(subscriber))) {}

  // Operations hold it, too.
  struct Share {
    explicit Share(Subscriber from) : subscriber(std::move(from)) {}

    std::optional<Result<Published>> Begin() {
      std::lock_guard lock(mutex);
      return std::exchange(left_over, std::nullopt);
    }
    void Keep(const Result<Published>& published) {
      std::lock_guard lock(mutex);
      if (published.ok()) left_over = published;
    }

    Subscriber subscriber;
    std::mutex mutex;
    std::optional<Result<Published>> left_over;  // Came when its operation was given up.
  };

  struct Next {
    TypedItem<T> operator()(Result<Published> published) {
      if (!published.ok()) return TypedItem<T>(published.status());
      if (!published->has_message()) return TypedItem<T>(Lagged(published->event().missed));
      Result<T> value = DecodeDelivery<T>(published->message());
      if (!value.ok()) return TypedItem<T>(value.status());
      return TypedItem<T>(std::make_shared<const T>(*std::move(value)));
    }
    std::optional<Result<Published>> Before() { return share->Begin(); }
    void Unwanted(Result<Published> published) { share->Keep(published); }
    std::shared_ptr<Share> share;
  };

  std::shared_ptr<Share> share_;
};

}  // namespace abi1
}  // namespace sluice
