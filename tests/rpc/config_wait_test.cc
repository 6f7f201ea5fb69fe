// SPDX-License-Identifier: Apache-2.0
// GetKey that waits, over a socket.
#include "tests/rpc/config_fixture.h"

namespace sluice::rpc {
namespace {

class GetKeyTest : public ConfigTest {
 protected:
  static v1::GetKeyRequest Getting(const std::string& key, std::uint32_t wait_ms) {
    v1::GetKeyRequest request;
    request.set_key(key);
    request.set_wait_ms(wait_ms);
    return request;
  }
  static v1::GetKeyRequest Existing(const std::string& key, std::uint32_t wait_ms) {
    v1::GetKeyRequest request = Getting(key, wait_ms);
    request.set_exists(true);
    return request;
  }
  v1::GetKeyResponse Ask(const v1::GetKeyRequest& request) {
    const auto answer = client().Ask<v1::GetKeyResponse>(kGetKey, request);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return answer.response;
  }
};

// Clauses: N39
TEST_F(GetKeyTest, X57_WhatHoldsAnswersAtOnceElseTheFirstSet) {
  const v1::SetKeyResponse first = Set("k", "a");
  v1::GetKeyRequest above = Getting("k", 600'000);
  above.mutable_version_above();
  EXPECT_EQ(Ask(above).entry().value(), "a") << "{0, 0} is as exists";
  *above.mutable_version_above() = VersionOf(first.entry());
  const auto waiting = Start(kGetKey, above);
  EventuallyWaiting(1);
  EXPECT_EQ(Streams()[0].state(), "waiting");
  EXPECT_EQ(Streams()[0].channel(), "k");
  EXPECT_EQ(Get("k").watchers(), 1u);
  EXPECT_EQ(Set("k", "b").watchers(), 1u);
  const auto response = waiting->Read<v1::GetKeyResponse>();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->outcome(), v1::OUTCOME_OK);
  EXPECT_EQ(response->entry().value(), "b");
  EXPECT_EQ(response->watchers(), 0u);
  EXPECT_TRUE(waiting->End().ok());
  EXPECT_EQ(Get("k").watchers(), 0u);
}

// Clauses: N39
TEST_F(GetKeyTest, EqualsWaitsForTheBytes) {
  v1::GetKeyRequest request = Getting("k", 600'000);
  request.set_equals("yes");
  const auto waiting = Start(kGetKey, request);
  EventuallyWaiting(1);
  Set("k", "no");
  Set("k", "yes");
  Set("k", "later");
  EXPECT_EQ(waiting->Read<v1::GetKeyResponse>()->entry().value(), "yes");
  request.set_equals("later");
  EXPECT_EQ(Ask(request).entry().value(), "later");
}

// Clauses: N39
TEST_F(GetKeyTest, X57_AWaitThatElapsesLeavesNothingBehind) {
  v1::GetKeyResponse response = Ask(Existing("k", 20));
  EXPECT_EQ(response.outcome(), v1::OUTCOME_TIMED_OUT);
  EXPECT_FALSE(response.has_entry());
  EXPECT_EQ(Ask(Existing("k", 0)).outcome(), v1::OUTCOME_TIMED_OUT);
  Set("k", "a");
  v1::GetKeyRequest request = Getting("k", 20);
  request.set_equals("b");
  response = Ask(request);
  EXPECT_EQ(response.outcome(), v1::OUTCOME_TIMED_OUT);
  EXPECT_EQ(response.entry().value(), "a") << "what there is";
  EXPECT_EQ(Get("k").watchers(), 0u);
  EXPECT_EQ(broker_->totals().waiting_gets, 0u);
}

// Clauses: N39 N9
TEST_F(GetKeyTest, ACancelledWaitLeavesNothingBehind) {
  const auto waiting = Start(kGetKey, Existing("k", 600'000));
  EventuallyWaiting(1);
  waiting->Cancel();
  EXPECT_EQ(waiting->End().error_code(), grpc::StatusCode::CANCELLED);
  EventuallyWaiting(0);
  EXPECT_EQ(Set("k", "a").watchers(), 0u);
}

// Clauses: N41
TEST_F(GetKeyTest, EveryWaitIsToldOfTheDrain) {
  const auto waiting = Start(kGetKey, Existing("k", 600'000));
  const auto silent = client().Start(kGetKey);  // has not asked yet
  EventuallyWaiting(1);
  Eventually([this] { return Streams().size() == 3; });
  StartDrain();
  const auto response = waiting->Read<v1::GetKeyResponse>();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->outcome(), v1::OUTCOME_CLOSED);
  EXPECT_EQ(response->reason(), v1::CLOSED_REASON_SHUTTING_DOWN);
  EXPECT_TRUE(waiting->End().ok());
  broker_->FinishDrain();
  server_->EndStreams();
  EXPECT_EQ(silent->EndFault().reason, "DRAINING");
}

TEST_F(GetKeyTest, ConditionsAreChecked) {
  v1::GetKeyRequest request = Getting("k", 0);
  request.set_exists(false);
  EXPECT_EQ(RefusalOf(kGetKey, request), "INVALID_FIELD exists");
  request.mutable_version_above()->set_version(1);
  EXPECT_EQ(RefusalOf(kGetKey, request), "INVALID_FIELD version_above");
  request.set_equals(std::string((1 << 20) + 1, 'v'));
  EXPECT_EQ(RefusalOf(kGetKey, request), "OUT_OF_BOUNDS equals");
  request = Existing("_k", 0);
  EXPECT_EQ(RefusalOf(kGetKey, request), "INVALID_FIELD key");
}

}  // namespace
}  // namespace sluice::rpc
