// SPDX-License-Identifier: Apache-2.0
// A sender of numbers, and a receiver that acknowledges them.
//
// A daemon that was killed has forgotten what it held: numbers may be missing then, and those sent
// again come twice, but in another life of the queue. Within one life every number comes once
// (unless handed out again), in order, and what was acknowledged to the sender is received.
#include <map>
#include <set>
#include <stdexcept>
#include <thread>

#include "tests/torture/ends/party.h"

namespace sluice::torture {
namespace {

constexpr char kQueue[] = "torture/ends";
constexpr std::uint64_t kCapacity = 200;

class QueueParty final : public Party {
 public:
  explicit QueueParty(Client& client)
      : Party("queue"),
        client_(client),
        sender_(Opened(client.OpenSender(Sending(), kPatience))),
        receiver_(Opened(client.OpenReceiver(Receiving(), kPatience))),
        sending_([this] { Send(); }),
        receiving_([this] { Receive(); }) {}

  void Stop() override {
    End();
    sending_.join();
    const auto end = sender_.Close(kPatience);
    Require(end.ok(), "the sender did not close: " + end.status().ToString());
    for (std::uint64_t sequence = 1; sequence <= sent_; ++sequence) {
      Require(outcomes_[sequence] == 1, "sequence " + std::to_string(sequence) + " has " +
                                            std::to_string(outcomes_[sequence]) + " outcomes");
    }
    is_draining_ = true;
    receiving_.join();
    const auto closed = receiver_.Close(kPatience);
    Require(closed.ok(), "the receiver did not close: " + closed.status().ToString());
    const auto queue = client_.DescribeQueue(kQueue, kPatience);
    Require(queue.ok(), "the queue is not there: " + queue.status().ToString());
    if (!queue.ok()) return;
    Require(queue->accepted == queue->settled && queue->depth == 0 && queue->in_flight == 0,
            "something is left in the queue");
    Require(positions_.size() == queue->accepted,
            std::to_string(queue->accepted) + " were accepted in the last life, " +
                std::to_string(positions_.size()) + " received");
  }

  std::string told() const override {
    const SendStats sending = sender_.stats();
    const ReceiveStats receiving = receiver_.stats();
    return std::to_string(sent_) + " sent, " + std::to_string(sending.counts.ok) + " accepted, " +
           std::to_string(received_) + " received in " + std::to_string(lives_) +
           " lives; sender " + std::to_string(sending.reconnects) + " reconnects, " +
           std::to_string(sending.resent) + " sent again; receiver " +
           std::to_string(receiving.reconnects) + " reconnects";
  }

 private:
  SenderOptions Sending() {
    SenderOptions options;
    options.queue = kQueue;
    options.spec = QueueSpec();
    options.spec->capacity = kCapacity;
    options.reconnect = Quick();
    options.on_outcome = [this](const SendOutcome& outcome) {
      for (std::uint32_t i = 0; i < outcome.count; ++i) {
        ++outcomes_[outcome.first_sequence + i];  // the client's thread alone, until Close is over
      }
    };
    return options;
  }

  static ReceiverOptions Receiving() {
    ReceiverOptions options;
    options.queue = kQueue;
    options.spec = QueueSpec();
    options.spec->capacity = kCapacity;
    options.mode = AttachMode::kStandby;
    options.reconnect = Quick();
    return options;
  }

  void Send() {
    while (!is_over()) {
      const std::string number = std::to_string(sent_ + 1);
      const auto posted = sender_.Post({number, {}, {}, {}}, kPatience);
      Require(posted.ok(), "a message was not taken: " + posted.status().ToString());
      if (!posted.ok()) return;
      ++sent_;
      if (sent_ % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  void Receive() {
    Batch batch;
    while (true) {
      const NextOutcome next = receiver_.Next(batch, std::chrono::milliseconds(100));
      if (next == NextOutcome::kEnded) return Require(false, "the receiver ended");
      if (next == NextOutcome::kTimedOut) {
        if (is_draining_ && IsEmpty()) return;
        continue;
      }
      for (const Delivery& delivery : batch) Take(delivery);
      (void)receiver_.Ack(batch);
    }
  }

  void Take(const Delivery& delivery) {
    ++received_;
    Progress();
    const std::uint64_t number = std::stoull(std::string(delivery.payload));
    if (delivery.attempts == 1) {
      if (delivery.position <= position_) {  // another life begins
        ++lives_;
        position_ = number_ = 0;
        positions_.clear();
      }
      Require(delivery.position > position_, "a position came twice at the first attempt");
      Require(number > number_, "number " + std::to_string(number) + " came after " +
                                    std::to_string(number_) + " in one life");
      position_ = delivery.position;
      number_ = number;
    }
    positions_.insert(delivery.position);
  }

  bool IsEmpty() {
    const auto queue = client_.DescribeQueue(kQueue, kPatience);
    return queue.ok() && queue->depth + queue->in_flight == 0;
  }

  Client& client_;
  std::map<std::uint64_t, int> outcomes_;  // by sequence: how many
  std::uint64_t sent_ = 0;                 // the sending thread's
  // The receiving thread's:
  std::uint64_t received_ = 0, lives_ = 1, position_ = 0, number_ = 0;
  std::set<std::uint64_t> positions_;  // of this life
  std::atomic<bool> is_draining_ = false;
  Sender sender_;
  Receiver receiver_;
  std::thread sending_, receiving_;
};

}  // namespace

std::unique_ptr<Party> MakeQueueParty(Client& client) {
  return std::make_unique<QueueParty>(client);
}

}  // namespace sluice::torture
