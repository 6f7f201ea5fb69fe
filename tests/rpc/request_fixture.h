// SPDX-License-Identifier: Apache-2.0
// Request/reply over a socket: workers and callers as tests want them.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "sluice/v1/request.pb.h"
#include "tests/rpc/rpc_fixture.h"

namespace sluice::rpc {

inline constexpr char kCall[] = "/sluice.v1.RequestService/Call";
inline constexpr char kCallParts[] = "/sluice.v1.RequestService/CallParts";
inline constexpr char kCallStream[] = "/sluice.v1.RequestService/CallStream";
inline constexpr char kServe[] = "/sluice.v1.RequestService/Serve";

// A Serve: what comes in one frame is read apart here.
class ServeCall final : public RawCall {
 public:
  using RawCall::RawCall;

  std::vector<v1::Assignment> ReadAssignments(std::size_t count) {
    return Take(assignments_, count);
  }
  v1::Assignment ReadAssignment() { return ReadAssignments(1)[0]; }
  std::vector<v1::Outcome> ReadResults(std::size_t count) {
    std::vector<v1::Outcome> outcomes;
    for (const v1::ReplyResult& result : Take(results_, count)) {
      outcomes.push_back(result.outcome());
    }
    return outcomes;
  }
  v1::Attached ReadAttached() { return Take(attached_, 1)[0]; }
  std::uint64_t ReadCancelled() { return Take(cancelled_, 1)[0]; }
  v1::PartCredit ReadPartCredit() { return Take(part_credit_, 1)[0]; }

  void Reply(std::uint64_t call_id, const std::string& payload, bool last = true) {
    v1::ServeRequest frame;
    v1::WorkerReply& reply = *frame.add_replies();
    reply.set_call_id(call_id);
    reply.mutable_message()->set_payload(payload);
    reply.set_last(last);
    Write(frame);
  }
  void Finish() {
    v1::ServeRequest frame;
    frame.set_finish(true);
    Write(frame);
  }

 private:
  // When the stream ends before, the test fails and the rest is empty.
  template <class T>
  std::vector<T> Take(std::deque<T>& from, std::size_t count) {
    while (from.size() < count && ReadMore()) {
    }
    std::vector<T> all(count);
    for (std::size_t i = 0; i < count && !from.empty(); ++i) {
      all[i] = std::move(from.front());
      from.pop_front();
    }
    return all;
  }
  bool ReadMore() {
    const auto frame = Read<v1::ServeResponse>();
    if (!frame.has_value() || frame->has_closed()) {
      ADD_FAILURE() << "the stream ended too soon: " << (frame ? frame->ShortDebugString() : "");
      return false;
    }
    if (frame->has_attached()) attached_.push_back(frame->attached());
    for (const v1::Assignment& one : frame->assignments()) assignments_.push_back(one);
    for (const v1::ReplyResult& one : frame->results()) results_.push_back(one);
    for (const v1::PartCredit& one : frame->part_credit()) part_credit_.push_back(one);
    for (const std::uint64_t one : frame->cancelled()) cancelled_.push_back(one);
    return true;
  }

  std::deque<v1::Attached> attached_;
  std::deque<v1::Assignment> assignments_;
  std::deque<v1::ReplyResult> results_;
  std::deque<v1::PartCredit> part_credit_;
  std::deque<std::uint64_t> cancelled_;
};

class RequestTest : public RpcTest {
 protected:
  static std::string Method(const std::string& verb) { return "/sluice.v1.RequestService/" + verb; }
  RawClient::Answer<v1::DeclareResponderResponse> TryDeclare(const std::string& name,
                                                             const v1::ResponderSpec& spec) {
    v1::DeclareResponderRequest request;
    request.set_responder(name);
    *request.mutable_spec() = spec;
    return client().Ask<v1::DeclareResponderResponse>(Method("DeclareResponder"), request);
  }
  v1::ResponderDescription DeclareResponder(const std::string& name,
                                            const v1::ResponderSpec& spec = {}) {
    const auto answer = TryDeclare(name, spec);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return answer->description();
  }
  RawClient::Answer<v1::DescribeResponderResponse> Page(const std::string& name,
                                                        std::uint32_t page_size = 0,
                                                        const std::string& page_token = "") {
    v1::DescribeResponderRequest request;
    request.set_responder(name);
    request.set_page_size(page_size);
    request.set_page_token(page_token);
    return client().Ask<v1::DescribeResponderResponse>(Method("DescribeResponder"), request);
  }
  v1::ResponderDescription LookAt(const std::string& name) {
    const auto answer = Page(name);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    const v1::ResponderDescription& d = answer->description();
    EXPECT_EQ(d.accepted(), d.answered() + d.failed() + d.responder_gone() + d.no_responder() +
                                d.too_large() + d.timed_out() + d.cancelled() + d.closed() +
                                d.depth() + d.in_flight());
    return d;
  }
  static v1::ServeRequest OpenServing(const std::string& name, std::uint32_t credit = 64) {
    v1::ServeRequest frame;
    frame.mutable_open()->set_responder(name);
    frame.mutable_open()->mutable_credit()->set_messages(credit);
    return frame;
  }
  // A worker that is attached.
  std::unique_ptr<ServeCall> StartServing(const v1::ServeRequest& open,
                                          v1::Attached* attached = nullptr) {
    auto call = client().Start<ServeCall>(kServe);
    EXPECT_TRUE(call->Write(open));
    const v1::Attached got = call->ReadAttached();
    EXPECT_GT(got.fence(), 0u);
    if (attached != nullptr) *attached = got;
    return call;
  }
  std::unique_ptr<ServeCall> StartServing(const std::string& name, std::uint32_t credit = 64) {
    return StartServing(OpenServing(name, credit));
  }
  static v1::CallRequest Asking(const std::string& name, const std::string& payload = "q") {
    v1::CallRequest request;
    request.set_responder(name);
    request.mutable_request()->set_payload(payload);
    return request;
  }
  static v1::CallPartsRequest AskingParts(const std::string& name) {
    v1::CallPartsRequest request;
    request.set_responder(name);
    return request;
  }
  // A Call or CallParts that is under way.
  std::unique_ptr<RawCall> StartCall(const google::protobuf::MessageLite& request,
                                     const char* method = kCall,
                                     std::chrono::milliseconds timeout = kPatience) {
    auto call = client().Start(method, timeout);
    call->Write(request);
    call->HalfClose();
    return call;
  }
  static v1::CallStart& AddCall(v1::CallStreamRequest& frame, std::uint64_t call_id,
                                const std::string& name, const std::string& payload = "q") {
    v1::CallStart& call = *frame.add_calls();
    call.set_call_id(call_id);
    call.set_responder(name);
    call.mutable_request()->set_payload(payload);
    call.set_wait_for_responder(true);
    return call;
  }
  static v1::CallStreamRequest OneCall(std::uint64_t call_id, const std::string& name) {
    v1::CallStreamRequest frame;
    AddCall(frame, call_id, name);
    return frame;
  }
  // The next reply on a CallStream that has no other under way.
  static v1::CallReply ReadReply(RawCall& stream) {
    const auto frame = stream.Read<v1::CallStreamResponse>();
    if (!frame.has_value() || frame->replies_size() != 1) {
      ADD_FAILURE() << "one reply was expected; there came "
                    << (frame ? frame->ShortDebugString() : stream.End().error_message());
      return v1::CallReply();
    }
    return frame->replies(0);
  }
};

}  // namespace sluice::rpc
