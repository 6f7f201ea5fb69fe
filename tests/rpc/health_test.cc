// SPDX-License-Identifier: Apache-2.0
#include "rpc/health.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

namespace sluice::rpc {
namespace {

class Counter final : public broker::Notifier {
 public:
  void Notify() noexcept override { ++count; }
  int count = 0;
};

TEST(Health, KnowsTheDaemonAndItsServices) {
  EXPECT_TRUE(Health::IsKnown(""));
  EXPECT_TRUE(Health::IsKnown("sluice.v1.QueueService"));
  EXPECT_TRUE(Health::IsKnown("sluice.v1.RequestService"));
  EXPECT_TRUE(Health::IsKnown("sluice.v1.TopicService"));
  EXPECT_TRUE(Health::IsKnown("sluice.v1.ConfigService"));
  EXPECT_TRUE(Health::IsKnown("sluice.v1.SessionService"));
  EXPECT_TRUE(Health::IsKnown("sluice.v1.AdminService"));
  EXPECT_FALSE(Health::IsKnown("sluice.v1.Queue"));
  EXPECT_FALSE(Health::IsKnown("sluice.v1.QueueService "));
  EXPECT_FALSE(Health::IsKnown("grpc.health.v1.Health"));
}

// Whoever restarts what is dead must not take a drain for it.
TEST(Health, AliveAndReadyAreTwoThings) {
  Health health;
  EXPECT_TRUE(Health::IsKnown("liveness"));
  const auto told = [&health] {
    return std::pair(health.is_serving(""), health.is_serving("liveness"));
  };
  EXPECT_EQ(told(), std::pair(false, true));
  health.SetServing(true);
  EXPECT_EQ(told(), std::pair(true, true));
  const auto watcher = std::make_shared<Counter>();
  health.Watch(watcher);
  health.SetAlive(false);
  EXPECT_EQ(told(), std::pair(false, false));
  health.SetServing(false);
  health.SetAlive(true);
  EXPECT_EQ(told(), std::pair(false, true));
  EXPECT_EQ(watcher->count, 3);
}

TEST(Health, TellsEachChangeOnce) {
  Health health;
  EXPECT_FALSE(health.is_serving());
  const auto watcher = std::make_shared<Counter>();
  health.Watch(watcher);
  health.SetServing(false);  // as it was
  EXPECT_EQ(watcher->count, 0);
  health.SetServing(true);
  health.SetServing(true);
  EXPECT_EQ(watcher->count, 1);
  EXPECT_TRUE(health.is_serving());
  health.SetServing(false);
  EXPECT_EQ(watcher->count, 2);
}

TEST(Health, AWatcherThatIsGoneIsForgotten) {
  Health health;
  auto gone = std::make_shared<Counter>();
  const auto stays = std::make_shared<Counter>();
  health.Watch(gone);
  const std::weak_ptr<Counter> watch = gone;
  gone.reset();
  EXPECT_TRUE(watch.expired());  // nobody keeps it
  health.Watch(stays);
  health.SetServing(true);
  EXPECT_EQ(stays->count, 1);
}

}  // namespace
}  // namespace sluice::rpc
