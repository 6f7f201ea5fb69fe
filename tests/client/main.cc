// SPDX-License-Identifier: Apache-2.0
#include <absl/synchronization/mutex.h>
#include <gtest/gtest.h>

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
