// SPDX-License-Identifier: Apache-2.0
// The daemon's parts put together, without a process of their own.
#include "server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/mutex.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;

Options OnAFreePort() {
  Options options;
  options.listen = "127.0.0.1:0";
  options.http = "127.0.0.1:0";
  options.grpc_queues = 1;
  return options;
}

void Ignore(milliseconds) {}

// Waits the time out, as the daemon does, and is never impatient.
bool Pause(milliseconds time) {
  Mutex mutex;
  CondVar never;
  MutexLock lock(mutex);
  const TimePoint deadline = SystemClock().Now() + time;
  while (never.WaitUntil(mutex, deadline)) {
  }
  return false;
}

TEST(Server, ServesOnTheFreePortItTook) {
  Server server(OnAFreePort(), Ignore);
  ASSERT_TRUE(server.Start().ok());
  EXPECT_GT(server.port(), 0);
  EXPECT_GT(server.http_port(), 0);
  EXPECT_LE(server.port(), 65'535);
}

TEST(Server, APortThatIsTakenIsToldBeforeAnythingRuns) {
  Server first(OnAFreePort(), Ignore);
  ASSERT_TRUE(first.Start().ok());
  Options same = OnAFreePort();
  same.listen = "127.0.0.1:" + std::to_string(first.port());
  Server second(same, Ignore);
  const Status started = second.Start();
  EXPECT_EQ(started.reason(), "CANNOT_LISTEN");
  EXPECT_THAT(started.message(), ::testing::HasSubstr(same.listen));
}

TEST(Server, AnAddressThatIsNoneIsTold) {
  Options options = OnAFreePort();
  options.listen = "not an address";
  Server server(options, Ignore);
  EXPECT_EQ(server.Start().reason(), "CANNOT_LISTEN");
}

TEST(Server, IsReadyFromStartToDrain) {
  Server server(OnAFreePort(), Ignore);
  EXPECT_FALSE(server.liveness().is_ready());
  ASSERT_TRUE(server.Start().ok());
  EXPECT_TRUE(server.liveness().is_ready());
  server.Drain(milliseconds(0), Pause);
  EXPECT_FALSE(server.liveness().is_ready());
  EXPECT_TRUE(server.liveness().is_alive());
}

TEST(Server, AsksItselfInRounds) {
  Options options = OnAFreePort();
  options.probe_interval = milliseconds(20);
  Server server(options, Ignore);
  ASSERT_TRUE(server.Start().ok());
  const auto answered = [&server] {
    const Liveness::Counts counts = server.liveness().counts();
    return counts.rounds - counts.missed;
  };
  for (int i = 0; i < 3'000 && answered() < 3; ++i) Pause(milliseconds(20));
  EXPECT_GE(answered(), 3u);
}

TEST(Server, TheBoundOfADrainIsBeyondItsWaits) {
  Options options = OnAFreePort();
  options.drain_delay = milliseconds(5'000);
  options.drain_grace = milliseconds(8'000);
  const Server server(options, Ignore);
  EXPECT_EQ(server.DrainBound(milliseconds(-1)), milliseconds(25'000));
  EXPECT_EQ(server.DrainBound(milliseconds(100)), milliseconds(17'100));
}

// With nothing to drain the grace is not waited for, however long it is.
TEST(Server, DrainsAtOnceWhenThereIsNothingToDrain) {
  Server server(OnAFreePort(), Ignore);
  ASSERT_TRUE(server.Start().ok());
  const TimePoint begin = SystemClock().Now();
  server.Drain(std::chrono::hours(1), Pause);
  EXPECT_LT(SystemClock().Now() - begin, std::chrono::minutes(1));
}

TEST(Server, TheDelayIsWaitedForUnlessSomebodyIsImpatient) {
  Options options = OnAFreePort();
  options.drain_delay = milliseconds(30);
  Server patient(options, Ignore);
  ASSERT_TRUE(patient.Start().ok());
  const TimePoint begin = SystemClock().Now();
  patient.Drain(milliseconds(-1), Pause);
  EXPECT_GE(SystemClock().Now() - begin, milliseconds(30));

  options.drain_delay = std::chrono::hours(1);
  Server impatient(options, Ignore);
  ASSERT_TRUE(impatient.Start().ok());
  impatient.Drain(milliseconds(-1), [](milliseconds) { return true; });
}

}  // namespace
}  // namespace sluice
