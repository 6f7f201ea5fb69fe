// SPDX-License-Identifier: Apache-2.0
// SetKey, GetKey without a wait, DeleteKey and ListKeys over a socket.
#include "tests/rpc/config_fixture.h"

namespace sluice::rpc {
namespace {

class ConfigServiceTest : public ConfigTest {
 protected:
  v1::ListKeysResponse List(const v1::ListKeysRequest& request) {
    const auto answer = client().Ask<v1::ListKeysResponse>(kListKeys, request);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return answer.response;
  }
  std::unique_ptr<RawCall> Keep(std::string& id) {
    auto call = client().Start(kKeep);
    call->Write(v1::KeepRequest());
    const auto frame = call->Read<v1::KeepResponse>();
    EXPECT_TRUE(frame.has_value());
    if (frame.has_value()) id = frame->session_id();
    return call;
  }
};

// Clauses: N35
TEST_F(ConfigServiceTest, X52_ASetIsStoredAndToldWithoutItsValue) {
  v1::SetKeyRequest request = Setting("k", "value");
  request.set_content_type("text/plain");
  const v1::SetKeyResponse set = Set(request);
  EXPECT_EQ(set.outcome(), v1::OUTCOME_OK);
  EXPECT_EQ(set.watchers(), 0u);
  EXPECT_EQ(set.entry().key(), "k");
  EXPECT_EQ(set.entry().value(), "");
  EXPECT_EQ(set.entry().content_type(), "text/plain");
  EXPECT_EQ(set.entry().version(), 1u);
  EXPECT_GT(set.entry().epoch(), 0u);
  EXPECT_EQ(set.entry().revision(), 1u);
  EXPECT_GT(set.entry().changed_unix_us(), 0u);
  const v1::GetKeyResponse got = Get("k");
  EXPECT_EQ(got.outcome(), v1::OUTCOME_OK);
  v1::Entry expected = set.entry();
  expected.set_value("value");
  EXPECT_EQ(got.entry().SerializeAsString(), expected.SerializeAsString());
  request.set_require_watchers(true);
  EXPECT_EQ(Set(request).outcome(), v1::OUTCOME_NO_SUBSCRIBERS);
  EXPECT_FALSE(Set(request).has_entry());
  EXPECT_EQ(Get("k").entry().version(), 1u);
}

TEST_F(ConfigServiceTest, AnAbsentKeyIsAnAnswer) {
  const v1::GetKeyResponse got = Get("nothing");
  EXPECT_EQ(got.outcome(), v1::OUTCOME_ABSENT);
  EXPECT_FALSE(got.has_entry());
  const v1::DeleteKeyResponse deleted = Delete("nothing");
  EXPECT_EQ(deleted.outcome(), v1::OUTCOME_ABSENT);
  EXPECT_FALSE(deleted.has_entry());
}

// Clauses: N36
TEST_F(ConfigServiceTest, X54_AConflictCarriesTheWinner) {
  const v1::KeyVersion first = VersionOf(Set("k", "a").entry());
  v1::SetKeyRequest request = Setting("k", "winner");
  *request.mutable_expect() = first;
  EXPECT_EQ(Set(request).outcome(), v1::OUTCOME_OK);
  request.set_value("loser");
  const v1::SetKeyResponse lost = Set(request);
  EXPECT_EQ(lost.outcome(), v1::OUTCOME_CONFLICT);
  EXPECT_EQ(lost.entry().value(), "winner");
  EXPECT_EQ(lost.entry().version(), 2u);
  EXPECT_EQ(lost.entry().epoch(), first.epoch());
  v1::DeleteKeyRequest deleting;
  deleting.set_key("k");
  *deleting.mutable_expect() = first;
  const auto refused = client().Ask<v1::DeleteKeyResponse>(kDeleteKey, deleting);
  EXPECT_EQ(refused->outcome(), v1::OUTCOME_CONFLICT);
  EXPECT_EQ(refused->entry().value(), "winner");
  *deleting.mutable_expect() = VersionOf(lost.entry());
  EXPECT_EQ(client().Ask<v1::DeleteKeyResponse>(kDeleteKey, deleting)->outcome(), v1::OUTCOME_OK);
  *request.mutable_expect() = v1::KeyVersion();
  EXPECT_EQ(Set(request).outcome(), v1::OUTCOME_OK) << "only if there is none";
}

// Clauses: N37
TEST_F(ConfigServiceTest, ADeleteAnswersTheTombstone) {
  const v1::SetKeyResponse set = Set("k", "a");
  const v1::DeleteKeyResponse deleted = Delete("k");
  EXPECT_EQ(deleted.outcome(), v1::OUTCOME_OK);
  EXPECT_TRUE(deleted.entry().deleted());
  EXPECT_EQ(deleted.entry().version(), 2u);
  EXPECT_EQ(deleted.entry().epoch(), set.entry().epoch());
  EXPECT_EQ(Get("k").outcome(), v1::OUTCOME_ABSENT);
  EXPECT_NE(Set("k", "a").entry().epoch(), set.entry().epoch());
}

TEST_F(ConfigServiceTest, TheLargestValueGoesThrough) {
  const std::string value(1 << 20, 'v');
  v1::SetKeyRequest request = Setting("k", value);
  request.set_content_type(std::string(255, 't'));
  Set(request);
  EXPECT_EQ(Get("k").entry().value(), value);
  *request.mutable_expect() = v1::KeyVersion();
  EXPECT_EQ(Set(request).entry().value(), value);
  Set("l", value);
  v1::ListKeysRequest listing;
  const v1::ListKeysResponse page = List(listing);
  ASSERT_EQ(page.entries_size(), 1) << "above the bound, or one";
  EXPECT_EQ(page.entries(0).value(), value);
  EXPECT_EQ(page.next_page_token(), "k");
}

TEST_F(ConfigServiceTest, KeysAreListedInPages) {
  for (const char* key : {"b", "a.3", "a.1", "a.2"}) Set(key, "v");
  v1::ListKeysRequest request;
  request.set_prefix("a.");
  request.set_page_size(2);
  v1::ListKeysResponse page = List(request);
  ASSERT_EQ(page.entries_size(), 2);
  EXPECT_EQ(page.entries(0).key(), "a.1");
  EXPECT_EQ(page.entries(1).value(), "v");
  request.set_page_token(page.next_page_token());
  request.set_without_values(true);
  page = List(request);
  ASSERT_EQ(page.entries_size(), 1);
  EXPECT_EQ(page.entries(0).key(), "a.3");
  EXPECT_EQ(page.entries(0).value(), "");
  EXPECT_EQ(page.entries(0).version(), 1u);
  EXPECT_EQ(page.next_page_token(), "");
  EXPECT_EQ(List(v1::ListKeysRequest()).entries_size(), 4);
  request.set_page_token("_x");
  EXPECT_EQ(RefusalOf(kListKeys, request), "INVALID_FIELD page_token");
}

TEST_F(ConfigServiceTest, FieldsAreChecked) {
  EXPECT_EQ(RefusalOf(kSetKey, Setting("_k")), "INVALID_FIELD key");
  EXPECT_EQ(RefusalOf(kSetKey, Setting("k", std::string((1 << 20) + 1, 'v'))),
            "OUT_OF_BOUNDS value");
  v1::SetKeyRequest request = Setting("k");
  request.set_content_type(std::string(256, 't'));
  EXPECT_EQ(RefusalOf(kSetKey, request), "OUT_OF_BOUNDS content_type");
  request = Setting("k");
  request.mutable_expect()->set_version(1);
  EXPECT_EQ(RefusalOf(kSetKey, request), "INVALID_FIELD expect");
  request = Setting("k");
  request.set_session_id("short");
  EXPECT_EQ(RefusalOf(kSetKey, request), "INVALID_FIELD session_id");
  v1::DeleteKeyRequest deleting;
  EXPECT_EQ(RefusalOf(kDeleteKey, deleting), "INVALID_FIELD key");
  deleting.set_key("k");
  deleting.mutable_expect();
  EXPECT_EQ(RefusalOf(kDeleteKey, deleting), "INVALID_FIELD expect");
  v1::GetKeyRequest getting;
  getting.set_key("a..b");
  EXPECT_EQ(RefusalOf(kGetKey, getting), "INVALID_FIELD key");
  for (const char* method : {kSetKey, kGetKey, kDeleteKey, kListKeys, kWatch}) {
    const auto malformed = client().Start(method);
    malformed->Write(std::string_view("\xff\xff\xff"));
    EXPECT_EQ(malformed->EndFault().reason, "MALFORMED") << method;
    const auto nothing = client().Start(method);
    nothing->HalfClose();
    EXPECT_EQ(nothing->EndFault().reason, "OUT_OF_ORDER") << method;
  }
  EXPECT_EQ(broker_->totals().keys, 0u);
}

TEST_F(ConfigServiceTest, TooManyKeysAreRefused) {
  broker_options_.limits.channels_max = 2;
  Serve();
  Set("a", "1");
  Set("b", "1");
  const Fault fault = Start(kSetKey, Setting("c"))->EndFault();
  EXPECT_EQ(fault.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(fault.reason, "TOO_MANY_CHANNELS");
  EXPECT_EQ(fault.details.at("limit"), "2");
}

// Clauses: N40 N3
TEST_F(ConfigServiceTest, X56_AnEphemeralKeyEndsWithItsSession) {
  const auto watch = StartWatching(Watching({}, {""}));
  ReadSnapshot(*watch);
  for (const bool is_lost : {false, true}) {
    std::string session;
    auto keep = Keep(session);
    v1::SetKeyRequest request = Setting("e", "v");
    request.set_session_id(session);
    EXPECT_TRUE(Set(request).entry().ephemeral());
    EXPECT_TRUE(ReadEntry(*watch).ephemeral());
    if (is_lost) {
      keep->Cancel();
    } else {
      keep->HalfClose();
    }
    const v1::Entry tombstone = ReadEntry(*watch);
    EXPECT_TRUE(tombstone.deleted());
    EXPECT_EQ(tombstone.key(), "e");
    const Fault fault = Start(kSetKey, request)->EndFault();
    EXPECT_EQ(fault.code, grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_EQ(fault.reason, "SESSION_GONE");
    EXPECT_EQ(Get("e").outcome(), v1::OUTCOME_ABSENT);
  }
}

// Clauses: N40
TEST_F(ConfigServiceTest, X56_AKeyOutlivesItsSetter) {
  {
    const auto setter = Connect();
    ASSERT_TRUE(setter->Ask<v1::SetKeyResponse>(kSetKey, Setting("k", "v")).ok());
  }
  Eventually([this] { return Live().calls() == 1; });
  EXPECT_EQ(Get("k").entry().value(), "v");
}

// Clauses: N41
TEST_F(ConfigServiceTest, WhileDrainingKeysAreListedAndNothingElse) {
  Set("k", "v");
  StartDrain();
  EXPECT_EQ(List(v1::ListKeysRequest()).entries_size(), 1);
  v1::GetKeyRequest getting;
  getting.set_key("k");
  v1::DeleteKeyRequest deleting;
  deleting.set_key("k");
  for (const Fault& fault :
       {Start(kSetKey, Setting("k"))->EndFault(), Start(kGetKey, getting)->EndFault(),
        Start(kDeleteKey, deleting)->EndFault(), StartWatching(Watching({"k"}))->EndFault()}) {
    EXPECT_EQ(fault.code, grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(fault.reason, "DRAINING");
    EXPECT_TRUE(fault.retry.has_value());
  }
}

}  // namespace
}  // namespace sluice::rpc
