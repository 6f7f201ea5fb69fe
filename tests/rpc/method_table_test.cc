// SPDX-License-Identifier: Apache-2.0
#include "rpc/method_table.h"

#include <gtest/gtest.h>

#include "broker/refusals.h"
#include "rpc/call.h"

namespace sluice::rpc {
namespace {

TEST(MethodTable, FindsByTheWholeName) {
  MethodTable methods;
  methods.Add("/a.B/C", {.make = {}, .is_stream = true, .is_served_while_draining = false});
  methods.Add("/a.B/D", {.make = {}, .is_stream = false, .is_served_while_draining = true});
  ASSERT_NE(methods.Find("/a.B/C"), nullptr);
  EXPECT_TRUE(methods.Find("/a.B/C")->is_stream);
  EXPECT_FALSE(methods.Find("/a.B/C")->is_served_while_draining);
  ASSERT_NE(methods.Find("/a.B/D"), nullptr);
  EXPECT_FALSE(methods.Find("/a.B/D")->is_stream);
  EXPECT_TRUE(methods.Find("/a.B/D")->is_served_while_draining);
  EXPECT_EQ(methods.Find("/a.B/E"), nullptr);
  EXPECT_EQ(methods.Find("a.B/C"), nullptr);
  EXPECT_EQ(methods.Find("/a.b/c"), nullptr);
  EXPECT_EQ(methods.Find(""), nullptr);
}

TEST(MethodTable, DrainsOnceAndForAll) {
  MethodTable methods;
  EXPECT_FALSE(methods.is_draining());
  methods.StartDrain();
  methods.StartDrain();
  EXPECT_TRUE(methods.is_draining());
}

TEST(MethodTable, WhoIsRefusedIsToldToTryAgain) {
  const Status status = broker::Draining();
  EXPECT_EQ(status.code(), Code::kUnavailable);
  EXPECT_EQ(status.reason(), "DRAINING");
  EXPECT_GT(status.retry_delay().count(), 0);
}

}  // namespace
}  // namespace sluice::rpc
