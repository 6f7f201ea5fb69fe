// SPDX-License-Identifier: Apache-2.0
// What the tests of all four primitives share: a value that is counted, and an operation in
// progress that remembers how it ended.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace sluice::channel::testing {

// Move-only, with an identity that moves along, and counted while it is alive. Neither
// default-constructible, copyable, assignable nor comparable (G11).
class Box {
 public:
  explicit Box(int number) : content_(std::make_unique<Content>(number)) {}
  Box(Box&&) noexcept = default;
  Box& operator=(Box&&) = delete;

  int number() const { return content_->number; }
  // The same address means the same instance, however often it was moved.
  const void* identity() const { return content_.get(); }
  static int live() { return Content::live; }

 private:
  struct Content {
    explicit Content(int n) : number(n) { ++live; }
    ~Content() { --live; }
    Content(const Content&) = delete;
    Content& operator=(const Content&) = delete;
    const int number;
    static inline std::atomic<int> live{0};
  };
  std::unique_ptr<Content> content_;
};

// What this thread has allocated by operator new, ever.
std::size_t AllocatedBytes();

// Destroys a handle here and now, leaving it moved from.
template <class End>
void Drop(End& end) {
  const End dropped(std::move(end));
}

// For a pinned object in an optional: `recv.emplace(InPlace([&] { return receiver.Recv(); }))`.
template <class Make>
class InPlace {
 public:
  explicit InPlace(Make make) : make_(std::move(make)) {}
  // NOLINTNEXTLINE(google-explicit-constructor): the conversion is its purpose.
  operator std::invoke_result_t<Make&>() { return make_(); }

 private:
  Make make_;
};

// An operation, started at once: `Started send([&] { return sender.Send(1); });`. With one thread,
// pending means that it would wait for ever.
template <class Op>
class Started {
 public:
  using Outcome = typename Op::Outcome;

  template <class Make>
  explicit Started(Make make) : operation_(make()) {
    operation_.Start([this](Outcome outcome) {
      outcome_.emplace(std::move(outcome));
      ++calls_;
    });
  }

  bool pending() const { return calls_ == 0; }
  int calls() const { return calls_; }
  Outcome& outcome() { return outcome_.value(); }
  Op& operation() { return operation_; }
  bool Cancel() { return operation_.Cancel(); }
  // Forgets the outcome, and what it owns.
  void Drop() { outcome_.reset(); }

 private:
  Op operation_;
  std::optional<Outcome> outcome_;
  int calls_ = 0;
};

template <class Make>
Started(Make) -> Started<std::remove_cvref_t<std::invoke_result_t<Make>>>;

}  // namespace sluice::channel::testing
