// SPDX-License-Identifier: Apache-2.0
// Gets that wait for a value.
#include "tests/broker/config_fixture.h"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;
using Kind = KeyCondition::Kind;

class ConfigWait : public ConfigFixture {
 protected:
  static KeyCondition Exists() { return KeyCondition(); }
  static KeyCondition Above(KeyVersion version) {
    return {.kind = Kind::kVersionAbove, .above = version, .equals = ""};
  }
  static KeyCondition Equals(std::string value) {
    return {.kind = Kind::kEquals, .above = KeyVersion(), .equals = std::move(value)};
  }
  void ExpectNothingLeft() {
    EXPECT_EQ(config->Describe().waiting_gets, 0u);
    EXPECT_EQ(Get("k").watchers, 0u);
  }
};

// Clauses: N39 W17
TEST_F(ConfigWait, X57_WhatHoldsAlreadyAnswersAtOnce) {
  const KeyVersion first = VersionOf(Set("k", "a"));
  const KeyVersion second = VersionOf(Set("k", "b"));
  for (const KeyCondition& condition :
       {Exists(), Above(first), Above(KeyVersion()), Above({first.epoch + 1, 9}), Equals("b")}) {
    Getting getting;
    Wait(getting, "k", condition, 1h);
    ASSERT_TRUE(Look(getting));
    EXPECT_EQ(getting.answer.outcome, Outcome::kOk);
    EXPECT_EQ(VersionOf(getting.answer), second);
    EXPECT_EQ(getting.answer.watchers, 0u) << "not this call";
    EXPECT_EQ(getting.told->count, 0) << "it has been answered";
  }
  ExpectNothingLeft();
}

// Clauses: N39
TEST_F(ConfigWait, X57_ElseTheFirstSetThatFulfilsIt) {
  const KeyVersion first = VersionOf(Set("k", "a"));
  Getting above, equals;
  Wait(above, "k", Above(first), 1h);
  Wait(equals, "k", Equals("c"), 1h);
  EXPECT_FALSE(Look(above) || Look(equals));
  EXPECT_EQ(Get("k").watchers, 2u) << "who waits watches";
  EXPECT_EQ(Set("other", "c").watchers, 0u);
  EXPECT_EQ(Set("k", "b").watchers, 2u);
  ASSERT_TRUE(Look(above));
  EXPECT_EQ(above.told->count, 1);
  EXPECT_EQ(above.answer.entry->value, "b");
  EXPECT_FALSE(Look(equals));
  Set("k", "c");
  ASSERT_TRUE(Look(equals));
  EXPECT_EQ(equals.answer.outcome, Outcome::kOk);
  EXPECT_EQ(equals.answer.entry->version, 3u);
  ExpectNothingLeft();
}

// Clauses: N39 W11
TEST_F(ConfigWait, AnAbsentKeyIsWaitedFor) {
  Getting exists, above, equals;
  Wait(exists, "k", Exists(), 1h);
  Wait(above, "k", Above(KeyVersion()), 1h);
  Wait(equals, "k", Equals(""), 1h);
  EXPECT_FALSE(Look(exists) || Look(above) || Look(equals)) << "absent fulfils none";
  SetOptions options;
  options.key = "k";
  options.require_watchers = true;
  EXPECT_EQ(Set(options).outcome, Outcome::kOk);
  EXPECT_TRUE(Look(exists) && Look(above) && Look(equals));
  ExpectNothingLeft();
}

// Clauses: N37 N39
TEST_F(ConfigWait, AnotherLifeIsAboveAndADeleteIsNot) {
  const KeyVersion old = VersionOf(Set("k", "a"));
  Set("k", "b");
  Getting getting;
  Wait(getting, "k", Above({old.epoch, 5}), 1h);
  Delete("k");
  EXPECT_FALSE(Look(getting));
  Set("k", "c");
  ASSERT_TRUE(Look(getting));
  EXPECT_EQ(getting.answer.entry->version, 1u);
}

// The answer is the value that was found to fulfil the condition, not a newer one.
// Clauses: W19 N39
TEST_F(ConfigWait, TheAnswerIsTheValueThatWasJudged) {
  Getting getting;
  Wait(getting, "k", Equals("yes"), 1h);
  Set("k", "no");
  Set("k", "yes");
  Set("k", "late");
  Delete("k");
  ASSERT_TRUE(Look(getting));
  EXPECT_EQ(getting.answer.entry->value, "yes");
  EXPECT_EQ(getting.answer.entry->version, 2u);
}

// Clauses: N39
TEST_F(ConfigWait, X57_AWaitThatElapsesLeavesNothingBehind) {
  Set("k", "a");
  Getting there, absent, at_once;
  Wait(there, "k", Equals("b"), 50ms);
  Wait(absent, "nothing", Exists(), 80ms);
  Wait(at_once, "k", Equals("b"), 0ms);
  ASSERT_TRUE(Look(at_once));
  EXPECT_EQ(at_once.answer.outcome, Outcome::kTimedOut);
  EXPECT_EQ(at_once.answer.entry->value, "a");
  EXPECT_EQ(timers.next(), clock.Now() + 50ms);
  Pass(49ms);
  EXPECT_FALSE(Look(there));
  Pass(1ms);
  ASSERT_TRUE(Look(there));
  EXPECT_EQ(there.told->count, 1);
  EXPECT_EQ(there.answer.outcome, Outcome::kTimedOut);
  EXPECT_EQ(there.answer.entry->value, "a") << "what there is";
  EXPECT_EQ(there.answer.watchers, 0u);
  EXPECT_FALSE(Look(absent));
  Pass(30ms);
  ASSERT_TRUE(Look(absent));
  EXPECT_EQ(absent.answer.entry, nullptr);
  ExpectNothingLeft();
  EXPECT_EQ(timers.next(), kNever);
}

// Clauses: N39 W26
TEST_F(ConfigWait, ACancelledWaitLeavesNothingBehind) {
  Getting getting, other;
  Wait(getting, "k", Exists(), 1h);
  Wait(other, "k", Exists(), 1h);
  config->CancelWait(getting.ticket);
  EXPECT_EQ(Get("k").watchers, 1u);
  EXPECT_EQ(getting.told.use_count(), 1) << "its notifier is let go";
  config->CancelWait(getting.ticket);
  Set("k", "a");
  EXPECT_EQ(getting.told->count, 0);
  EXPECT_EQ(other.told->count, 1);
  Wait(getting, "k", Exists(), 1h);
  EXPECT_TRUE(Look(getting)) << "a ticket may be used again";
}

// Clauses: N41
TEST_F(ConfigWait, EveryWaitEndsWhenTheBrokerGoesDown) {
  Set("k", "a");
  Getting getting, late, fulfilled;
  Wait(getting, "nothing", Exists(), 1h);
  config->Close(ClosedReason::kShuttingDown);
  ASSERT_TRUE(Look(getting));
  EXPECT_EQ(getting.told->count, 1);
  EXPECT_EQ(getting.answer.outcome, Outcome::kClosed);
  EXPECT_EQ(getting.answer.reason, ClosedReason::kShuttingDown);
  Wait(late, "nothing", Exists(), 1h);
  ASSERT_TRUE(Look(late));
  EXPECT_EQ(late.answer.outcome, Outcome::kClosed);
  Wait(fulfilled, "k", Exists(), 1h);
  ASSERT_TRUE(Look(fulfilled));
  EXPECT_EQ(fulfilled.answer.outcome, Outcome::kOk);
  ExpectNothingLeft();
}

TEST_F(ConfigWait, ConditionsAreChecked) {
  Getting getting;
  const auto field_of = [&](const std::string& key, const KeyCondition& condition) {
    const Status status = config->Wait(getting.ticket, key, condition, kNever, getting.told);
    EXPECT_EQ(status.code(), Code::kInvalidArgument);
    return status.details().empty() ? "" : status.details()[0].second;
  };
  EXPECT_EQ(field_of("_k", Exists()), "key");
  EXPECT_EQ(field_of("k", Above({0, 1})), "version_above");
  EXPECT_EQ(field_of("k", Above({1, 0})), "version_above");
  EXPECT_EQ(field_of("k", Equals(std::string(kValueBytesMax + 1, 'v'))), "equals");
  ExpectNothingLeft();
}

}  // namespace
}  // namespace sluice::broker
