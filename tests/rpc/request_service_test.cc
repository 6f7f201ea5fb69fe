// SPDX-License-Identifier: Apache-2.0
// Responders by name, over a socket: declared, described, listed, closed, deleted.
#include <gmock/gmock.h>

#include "tests/rpc/request_fixture.h"

namespace sluice::rpc {
namespace {

using ::testing::ElementsAre;

class RequestServiceTest : public RequestTest {
 protected:
  RawClient::Answer<v1::ListRespondersResponse> List(const std::string& prefix,
                                                     std::uint32_t page_size = 0,
                                                     const std::string& token = "") {
    v1::ListRespondersRequest request;
    request.set_prefix(prefix);
    request.set_page_size(page_size);
    request.set_page_token(token);
    return client().Ask<v1::ListRespondersResponse>(Method("ListResponders"), request);
  }
  static std::vector<std::string> Names(const v1::ListRespondersResponse& response) {
    std::vector<std::string> names;
    for (const auto& one : response.responders()) names.push_back(one.name());
    return names;
  }
  grpc::Status CloseNow(const std::string& name) {
    v1::CloseResponderRequest request;
    request.set_responder(name);
    return client().Ask<v1::CloseResponderResponse>(Method("CloseResponder"), request).status;
  }
  RawClient::Answer<v1::DeleteResponderResponse> Delete(const std::string& name) {
    v1::DeleteResponderRequest request;
    request.set_responder(name);
    return client().Ask<v1::DeleteResponderResponse>(Method("DeleteResponder"), request);
  }
};

// Clauses: N5
TEST_F(RequestServiceTest, DeclaresOnce) {
  v1::ResponderSpec spec;
  spec.set_capacity(5);
  const auto first = TryDeclare("r", spec);
  ASSERT_TRUE(first.ok());
  EXPECT_TRUE(first->created());
  const v1::ResponderDescription& made = first->description();
  EXPECT_EQ(made.name(), "r");
  EXPECT_EQ(made.spec().capacity(), 5u);
  EXPECT_EQ(made.spec().bytes_max(), 64u << 20);
  EXPECT_EQ(made.spec().message_bytes_max(), 1u << 20);
  EXPECT_EQ(made.state(), v1::RESPONDER_STATE_OPEN);
  EXPECT_GT(made.epoch(), 0u);
  const auto again = TryDeclare("r", spec);
  EXPECT_FALSE(again->created());
  EXPECT_EQ(again->description().epoch(), made.epoch());
  spec.set_capacity(6);
  const Fault fault = TryDeclare("r", spec).fault();
  EXPECT_EQ(fault.code, grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(fault.reason, "DECLARED_OTHERWISE");
  EXPECT_EQ(fault.details.at("field"), "spec.capacity");
  spec.set_message_bytes_max((1u << 20) + 1);
  EXPECT_EQ(TryDeclare("s", spec).fault().reason, "OUT_OF_BOUNDS");
  EXPECT_EQ(TryDeclare("a..b", {}).fault().details.at("field"), "responder");
}

// Clauses: N43
TEST_F(RequestServiceTest, DescribesWithPagesOfWorkers) {
  DeclareResponder("r");
  v1::ServeRequest open = OpenServing("r", 7);
  open.mutable_open()->set_worker("first");
  open.mutable_open()->mutable_credit()->set_bytes(9'000);
  v1::Attached attached;
  const auto first = StartServing(open, &attached);
  const auto second = StartServing("r");
  const auto third = StartServing("r");
  EXPECT_EQ(attached.epoch(), LookAt("r").epoch());
  EXPECT_EQ(attached.lease() + attached.next_position() + attached.max_in_flight(), 0u);
  auto page = Page("r", 2);
  ASSERT_EQ(page->workers_size(), 2);
  EXPECT_EQ(page->description().workers(), 3u);
  const v1::WorkerDescription& worker = page->workers(0);
  EXPECT_EQ(worker.worker(), "first");
  EXPECT_EQ(worker.fence(), attached.fence());
  EXPECT_EQ(worker.credit().messages(), 7u);
  EXPECT_EQ(worker.credit().bytes(), 9'000u);
  EXPECT_TRUE(worker.peer().starts_with("ipv4:127.0.0.1:")) << worker.peer();
  const auto streams = Streams();
  EXPECT_TRUE(std::any_of(streams.begin(), streams.end(), [&](const auto& stream) {
    return stream.id() == worker.stream_id() && stream.method() == kServe &&
           stream.channel() == "r";
  }));
  page = Page("r", 2, page->next_page_token());
  ASSERT_EQ(page->workers_size(), 1);
  EXPECT_TRUE(page->next_page_token().empty());
  EXPECT_EQ(Page("r", 2, "no number").fault().details.at("field"), "page_token");
  const Fault absent = Page("s").fault();
  EXPECT_EQ(absent.code, grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(absent.reason, "RESPONDER_NOT_FOUND");
}

TEST_F(RequestServiceTest, ListsByName) {
  for (const char* name : {"b.2", "b.1", "a", "b.3"}) DeclareResponder(name);
  EXPECT_THAT(Names(List("").response), ElementsAre("a", "b.1", "b.2", "b.3"));
  auto page = List("b.", 2);
  EXPECT_THAT(Names(page.response), ElementsAre("b.1", "b.2"));
  page = List("b.", 2, page->next_page_token());
  EXPECT_THAT(Names(page.response), ElementsAre("b.3"));
  EXPECT_TRUE(page->next_page_token().empty());
  EXPECT_EQ(List("", 2, "a..b").fault().details.at("field"), "page_token");
}

// Clauses: N4 N6
TEST_F(RequestServiceTest, ClosesAndDeletes) {
  const std::uint64_t epoch = DeclareResponder("r").epoch();
  v1::CallRequest request = Asking("r");
  request.set_wait_for_responder(true);
  const auto queued = StartCall(request);
  Eventually([this] { return LookAt("r").depth() == 1; });
  EXPECT_TRUE(CloseNow("r").ok());
  const auto answer = queued->Read<v1::CallResponse>();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->outcome(), v1::OUTCOME_CLOSED);
  EXPECT_EQ(answer->reason(), v1::CLOSED_REASON_REQUESTED);
  EXPECT_EQ(LookAt("r").state(), v1::RESPONDER_STATE_ENDED);
  EXPECT_EQ(LookAt("r").closed_reason(), v1::CLOSED_REASON_REQUESTED);
  EXPECT_NE(DeclareResponder("r").epoch(), epoch);
  const auto again = StartCall(request);
  Eventually([this] { return LookAt("r").depth() == 1; });
  EXPECT_EQ(Delete("r")->deleted(), 1u);
  EXPECT_EQ(again->Read<v1::CallResponse>()->reason(), v1::CLOSED_REASON_DELETED);
  EXPECT_EQ(Delete("r").fault().reason, "RESPONDER_NOT_FOUND");
  EXPECT_EQ(FaultOf(CloseNow("r")).reason, "RESPONDER_NOT_FOUND");
  ExpectNothingOpen();
}

TEST_F(RequestServiceTest, LiveCountsAndBounds) {
  DeclareResponder("r");
  const auto worker = StartServing("r", 1);
  const auto one = StartCall(Asking("r"));
  worker->ReadAssignment();
  const auto two = StartCall(Asking("r"));
  Eventually([this] { return Live().queued_calls() == 1; });
  const v1::LiveCounts live = Live();
  EXPECT_EQ(live.responders(), 1u);
  EXPECT_EQ(live.workers(), 1u);
  EXPECT_EQ(live.calls_in_flight(), 1u);
  EXPECT_GT(live.retained_bytes(), 0u);
  const auto info = client().Ask<v1::ServerInfoResponse>("/sluice.v1.AdminService/ServerInfo",
                                                         v1::ServerInfoRequest());
  EXPECT_EQ(info->bounds().stream_calls_max(), 1'024u);
  EXPECT_EQ(info->bounds().part_credit_default(), 16u);
  EXPECT_EQ(info->bounds().part_credit_max(), 1'024u);
  EXPECT_EQ(info->bounds().failure_code_bytes_max(), 255u);
  EXPECT_EQ(info->bounds().failure_text_bytes_max(), 8'192u);
}

}  // namespace
}  // namespace sluice::rpc
