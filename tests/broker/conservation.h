// SPDX-License-Identifier: Apache-2.0
// Random operations on one small queue, and the model that they are compared with after each.
#pragma once

#include <array>
#include <list>
#include <memory>
#include <random>
#include <string>

#include "tests/broker/queue_fixture.h"
#include "tests/broker/queue_model.h"

namespace sluice::broker {

struct Stream {
  Receiver receiver;
  bool is_live = false;
  bool is_finishing = false;
  bool auto_ack = false;
  bool wants = false;  // its last Take gave nothing
  int told_before = 0;
  Credit credit;
  Duration ack_timeout{0};
};

struct WaitingSend {
  Sending sending;
  std::uint64_t first_number = 0;
  std::uint32_t count = 0;
  std::string session;
  TimePoint deadline = kNever;
};

struct WaitingReceive {
  Receiving receiving;
  std::string group;
  std::string session;
  Duration lease{0};
};

class Conservation : public QueueFixture {
 protected:
  void Run(std::uint64_t seed);

 private:
  std::uint32_t Pick(std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); }
  bool Chance(std::uint32_t percent) { return Pick(100) < percent; }

  void Begin();
  void Step();
  void SendSome();
  void CancelSome();
  void TakeSome();
  void SettleSome();
  void AttachSome();
  void DetachSome();
  void ReceiveSome();
  void CancelReceiveSome();
  void ReturnSome();
  void LifeSome();
  void Sync();
  void SyncSends();
  void ExpectNobodyForgotten(const QueueStats& stats);
  void End();

  bool is_seat_taken() const {
    if (spec.shared) return false;
    for (const Stream& stream : streams) {
      if (stream.is_live && stream.receiver.lease != 0) return true;
    }
    return !receives.empty() || HasUnaryLease();
  }
  bool HasUnaryLease() const {
    for (const auto& [id, lease] : model.leases) {
      if (lease.is_unary && !lease.held.empty()) return true;
    }
    return false;
  }

  std::mt19937_64 random;
  QueueSpec spec;
  std::shared_ptr<Queue> queue;
  QueueModel model;
  std::array<Stream, 3> streams;
  std::list<WaitingSend> sends;
  std::list<WaitingReceive> receives;
  std::uint64_t next_number = 1;
  bool is_closed = false;
  bool is_ended = false;
};

}  // namespace sluice::broker
