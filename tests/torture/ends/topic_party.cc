// SPDX-License-Identifier: Apache-2.0
// A publisher of numbers, and a subscriber. In one life of the topic nothing is left out in
// silence: messages + missed = advance of position, also over lost connections; another life is
// told by RESET.
#include <stdexcept>
#include <thread>

#include "tests/torture/ends/party.h"

namespace sluice::torture {
namespace {

constexpr char kTopic[] = "torture.ends";
constexpr std::uint64_t kCapacity = 4096;

class TopicParty final : public Party {
 public:
  explicit TopicParty(Client& client)
      : Party("topic"),
        publisher_(Opened(client.OpenPublisher(Publishing(), kPatience))),
        subscriber_(Opened(client.OpenSubscriber(Subscribing(), kPatience))),
        publishing_([this] { Publish(); }),
        subscribing_([this] { Follow(); }) {}

  void Stop() override {
    End();
    publishing_.join();
    const auto end = publisher_.Close(kPatience);
    Require(end.ok(), "the publisher did not close: " + end.status().ToString());
    const SendCounts counts = publisher_.counts();
    Require(counts.taken == published_ && counts.pending == 0, "a message has no outcome");
    is_draining_ = true;
    subscribing_.join();
    (void)subscriber_.Close(kPatience);
  }

  std::string told() const override {
    const SubscribeStats stats = subscriber_.stats();
    return std::to_string(published_) + " published, " + std::to_string(stats.messages) +
           " received, " + std::to_string(stats.missed) + " missed; " +
           std::to_string(stats.reconnects) + " reconnects, " + std::to_string(continued_) +
           " continued, " + std::to_string(gaps_) + " gaps, " + std::to_string(resets_) + " resets";
  }

 private:
  static TopicSpec Spec() {
    TopicSpec spec;
    spec.capacity = kCapacity;
    return spec;
  }

  static PublisherOptions Publishing() {
    PublisherOptions options;
    options.topic = kTopic;
    options.spec = Spec();
    options.reconnect = Quick();
    return options;
  }

  static SubscriberOptions Subscribing() {
    SubscriberOptions options;
    options.topic = kTopic;
    options.spec = Spec();
    options.reconnect = Quick();
    return options;
  }

  void Publish() {
    while (!is_over()) {
      const std::string number = std::to_string(published_ + 1);
      const auto posted = publisher_.Post({number, {}, {}, {}}, kPatience);
      Require(posted.ok(), "a message was not taken: " + posted.status().ToString());
      if (!posted.ok()) return;
      ++published_;
      if (published_ % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  void Follow() {
    SubscriberEvent event;
    while (true) {
      const NextOutcome next = subscriber_.Next(event, std::chrono::milliseconds(100));
      if (next == NextOutcome::kEnded) return Require(false, "the subscriber ended");
      if (next == NextOutcome::kTimedOut) {
        if (is_draining_) return;
        continue;
      }
      Take(event);
    }
  }

  void Take(const SubscriberEvent& event) {
    switch (event.kind) {
      case SubscriberEvent::Kind::kSubscribed:
        return Begin(event);
      case SubscriberEvent::Kind::kLagged:
        Require(event.next_position == next_ + event.missed, "a lag does not add up");
        next_ = event.next_position;
        return;
      case SubscriberEvent::Kind::kTopicClosed:
        return Require(false, "the topic closed");
      case SubscriberEvent::Kind::kMessages:
        break;
    }
    Require(event.epoch == epoch_, "messages of another life without a word");
    for (const Delivery& delivery : event.batch) {
      Progress();
      Require(delivery.position == next_, "position " + std::to_string(delivery.position) +
                                              " came, " + std::to_string(next_) + " is next");
      next_ = delivery.position + 1;
      const std::uint64_t number = std::stoull(std::string(delivery.payload));
      Require(number > number_, "number " + std::to_string(number) + " came after " +
                                    std::to_string(number_) + " in one life");
      number_ = number;
    }
  }

  void Begin(const SubscriberEvent& event) {
    const bool is_same_life = event.epoch == epoch_;
    switch (event.continuity) {
      case Continuity::kContinued:
        ++continued_;
        Require(is_same_life && event.next_position == next_, "CONTINUED elsewhere");
        break;
      case Continuity::kGap:
        ++gaps_;
        Require(is_same_life && event.next_position == next_ + event.missed,
                "a gap does not add up");
        break;
      case Continuity::kReset:
        ++resets_;
        Require(!is_same_life, "RESET in the same life");
        break;
      default:
        Require(epoch_ == 0, "FRESH after a loss");
    }
    if (!is_same_life) number_ = 0;
    epoch_ = event.epoch;
    next_ = event.next_position;
  }

  std::uint64_t published_ = 0;  // the publishing thread's
  // The subscribing thread's:
  std::uint64_t epoch_ = 0, next_ = 0, number_ = 0;
  std::uint64_t continued_ = 0, gaps_ = 0, resets_ = 0;
  std::atomic<bool> is_draining_ = false;
  Publisher publisher_;
  Subscriber subscriber_;
  std::thread publishing_, subscribing_;
};

}  // namespace

std::unique_ptr<Party> MakeTopicParty(Client& client) {
  return std::make_unique<TopicParty>(client);
}

}  // namespace sluice::torture
