// SPDX-License-Identifier: Apache-2.0
// A responder under a clock that stands still, and short forms of what callers and workers do.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/responder.h"
#include "broker/timers.h"
#include "tests/support/manual_clock.h"

namespace sluice::broker {

// A message with nothing but a payload, as the wire has it. Requires: fewer than 128 bytes.
inline EncodedMessage Encoded(std::string_view payload) {
  std::string bytes;
  if (!payload.empty()) {
    bytes += "\x0A";
    bytes += static_cast<char>(payload.size());
    bytes += payload;
  }
  EncodedMessage message;
  message.bytes.size = static_cast<std::uint32_t>(bytes.size());
  message.payload_offset = static_cast<std::uint32_t>(bytes.size() - payload.size());
  message.payload_bytes = static_cast<std::uint32_t>(payload.size());
  message.bytes.bytes = std::make_shared<const std::string>(std::move(bytes));
  return message;
}

// An outcome that a test may leave unread.
struct Said {
  Outcome outcome = Outcome::kUnspecified;
  friend bool operator==(const Said& said, Outcome expected) { return said.outcome == expected; }
};

class ToldNotifier final : public Notifier {
 public:
  void Notify() noexcept override { ++count; }
  std::atomic<int> count = 0;
};

// One who asks, and everything that came back.
struct Asking {
  explicit Asking(Responder& the_responder) : responder(the_responder) {}
  ~Asking() { Leave(); }

  // The outcome at once; kUnspecified: accepted.
  Said Ask(std::uint64_t call_id, const CallOptions& options = {}, std::string_view payload = "q") {
    auto refused = responder.Ask(caller, call_id, Encoded(payload), options);
    if (!refused.has_value()) return {};
    EXPECT_EQ(refused->call_id, call_id);
    EXPECT_TRUE(refused->is_last);
    EXPECT_FALSE(refused->handed_out);
    reason = refused->reason;
    return {refused->outcome};
  }
  // All that has come since the last look.
  std::vector<CallReply> Take(std::size_t replies_max = 1'000,
                              std::uint64_t bytes_max = 1'000'000) {
    CallReplies out;
    responder.TakeReplies(caller, replies_max, bytes_max, out);
    return std::move(out.replies);
  }
  // The one reply that has come.
  CallReply Only() {
    std::vector<CallReply> replies = Take();
    EXPECT_EQ(replies.size(), 1u);
    return replies.empty() ? CallReply() : replies.front();
  }
  void Leave(GivingUp why = GivingUp::kCancelled) { responder.Leave(caller, why); }

  Responder& responder;
  std::shared_ptr<ToldNotifier> told = std::make_shared<ToldNotifier>();
  Caller caller{told};
  ClosedReason reason = ClosedReason::kUnspecified;  // of the last refusal
};

// One who serves.
struct Serving {
  explicit Serving(Responder& the_responder, std::uint32_t messages = 64, std::uint64_t bytes = 0)
      : responder(the_responder) {
    WorkerOptions options;
    options.name = "w";
    options.credit = {.messages = messages, .bytes = bytes};
    attachment = responder.Attach(worker, options, told);
  }
  ~Serving() { Detach(); }

  WorkerNews Take(std::uint64_t bytes_max = 1'000'000, bool is_writing = false) {
    WorkerNews news;
    responder.Take(worker, bytes_max, is_writing, news);
    return news;
  }
  // The payloads of what it is handed now.
  std::vector<std::string> Payloads() {
    std::vector<std::string> list;
    for (const Assignment& one : Take().assignments) {
      list.emplace_back(one.request.payload());
      last = one;
    }
    return list;
  }
  Assignment TakeOne() {
    const WorkerNews news = Take();
    EXPECT_EQ(news.assignments.size(), 1u);
    if (!news.assignments.empty()) last = news.assignments.front();
    return last;
  }
  Said Give(WorkerReply reply) {
    std::vector<ReplyResult> results;
    const std::uint64_t call_id = reply.call_id;
    responder.Reply(worker, {&reply, 1}, results);
    EXPECT_EQ(results.size(), 1u);
    EXPECT_EQ(results.front().call_id, call_id);
    return {results.front().outcome};
  }
  Said Reply(std::uint64_t call_id, std::string_view payload = "a", bool is_last = true) {
    WorkerReply reply;
    reply.call_id = call_id;
    reply.kind = ReplyKind::kMessage;
    reply.message = Encoded(payload);
    reply.is_last = is_last;
    return Give(std::move(reply));
  }
  Said Part(std::uint64_t call_id, std::string_view payload = "p") {
    return Reply(call_id, payload, false);
  }
  Said Say(std::uint64_t call_id, ReplyKind kind) {
    WorkerReply reply;
    reply.call_id = call_id;
    reply.kind = kind;
    reply.failure = {"code", "text"};
    reply.is_last = kind == ReplyKind::kNothing;
    return Give(std::move(reply));
  }
  Said End(std::uint64_t call_id) { return Say(call_id, ReplyKind::kNothing); }
  Said Fail(std::uint64_t call_id) { return Say(call_id, ReplyKind::kFailure); }
  Said Release(std::uint64_t call_id) { return Say(call_id, ReplyKind::kRelease); }
  void Detach(Leaving leaving = Leaving::kLost) { responder.Detach(worker, leaving); }

  Responder& responder;
  std::shared_ptr<ToldNotifier> told = std::make_shared<ToldNotifier>();
  ResponderWorker worker;
  Responder::Attachment attachment;
  Assignment last;
};

inline std::uint64_t SumOf(const ResponderStats& stats) {
  const ResponderCounts& c = stats.counts;
  return c.answered + c.failed + c.responder_gone + c.no_responder + c.too_large + c.timed_out +
         c.cancelled + c.closed + stats.depth + stats.in_flight;
}

class ResponderFixture : public ::testing::Test {
 protected:
  using Strings = std::vector<std::string>;
  using Numbers = std::vector<std::uint64_t>;

  std::shared_ptr<Responder> Make(ResponderSpec spec = {}) {
    auto effective = Effective(spec, limits);
    EXPECT_TRUE(effective.ok());
    return Responder::Create("r", *effective, 7, clock, timers, memory);
  }
  static ResponderStats Look(const Responder& responder) {
    const ResponderStats stats = responder.Describe();
    EXPECT_EQ(stats.counts.accepted, SumOf(stats));
    return stats;
  }
  static CallOptions Waiting() {
    CallOptions options;
    options.wait_for_responder = true;
    return options;
  }
  static CallOptions Retrying() {
    CallOptions options;
    options.retry_on_loss = true;
    return options;
  }
  static CallOptions InParts(std::uint64_t part_credit) {
    CallOptions options;
    options.wants_parts = true;
    options.part_credit = part_credit;
    return options;
  }
  CallOptions Within(Duration duration) const {
    CallOptions options = Waiting();
    options.deadline = clock.Now() + duration;
    return options;
  }
  void Pass(Duration duration) {
    clock.Advance(duration);
    timers.RunDue(clock.Now());
  }

  testing::ManualClock clock;
  Timers timers{nullptr};
  MemoryBudget memory{kNoMemoryLimit, timers};
  Limits limits;
};

}  // namespace sluice::broker
