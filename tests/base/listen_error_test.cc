// SPDX-License-Identifier: Apache-2.0
#include "base/listen_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace sluice {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(ListenError, EachReasonTellsWhatToDo) {
  const auto why = [](int error) { return WhyCannotListen(error, "192.0.2.1:80"); };
  for (const int error : {EADDRINUSE, EADDRNOTAVAIL, EACCES, EPERM, EMFILE, ENOBUFS}) {
    EXPECT_THAT(why(error), StartsWith("cannot listen on 192.0.2.1:80: "));
    EXPECT_THAT(why(error), Not(HasSubstr("\n")));
  }
  EXPECT_THAT(why(EADDRINUSE), HasSubstr("in use"));
  EXPECT_THAT(why(EADDRNOTAVAIL), HasSubstr("not an address of this machine"));
  EXPECT_THAT(why(EACCES), HasSubstr("CAP_NET_BIND_SERVICE"));
  EXPECT_THAT(why(EMFILE), HasSubstr("LimitNOFILE"));
  EXPECT_THAT(why(ENOBUFS), HasSubstr("buffer"));  // as the system says it
}

}  // namespace
}  // namespace sluice
