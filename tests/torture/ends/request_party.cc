// SPDX-License-Identifier: Apache-2.0
// Callers of a worker that answers with what it was asked. Every call has exactly one outcome, and
// a reply is that to its own question.
#include <condition_variable>
#include <map>
#include <stdexcept>
#include <thread>

#include "tests/torture/ends/party.h"

namespace sluice::torture {
namespace {

constexpr char kResponder[] = "torture/ends";
constexpr std::size_t kOpenMax = 16;

class RequestParty final : public Party {
 public:
  explicit RequestParty(Client& client)
      : Party("request/reply"),
        responder_(Opened(client.OpenResponder(Serving(), kPatience))),
        caller_(Opened(client.OpenCaller(Calling(), kPatience))),
        calling_([this] { Call(); }) {}

  void Stop() override {
    End();
    calling_.join();
    const Status closed = CloseCaller();
    Require(closed.ok(), "the caller did not close: " + closed.ToString());
    std::lock_guard lock(mutex_);
    Require(open_.empty(), std::to_string(open_.size()) + " calls have no outcome");
    (void)responder_.Close(kPatience);
  }

  std::string told() const override {
    std::string text = std::to_string(asked_) + " calls:";
    for (const auto& [outcome, count] : outcomes_) {
      text += " " + ToString(outcome) + " " + std::to_string(count);
    }
    return text + "; answered " + std::to_string(responder_.stats().answered);
  }

 private:
  static ResponderOptions Serving() {
    ResponderOptions options;
    options.responder = kResponder;
    options.spec = ResponderSpec();
    options.handler = [](Request& request, Reply reply) {
      (void)reply.Send("re: " + std::string(request.payload()));
    };
    options.reconnect = Quick();
    return options;
  }

  static CallerOptions Calling() {
    CallerOptions options;
    options.responder = kResponder;
    options.reconnect = Quick();
    return options;
  }

  Status CloseCaller() {
    const auto closed = caller_.Close(kPatience);
    return closed.status();
  }

  // What a daemon that dies, and its successor, may honestly answer. A fault is: not begun.
  static bool IsHonest(Outcome outcome) {
    return outcome == Outcome::kOk || outcome == Outcome::kResponderGone ||
           outcome == Outcome::kNoResponder || outcome == Outcome::kAbsent ||
           outcome == Outcome::kUnknown || outcome == Outcome::kClosed;
  }

  void Call() {
    while (!is_over()) {
      std::unique_lock lock(mutex_);
      if (!room_.wait_for(lock, kPatience, [this] { return open_.size() < kOpenMax; })) {
        return Require(false, "calls get no outcome");
      }
      const std::uint64_t number = ++asked_;
      auto call = std::make_unique<Operation<Result<CallReply>>>(
          caller_.Call("question " + std::to_string(number)));
      auto& started = *(open_[number] = std::move(call));
      lock.unlock();
      started.Start([this, number](Result<CallReply> reply) { Ended(number, std::move(reply)); });
      Bury();
      if (number % 20 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    Bury();
  }

  // An operation is not destroyed by its own callback, but by the next call.
  void Bury() {
    std::lock_guard lock(mutex_);
    buried_.clear();
  }

  void Ended(std::uint64_t number, Result<CallReply> reply) {
    std::lock_guard lock(mutex_);
    const auto it = open_.find(number);
    Require(it != open_.end(), "call " + std::to_string(number) + " has two outcomes");
    if (it == open_.end()) return;
    buried_.push_back(std::move(it->second));
    open_.erase(it);
    room_.notify_one();
    if (!reply.ok()) {
      Require(reply.status().code() == Code::kUnavailable, "a fault: " + reply.status().ToString());
      return;
    }
    ++outcomes_[reply->outcome];
    Require(IsHonest(reply->outcome), "an outcome of " + ToString(reply->outcome));
    if (!reply->ok()) return;
    Progress();
    Require(reply->message.payload == "re: question " + std::to_string(number),
            "the reply to another question");
  }

  using Started = std::unique_ptr<Operation<Result<CallReply>>>;
  std::mutex mutex_;
  std::condition_variable room_;
  std::uint64_t asked_ = 0;
  std::map<std::uint64_t, Started> open_;
  std::vector<Started> buried_;
  std::map<Outcome, std::uint64_t> outcomes_;
  Responder responder_;
  Caller caller_;
  std::thread calling_;
};

}  // namespace

std::unique_ptr<Party> MakeRequestParty(Client& client) {
  return std::make_unique<RequestParty>(client);
}

}  // namespace sluice::torture
