// SPDX-License-Identifier: Apache-2.0
// SessionService.Keep: holds an identity for as long as the stream lives, and a while longer.
#include "broker/sessions.h"
#include "rpc/convert.h"
#include "rpc/services.h"
#include "rpc/unary.h"
#include "sluice/v1/session.pb.h"

namespace sluice::rpc {
namespace {

class KeepHandler final : public Handler {
 public:
  KeepHandler(Call& call, const Services& services)
      : Handler(call), sessions_(services.broker.sessions()) {}

  // Lost without half-close: the session lingers, for whoever takes it up again.
  ~KeepHandler() override {
    if (!kept_.id.empty()) sessions_.Release(kept_.id, kept_.fence, linger_);
  }

  void OnFrame(const grpc::ByteBuffer& frame) override {
    v1::KeepRequest request;
    Status applied = Parse(frame, request);
    if (applied.ok()) applied = Apply(request);
    if (!applied.ok()) return call().Finish(applied);
    Advance();
    call().Read();
  }

  void OnHalfClose() override {
    if (kept_.id.empty()) {
      return call().Finish(
          Status(Code::kInvalidArgument, "OUT_OF_ORDER", "the stream ended without a frame"));
    }
    end_ = v1::CLOSED_REASON_FINISHED;
    Advance();
  }
  // A cancel looks like a half-close until the last frame cannot be sent: only then are the two
  // told apart, and a session that was merely lost must linger.
  void OnFinished(bool ok) override {
    if (!ok || end_ != v1::CLOSED_REASON_FINISHED || kept_.id.empty()) return;
    sessions_.End(kept_.id, kept_.fence);
    kept_.id.clear();
  }

  void OnNotice() override { Advance(); }
  void OnWritten(bool ok) override {
    if (ok) Advance();
  }
  // Unary calls of the session may still settle: it goes with the last streams.
  void OnDrain(bool is_final) override {
    if (!is_final) return;
    end_ = v1::CLOSED_REASON_SHUTTING_DOWN;
    Advance();
  }

 private:
  Status Apply(const v1::KeepRequest& request) {
    Result<Duration> linger = TimeOf("linger_ms", request.linger_ms());
    if (!linger) return linger.error();
    const std::string& id = request.session_id();
    if (Status size = CheckId("session_id", id, broker::kSessionIdBytes); !size.ok()) return size;
    if (kept_.id.empty()) {
      Result<broker::Sessions::Kept> kept = sessions_.Keep(id, call().notifier());
      if (!kept) return kept.error();
      kept_ = *kept;
      v1::KeepResponse response;
      response.set_session_id(kept_.id);
      response.set_fence(kept_.fence);
      response.set_resumed(kept_.resumed);
      answer_ = response.SerializeAsString();
    } else if (!id.empty() && id != kept_.id) {
      return InvalidField("session_id", "the stream keeps another session");
    }
    linger_ = *linger;
    return Status();
  }

  void Advance() {
    if (call().is_finishing() || EndIfTakenOver() || call().is_writing()) return;
    if (!answer_.empty()) {
      call().Write(MakeFrame({}, answer_));
      answer_.clear();
      return;
    }
    if (end_ == v1::CLOSED_REASON_UNSPECIFIED) return;
    v1::KeepResponse last;
    last.mutable_closed()->set_reason(end_);
    call().WriteAndFinish(Serialize(last));
  }

  bool EndIfTakenOver() {
    if (kept_.id.empty()) return false;
    const std::uint64_t fence = sessions_.fence(kept_.id);
    if (fence == kept_.fence) return false;
    kept_.id.clear();
    if (fence == 0) {  // the daemon goes down: nobody else ends a session that is held
      end_ = v1::CLOSED_REASON_SHUTTING_DOWN;
      return false;
    }
    call().Finish(Status(Code::kAborted, "SUPERSEDED", "another stream keeps this session now")
                      .With("fence", std::to_string(fence)));
    return true;
  }

  broker::Sessions& sessions_;
  broker::Sessions::Kept kept_;  // no id: none yet, or no longer ours
  Duration linger_{0};
  std::string answer_;  // to be written
  v1::ClosedReason end_ = v1::CLOSED_REASON_UNSPECIFIED;
};

}  // namespace

void AddSessionService(const Services& services, MethodTable& methods) {
  methods.Add(
      "/sluice.v1.SessionService/Keep",
      {.make = [&services](Call& call) { return std::make_unique<KeepHandler>(call, services); },
       .is_stream = true,
       .is_served_while_draining = false});
}

}  // namespace sluice::rpc
