// SPDX-License-Identifier: Apache-2.0
// Random operations on one small responder, and what must come of each: which calls end now, and
// how. Whatever a worker or a caller is told has to agree.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>

#include "tests/broker/responder_fixture.h"

namespace sluice::broker {

class ResponderModel : public ResponderFixture {
 protected:
  void Run(std::uint64_t seed);

 private:
  // A call that was accepted; its number is its payload.
  struct Call {
    std::size_t caller = 0;
    std::uint64_t id = 0;
    CallOptions options;
    std::uint64_t allowed = 0;
    std::uint32_t attempts = 0;
    std::set<std::uint64_t> excluded;  // fences
    std::uint64_t holder = 0;          // fence of the worker that has it in hand; 0: none
    bool may_be_done = false;
    bool is_over = false;
    std::uint64_t told = 0, sent = 0, gathered = 0;
  };
  struct Worker {
    std::unique_ptr<Serving> serving;
    std::map<std::uint64_t, std::uint64_t> held;  // call numbers by assignment
    std::set<std::uint64_t> cancelled;            // to be told
    std::uint64_t next = 1;
    std::uint32_t most_credit = 0;
    std::uint32_t credit = 0;
    bool is_finishing = false;
    bool wants = false;  // its last Take gave nothing
    int told_before = 0;
    std::uint64_t fence() const { return serving->attachment.fence; }
  };

  std::uint32_t Pick(std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); }
  bool Chance(std::uint32_t percent) { return Pick(100) < percent; }

  void Begin();
  void Step();
  void AskSome();
  void CancelSome();
  void AllowSome();
  void AttachSome();
  void TakeSome();
  void ReplySome();
  void LeaveSome();
  void LifeSome();
  void End();

  void SeeAssignment(Worker& worker, const Assignment& assignment);
  void SeeReply(std::size_t caller, const CallReply& reply);
  void Drain();
  // What an answer to an assignment that is held and open must bring.
  Outcome Predict(Worker& worker, std::uint64_t assignment, const WorkerReply& reply);
  void LetGo(Call& call, Worker& worker, std::uint64_t number, bool is_release);
  void EndsNow(std::uint64_t number, Outcome outcome) { due[number] = outcome; }
  bool HasOther(const Call& call) const;
  Worker* AnyWorker();
  void ExpectAgrees();
  void ExpectNobodyForgotten(const ResponderStats& stats);

  std::mt19937_64 random;
  std::shared_ptr<Responder> responder;
  std::array<std::unique_ptr<Asking>, 2> callers;
  std::array<Worker, 3> workers;
  std::map<std::uint64_t, Call> calls;      // by number
  std::map<std::uint64_t, Outcome> due;     // calls that must end in this step
  std::map<Outcome, std::uint64_t> counts;  // of outcomes
  std::uint64_t cancelled = 0;
  std::uint64_t late = 0;
  std::uint64_t redelivered = 0;
  std::uint64_t next_number = 1;
  bool is_closed = false;
  bool is_deleted = false;
};

}  // namespace sluice::broker
