// SPDX-License-Identifier: Apache-2.0
#include "rpc/health.h"

#include <algorithm>
#include <array>

namespace sluice::rpc {

bool Health::IsKnown(std::string_view service) {
  constexpr std::array<std::string_view, 8> kServices = {"",
                                                         "sluice.v1.QueueService",
                                                         "sluice.v1.TopicService",
                                                         "sluice.v1.RequestService",
                                                         "sluice.v1.ConfigService",
                                                         "sluice.v1.SessionService",
                                                         "sluice.v1.AdminService",
                                                         kLiveness};
  return std::find(kServices.begin(), kServices.end(), service) != kServices.end();
}

void Health::Set(std::atomic<bool>& what, bool value) {
  if (what.exchange(value) == value) return;
  broker::Notices notices;
  {
    MutexLock lock(mutex_);
    for (const auto& watcher : watchers_) {
      if (auto alive = watcher.lock()) notices.push_back(std::move(alive));
    }
  }
  for (const auto& notice : notices) notice->Notify();
}

void Health::Watch(const broker::NotifierPtr& watcher) {
  MutexLock lock(mutex_);
  std::erase_if(watchers_, [](const auto& gone) { return gone.expired(); });
  watchers_.push_back(watcher);
}

}  // namespace sluice::rpc
