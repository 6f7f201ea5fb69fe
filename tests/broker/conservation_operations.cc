// SPDX-License-Identifier: Apache-2.0
// What may happen to a queue, at random.
#include <algorithm>

#include "tests/broker/conservation.h"

namespace sluice::broker {

using namespace std::chrono_literals;

void Conservation::Begin() {
  spec = QueueSpec();
  spec.capacity = 1 + Pick(3);
  spec.max_in_flight = 1 + Pick(4);
  spec.shared = Chance(40);
  if (Chance(30)) spec.bytes_max = kBytesMaxLeast;
  queue = Make(spec);
  spec = queue->spec();
}

void Conservation::SendSome() {
  WaitingSend& send = sends.emplace_back();
  SendOptions options;
  options.mode = Chance(40) ? SendMode::kTry : SendMode::kWait;
  options.is_atomic = Chance(25);
  if (Chance(30)) options.session_id = std::string("session") + std::to_string(Pick(2));
  if (Chance(50)) options.deadline = Later(clock.Now(), Pick(5) * 100ms);
  send.count = 1 + Pick(options.is_atomic ? static_cast<std::uint32_t>(spec.capacity) : 5);
  send.first_number = next_number;
  send.session = options.session_id;
  send.deadline = options.deadline;
  next_number += send.count;
  options.first_sequence = send.first_number;
  Strings payloads;
  for (std::uint32_t i = 0; i < send.count; ++i) {
    // In a queue of few bytes they, not the slots, are what is short.
    const std::size_t digits = spec.bytes_max < limits.bytes_max ? 100 : 1;
    const std::string number = std::to_string(send.first_number + i);
    payloads.push_back(std::string(digits - std::min(digits, number.size()), '0') + number);
  }
  const QueueStats before = queue->Describe();
  Start(*queue, send.sending, payloads, options);
  ASSERT_TRUE(send.sending.status.ok()) << send.sending.status.message();
  // With bytes to spare, what a try accepts is what has room, and nothing while somebody waits (M8,
  // M12).
  if (options.mode != SendMode::kTry || spec.bytes_max < limits.bytes_max) return;
  std::uint64_t fits = is_closed ? 0 : std::min<std::uint64_t>(before.free_slots, send.count);
  if (options.is_atomic && fits < send.count) fits = 0;
  Outcomes expected(fits, Outcome::kOk);
  expected.resize(send.count, is_closed ? Outcome::kClosed : Outcome::kFull);
  EXPECT_EQ(send.sending.outcomes(), expected);
}

// A cancelled frame's rest never appears: whatever of it is found later was accepted before.
void Conservation::CancelSome() {
  if (sends.empty()) return;
  auto it = std::next(sends.begin(), Pick(static_cast<std::uint32_t>(sends.size())));
  const std::uint64_t accepted = queue->Describe().accepted;
  queue->CancelSend(it->sending.ticket);
  for (std::uint32_t i = 0; i < it->count; ++i) model.forbidden[it->first_number + i] = accepted;
  sends.erase(it);
}

void Conservation::TakeSome() {
  Stream& stream = streams[Pick(3)];
  if (!stream.is_live) return;
  const QueueStats before = queue->Describe();
  const Delivery delivery = Take(*queue, stream.receiver, Chance(20) ? 5 : kDeliveryBytesMax);
  stream.wants = delivery.messages == 0 && !stream.is_finishing && stream.receiver.lease != 0;
  stream.told_before = stream.receiver.told->count;
  if (delivery.messages == 0) return;
  EXPECT_FALSE(stream.is_finishing);
  EXPECT_LE(model.leases[stream.receiver.lease].held.size() + delivery.messages,
            stream.credit.messages);
  EXPECT_LE(before.in_flight + delivery.messages, spec.max_in_flight);
  model.Deliver(stream.receiver.lease, delivery, clock.Now());
  if (!stream.auto_ack) return;
  Sync();
  const bool is_written = Chance(70);
  queue->Written(stream.receiver.consumer, delivery, is_written);
  for (std::uint64_t position : Positions(delivery)) {
    model.leases[stream.receiver.lease].held.erase(position);
    if (is_written) {
      ++model.settled;
    } else {
      model.GoBack(position, true);
    }
  }
}

void Conservation::SettleSome() {
  if (model.leases.empty()) return;
  auto it = std::next(model.leases.begin(), Pick(static_cast<std::uint32_t>(model.leases.size())));
  Settlement settlement;
  settlement.lease = it->first;
  const bool has_held = !it->second.held.empty() && Chance(85);
  settlement.first_position = has_held ? it->second.held.begin()->first + Pick(2) : 1 + Pick(9);
  settlement.count = 1 + Pick(4);
  settlement.action = static_cast<SettleAction>(Pick(4));
  settlement.delay = Pick(3) * 100ms;
  settlement.lease_for = (1 + Pick(4)) * 100ms;
  const SettleResult expected = model.Settle(settlement, clock.Now());
  const SettleResult result = Settle(*queue, settlement);
  EXPECT_EQ(result.settled, expected.settled);
  EXPECT_EQ(result.not_held, expected.not_held);
  EXPECT_EQ(result.expired, expected.expired);
  EXPECT_EQ(result.outcome, expected.outcome);
}

void Conservation::AttachSome() {
  Stream& stream = streams[Pick(3)];
  if (stream.is_live) return;
  std::destroy_at(&stream);
  std::construct_at(&stream);
  ConsumerOptions options;
  options.mode = static_cast<AttachMode>(Pick(3));
  options.auto_ack = Chance(25);
  options.credit.messages = Pick(4);
  if (Chance(30)) options.credit.bytes = 1 + Pick(10);
  if (Chance(40)) options.ack_timeout = (1 + Pick(4)) * 100ms;
  stream.auto_ack = options.auto_ack;
  stream.credit = options.credit;
  stream.ack_timeout = options.ack_timeout;
  const bool was_taken = is_seat_taken();
  const Status status = queue->Attach(stream.receiver.consumer, options, stream.receiver.told);
  if (was_taken && options.mode == AttachMode::kRefuse) {
    EXPECT_EQ(status.reason(), "CONSUMER_PRESENT");
    return;
  }
  ASSERT_TRUE(status.ok());
  stream.is_live = true;
  if (!was_taken || options.mode != AttachMode::kTakeOver) return;
  for (Stream& holder : streams) {
    if (!holder.is_live || holder.receiver.lease == 0) continue;
    EXPECT_EQ(queue->Poll(holder.receiver.consumer).ended, ClosedReason::kSuperseded);
    model.LeaseGoesBack(holder.receiver.lease, false);
    queue->Detach(holder.receiver.consumer, Leaving::kLost);
    holder.is_live = false;
  }
  for (auto& [id, lease] : model.leases) {
    if (lease.is_unary) model.LeaseGoesBack(id, false);
  }
  for (WaitingReceive& receive : receives) {
    ASSERT_TRUE(queue->TakeReceived(receive.receiving.ticket, receive.receiving.received));
    EXPECT_EQ(receive.receiving.received.reason, ClosedReason::kSuperseded);
  }
  receives.clear();
}

void Conservation::DetachSome() {
  Stream& stream = streams[Pick(3)];
  if (!stream.is_live) return;
  switch (Pick(4)) {
    case 0:
      stream.credit.messages = Pick(4);
      queue->SetCredit(stream.receiver.consumer, stream.credit);
      return;
    case 1: {
      const bool holds_nothing = queue->Finish(stream.receiver.consumer);
      EXPECT_EQ(holds_nothing,
                stream.receiver.lease == 0 || model.leases[stream.receiver.lease].held.empty());
      stream.is_finishing = true;
      stream.wants = false;
      return;
    }
    default:
      break;
  }
  const auto leaving = Chance(50) ? Leaving::kLost : Leaving::kFinished;
  queue->Detach(stream.receiver.consumer, leaving);
  stream.is_live = false;
  if (stream.receiver.lease == 0) return;
  model.LeaseGoesBack(stream.receiver.lease, leaving == Leaving::kLost && !stream.is_finishing);
}

void Conservation::ReceiveSome() {
  ReceiveOptions options;
  options.consumer = Chance(70) ? "" : "other";
  options.max_messages = 1 + Pick(3);
  options.lease = (1 + Pick(4)) * 100ms;
  if (Chance(30)) options.session_id = std::string("session") + std::to_string(Pick(2));
  options.deadline = Chance(30) ? kNever : Later(clock.Now(), Pick(4) * 100ms);
  bool is_admitted = !is_seat_taken();
  for (const WaitingReceive& other : receives) is_admitted |= other.group == options.consumer;
  is_admitted |= model.live_members(options.consumer) > 0;
  WaitingReceive& receive = receives.emplace_back();
  receive.group = options.consumer;
  receive.session = options.session_id;
  receive.lease = options.lease;
  const Status status = queue->Receive(receive.receiving.ticket, options, receive.receiving.told);
  EXPECT_EQ(status.ok(), is_admitted) << status.message();
  if (!status.ok()) receives.pop_back();
}

void Conservation::CancelReceiveSome() {
  if (receives.empty()) return;
  auto it = std::next(receives.begin(), Pick(static_cast<std::uint32_t>(receives.size())));
  queue->CancelReceive(it->receiving.ticket);
  receives.erase(it);
}

void Conservation::LifeSome() {
  switch (Pick(40)) {
    case 0:
      queue->Close(ClosedReason::kRequested);
      is_closed = true;
      return;
    case 1:
      if (Chance(70)) return;
      model.Delete(queue->Describe().accepted);
      queue->Delete(ClosedReason::kDeleted);
      is_closed = true;
      return;
    case 2:
    case 3: {
      const QueueStats before = queue->Describe();
      model.Purge(before.accepted);
      EXPECT_EQ(queue->Purge(), before.depth);
      return;
    }
    case 4:
    case 5: {
      const std::string session = "session" + std::to_string(Pick(2));
      const std::uint64_t accepted = queue->Describe().accepted;
      queue->SessionEnded(session);
      for (WaitingSend& send : sends) {
        if (send.session != session) continue;
        EXPECT_TRUE(Look(*queue, send.sending));
        for (std::uint32_t i = 0; i < send.count; ++i) {
          model.forbidden[send.first_number + i] = accepted;
        }
      }
      for (auto& [id, lease] : model.leases) {
        if (lease.is_unary && lease.session == session) model.LeaseGoesBack(id, false);
      }
      return;
    }
    default:
      clock.Advance((1 + Pick(3)) * 100ms);
      model.TimePasses(clock.Now());
      timers.RunDue(clock.Now());
      EXPECT_GT(timers.next(), clock.Now());
      for (WaitingSend& send : sends) {
        EXPECT_TRUE(send.deadline > clock.Now() || Look(*queue, send.sending));
      }
  }
}

}  // namespace sluice::broker
