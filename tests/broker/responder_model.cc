// SPDX-License-Identifier: Apache-2.0
// The random operations, and what each must bring.
#include <algorithm>

#include "tests/broker/responder_model.h"

namespace sluice::broker {

using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t kMessageBytesMax = 40;

// Of a message of so much payload, and nothing else.
std::uint64_t SizeOf(std::uint64_t payload) { return payload == 0 ? 0 : payload + 2; }

}  // namespace

void ResponderModel::Begin() {
  ResponderSpec spec;
  spec.capacity = 1 + Pick(6);
  spec.bytes_max = Chance(30) ? 1'024 : 0;
  spec.message_bytes_max = kMessageBytesMax;
  responder = Make(spec);
  for (auto& caller : callers) caller = std::make_unique<Asking>(*responder);
}

ResponderModel::Worker* ResponderModel::AnyWorker() {
  Worker& worker = workers[Pick(static_cast<std::uint32_t>(workers.size()))];
  return worker.serving == nullptr ? nullptr : &worker;
}

bool ResponderModel::HasOther(const Call& call) const {
  return std::any_of(workers.begin(), workers.end(), [&](const Worker& worker) {
    return worker.serving != nullptr && !worker.is_finishing &&
           call.excluded.count(worker.fence()) == 0;
  });
}

void ResponderModel::AskSome() {
  const std::size_t caller = Pick(2);
  Call call;
  call.caller = caller;
  call.id = next_number;
  call.options.wait_for_responder = Chance(60);
  call.options.retry_on_loss = Chance(50);
  call.options.wants_parts = Chance(40);
  call.options.part_credit = 1 + Pick(4);
  call.allowed = call.options.part_credit;
  if (Chance(30)) call.options.deadline = clock.Now() + std::chrono::milliseconds(1 + Pick(20));
  const ResponderStats before = responder->Describe();
  const std::string payload = std::to_string(next_number);
  const std::uint64_t charge = SizeOf(payload.size()) + kMessageOverheadBytes;
  Outcome expected = Outcome::kUnspecified;
  if (is_closed) {
    expected = Outcome::kClosed;
  } else if (!call.options.wait_for_responder && !HasOther(call)) {
    expected = Outcome::kNoResponder;
  } else if (before.depth >= before.spec.capacity ||
             before.retained_bytes + charge > before.spec.bytes_max) {
    expected = Outcome::kFull;
  }
  EXPECT_EQ(callers[caller]->Ask(call.id, call.options, payload), expected);
  if (expected == Outcome::kUnspecified) calls[next_number] = call;
  ++next_number;
}

void ResponderModel::CancelSome() {
  for (auto& [number, call] : calls) {
    if (call.is_over || !Chance(20)) continue;
    responder->Cancel(callers[call.caller]->caller, call.id, GivingUp::kCancelled);
    call.is_over = true;
    ++cancelled;
    for (Worker& worker : workers) {
      for (const auto& [id, held] : worker.held) {
        if (held == number) worker.cancelled.insert(id);
      }
    }
    return;
  }
}

void ResponderModel::AllowSome() {
  for (auto& [number, call] : calls) {
    if (call.is_over || !call.options.wants_parts || !Chance(40)) continue;
    call.allowed += Pick(3);
    responder->AllowParts(callers[call.caller]->caller, call.id, call.allowed);
    return;
  }
}

void ResponderModel::AttachSome() {
  Worker& worker = workers[Pick(3)];
  if (worker.serving != nullptr) {
    worker.credit = Pick(5);
    worker.most_credit = std::max(worker.most_credit, worker.credit);
    responder->SetCredit(worker.serving->worker, {.messages = worker.credit, .bytes = 0});
    return;
  }
  worker = Worker();
  worker.credit = worker.most_credit = Pick(5);
  worker.serving = std::make_unique<Serving>(*responder, worker.credit);
  if (worker.fence() == 0) worker.serving.reset();  // it has ended
}

void ResponderModel::SeeAssignment(Worker& worker, const Assignment& assignment) {
  const std::uint64_t number = std::stoull(std::string(assignment.request.payload()));
  ASSERT_EQ(calls.count(number), 1u);
  Call& call = calls[number];
  EXPECT_FALSE(call.is_over);
  EXPECT_EQ(call.holder, 0u);
  EXPECT_EQ(call.excluded.count(worker.fence()), 0u);
  EXPECT_EQ(assignment.call_id, worker.next++);
  EXPECT_EQ(assignment.attempts, ++call.attempts);
  EXPECT_GE(assignment.part_credit, 1u);
  EXPECT_EQ(assignment.deadline, call.options.deadline);
  if (call.options.wants_parts) {
    EXPECT_LE(assignment.part_credit, call.allowed);
  }
  if (call.attempts > 1) ++redelivered;
  call.holder = worker.fence();
  call.told = assignment.part_credit;
  call.sent = call.gathered = 0;
  worker.held[assignment.call_id] = number;
}

void ResponderModel::TakeSome() {
  Worker* worker = AnyWorker();
  if (worker == nullptr) return;
  const bool is_writing = Chance(30);
  const std::uint64_t bytes_max = Chance(30) ? 1 : 1'000;
  worker->told_before = worker->serving->told->count;
  const WorkerNews news = worker->serving->Take(bytes_max, is_writing);
  worker->wants = news.empty() && !is_writing;
  EXPECT_EQ(news.ended != ClosedReason::kUnspecified, responder->has_ended());
  if (news.ended != ClosedReason::kUnspecified) return;
  for (const std::uint64_t id : news.cancelled) EXPECT_EQ(worker->cancelled.erase(id), 1u);
  EXPECT_TRUE(worker->cancelled.empty());
  worker->cancelled.clear();
  EXPECT_TRUE(!worker->is_finishing || news.assignments.empty());
  for (const Assignment& assignment : news.assignments) SeeAssignment(*worker, assignment);
  for (const PartCredit& credit : news.part_credit) {
    ASSERT_EQ(worker->held.count(credit.call_id), 1u);
    Call& call = calls[worker->held[credit.call_id]];
    EXPECT_GT(credit.parts, call.told);
    EXPECT_TRUE(!call.options.wants_parts || credit.parts <= call.allowed);
    call.told = credit.parts;
  }
  EXPECT_LE(worker->held.size(), std::max<std::size_t>(worker->most_credit, 0));
}

// It goes back, or ends, because its worker has let go of it.
void ResponderModel::LetGo(Call& call, Worker& worker, std::uint64_t number, bool is_release) {
  call.holder = 0;
  if (is_release) call.excluded.insert(worker.fence());
  const bool is_loss = !is_release || call.sent > 0;
  if (is_loss) call.may_be_done = true;
  const bool went_out = call.options.wants_parts && call.sent > 0;
  if (is_loss && (went_out || !call.options.retry_on_loss)) {
    EndsNow(number, Outcome::kResponderGone);
  } else if (is_closed) {
    EndsNow(number, Outcome::kClosed);
  }
}

Outcome ResponderModel::Predict(Worker& worker, std::uint64_t assignment,
                                const WorkerReply& reply) {
  const std::uint64_t number = worker.held[assignment];
  Call& call = calls[number];
  const bool is_message = reply.kind == ReplyKind::kMessage;
  const auto ends = [&](Outcome caller, Outcome result) {
    worker.held.erase(assignment);
    call.may_be_done = true;
    EndsNow(number, caller);
    return result;
  };
  if (reply.kind == ReplyKind::kRelease) {
    worker.held.erase(assignment);
    LetGo(call, worker, number, true);
    return Outcome::kOk;
  }
  if (reply.kind == ReplyKind::kFailure) return ends(Outcome::kFailed, Outcome::kOk);
  if (is_message && call.options.wants_parts && call.sent >= call.allowed) {
    return ends(Outcome::kFailed, Outcome::kFailed);
  }
  if (is_message) {
    ++call.sent;
    call.gathered = call.options.wants_parts ? 0 : call.gathered + reply.message.payload_bytes;
    if (reply.message.size() > kMessageBytesMax || SizeOf(call.gathered) > kMessageBytesMax) {
      return ends(Outcome::kReplyTooLarge, Outcome::kReplyTooLarge);
    }
  }
  if (reply.is_last) return ends(Outcome::kOk, Outcome::kOk);
  return Outcome::kOk;
}

void ResponderModel::ReplySome() {
  Worker* worker = AnyWorker();
  if (worker == nullptr) return;
  WorkerReply reply;
  reply.call_id = Pick(static_cast<std::uint32_t>(worker->next) + 2);
  if (!worker->held.empty() && Chance(80)) {
    reply.call_id =
        std::next(worker->held.begin(), Pick(static_cast<std::uint32_t>(worker->held.size())))
            ->first;
  }
  const std::uint32_t kind = Pick(10);
  reply.kind = kind < 6   ? ReplyKind::kMessage
               : kind < 7 ? ReplyKind::kNothing
               : kind < 8 ? ReplyKind::kFailure
                          : ReplyKind::kRelease;
  reply.is_last = reply.kind != ReplyKind::kMessage || Chance(50);
  reply.message = Encoded(std::string(Pick(15) + (Chance(5) ? 30 : 0), 'x'));
  const auto held = worker->held.find(reply.call_id);
  Outcome expected = reply.call_id > 0 && reply.call_id < worker->next ? Outcome::kAlreadyDone
                                                                       : Outcome::kUnknownCall;
  if (held != worker->held.end()) {
    const Call& call = calls[held->second];
    // What it is allowed and has not been told of yet, nobody can foresee.
    const bool is_vague = call.options.wants_parts && reply.kind == ReplyKind::kMessage &&
                          call.sent >= call.told && call.sent < call.allowed;
    if (is_vague) return;
    if (call.is_over) {
      expected = Outcome::kClosed;
      if (reply.kind != ReplyKind::kRelease) ++late;
      worker->cancelled.erase(reply.call_id);  // told or not, it is known now
      worker->held.erase(held);
    } else {
      expected = Predict(*worker, reply.call_id, reply);
    }
  }
  EXPECT_EQ(worker->serving->Give(std::move(reply)), expected);
}

void ResponderModel::LeaveSome() {
  Worker* worker = AnyWorker();
  if (worker == nullptr) return;
  if (!worker->is_finishing && Chance(50)) {
    responder->Finish(worker->serving->worker);
    worker->is_finishing = true;
    return;
  }
  const bool is_release = worker->is_finishing && Chance(50);
  for (const auto& [id, number] : worker->held) {
    Call& call = calls[number];
    if (!call.is_over) LetGo(call, *worker, number, is_release);
  }
  worker->serving->Detach(is_release ? Leaving::kFinished : Leaving::kLost);
  worker->serving.reset();
}

void ResponderModel::LifeSome() {
  const std::uint32_t choice = Pick(100);
  if (choice < 90) {
    clock.Advance(std::chrono::milliseconds(Pick(8)));
    for (const auto& [number, call] : calls) {
      if (!call.is_over && call.options.deadline <= clock.Now()) {
        EndsNow(number, Outcome::kTimedOut);
      }
    }
    timers.RunDue(clock.Now());
    return;
  }
  const bool is_delete = choice >= 97;
  if (!is_delete && choice < 94) return;
  std::uint64_t open = 0;
  const ResponderStats before = responder->Describe();
  for (const auto& [number, call] : calls) {
    open += !call.is_over;
    if (!call.is_over && is_delete) EndsNow(number, Outcome::kClosed);
  }
  is_closed = true;
  is_deleted |= is_delete;
  if (is_delete) {
    EXPECT_EQ(responder->Delete(ClosedReason::kDeleted), open);
  } else {
    responder->Close(ClosedReason::kRequested);
    EXPECT_EQ(responder->Describe().in_flight, before.in_flight);
    EXPECT_EQ(responder->Describe().depth, 0u);
  }
}

}  // namespace sluice::broker
