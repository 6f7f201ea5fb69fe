// SPDX-License-Identifier: Apache-2.0
#include "rpc/unread.h"

#include <algorithm>

#include "rpc/limits.h"

namespace sluice::rpc {
namespace {

// A burst of calls that have come and not begun.
constexpr std::uint64_t kBurstBytes = 4u << 20;
// A window, and a frame of which a part has come.
constexpr std::uint64_t kCallUnreadBytes = (1u << 20) + kRequestFrameBytesMax;
// One frame over our limit may come whole, to be refused by name.
constexpr std::uint64_t kOneMoreBytes = static_cast<std::uint64_t>(kTransportFrameBytesMax);
// Without progress for so long, and with so much work done: a daemon that is starved of its
// processor does not blame its clients.
constexpr Duration kPatience = std::chrono::milliseconds(200);
constexpr Duration kWork = std::chrono::milliseconds(75);
// Large messages come in one go, before the first of their calls begins. They cost little to take:
// headers cost ten times as much.
constexpr Duration kWorkPerMiB = std::chrono::milliseconds(4);
constexpr std::uint64_t kLargeMiBMax = 64;
// So much more is a hoard at once.
constexpr std::uint64_t kHoardBytes = std::uint64_t{96} << 20;
// A daemon that has no work and looked so often has had its chance to begin and to read.
constexpr int kLooksMax = 600;
// What pings and their answers may bring a second, over weeks in which nothing else comes.
constexpr std::uint64_t kIdleBytesPerSecond = 40;

}  // namespace

bool UnreadJudge::Look(const Traffic& traffic, std::uint64_t taken, TimePoint now,
                       Duration worked) noexcept {
  const std::uint64_t known = traffic.known_.load(std::memory_order_relaxed);
  const std::uint64_t ended = traffic.ended_.load(std::memory_order_relaxed);
  const std::uint64_t progress = traffic.progress_.load(std::memory_order_relaxed);
  const std::uint64_t open = traffic.open_.load(std::memory_order_relaxed);
  taken = std::max(taken, taken_);  // two figures of a busy connection may disagree
  unread_ += taken - taken_;
  unread_ -= std::min(unread_, known - known_);
  // Bytes under way to a call that ends are dropped. They come within a moment of its end.
  forgivable_ -= forgivable_ / 4;
  forgivable_ += (ended - ended_) * kCallUnreadBytes;
  const std::uint64_t forgiven = std::min(unread_, forgivable_);
  unread_ -= forgiven;
  forgivable_ -= forgiven;
  // Whole seconds alone, or the rest of each would be forgotten.
  if (looked_ == TimePoint()) looked_ = now;
  const auto idle = std::chrono::duration_cast<std::chrono::seconds>(now - looked_);
  unread_ -= std::min(unread_, static_cast<std::uint64_t>(idle.count()) * kIdleBytesPerSecond);
  looked_ += idle;
  taken_ = taken;
  known_ = known;
  ended_ = ended;

  const std::uint64_t allowed =
      kBurstBytes + (open == 0 ? 0 : kOneMoreBytes) + open * kCallUnreadBytes;
  if (unread_ <= allowed) {
    is_suspicious_ = false;
    return false;
  }
  if (unread_ > allowed + kHoardBytes) return true;
  if (!is_suspicious_ || progress != progress_) {
    is_suspicious_ = true;
    looks_ = 0;
    progress_ = progress;
    since_ = now;
    worked_since_ = worked;
    return false;
  }
  const auto work =
      kWork + kWorkPerMiB * static_cast<Duration::rep>(std::min(unread_ >> 20, kLargeMiBMax));
  return ++looks_ >= kLooksMax || (now - since_ >= kPatience && worked - worked_since_ >= work);
}

}  // namespace sluice::rpc
