// SPDX-License-Identifier: Apache-2.0
#include "rpc/stream_table.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

#include "rpc/connections.h"

namespace sluice::rpc {
namespace {

Status TooMany(std::string_view what, std::uint32_t limit) {
  std::string message("too many open streams ");
  message.append(what).append(": the limit is ").append(std::to_string(limit));
  return Status(Code::kResourceExhausted, "TOO_MANY_STREAMS", std::move(message))
      .With("limit", std::to_string(limit))
      .With("scope", std::string(what))
      .RetryAfter(std::chrono::seconds(1));
}

void CountDown(std::unordered_map<std::string, std::uint32_t>& counts, const std::string& key) {
  const auto it = counts.find(key);
  if (it != counts.end() && --it->second == 0) counts.erase(it);
}

std::uint32_t Most(const std::unordered_map<std::string, std::uint32_t>& counts) {
  std::uint32_t most = 0;
  for (const auto& [key, count] : counts) most = std::max(most, count);
  return most;
}

}  // namespace

Status StreamTable::Add(const std::string& method, const std::string& peer, bool is_stream,
                        TimePoint now, std::shared_ptr<StreamInfo>& info) {
  info = std::make_shared<StreamInfo>();
  info->method = method;
  info->peer = peer;
  info->is_stream = is_stream;
  info->began = now;
  if (own_ != nullptr && own_->Is(peer)) return Status();
  const std::string address(AddressOf(peer));
  MutexLock lock(mutex_);
  std::uint32_t& connection = per_connection_[peer];
  if (connection >= limits_.streams_per_connection_max) {
    info = nullptr;
    return TooMany("on this connection", limits_.streams_per_connection_max);
  }
  ++connection;
  info->is_counted = true;
  if (infos_.size() >= limits_.streams_max) return TooMany("in all", limits_.streams_max);
  std::uint32_t& from_address = per_address_[address];
  if (limits_.streams_per_address_max != 0 && from_address >= limits_.streams_per_address_max) {
    return TooMany("from this address", limits_.streams_per_address_max);
  }
  ++from_address;
  if (is_stream) ++streams_;
  info->id = next_id_++;
  infos_.emplace(info->id, info);
  return Status();
}

void StreamTable::Remove(StreamInfo& info) {
  if (!std::exchange(info.is_counted, false)) return;
  const std::string address(AddressOf(info.peer));
  MutexLock lock(mutex_);
  CountDown(per_connection_, info.peer);
  if (infos_.erase(info.id) == 0) return;  // it was refused
  if (info.is_stream) --streams_;
  CountDown(per_address_, address);
}

void StreamTable::SetChannel(StreamInfo& info, const std::string& channel) {
  info.channel = channel;
  info.has_channel.store(true, std::memory_order_release);
}

std::size_t StreamTable::size() const {
  MutexLock lock(mutex_);
  return infos_.size();
}

std::size_t StreamTable::streams() const {
  MutexLock lock(mutex_);
  return streams_;
}

StreamFigures StreamTable::Figures(TimePoint now) const {
  StreamFigures figures;
  MutexLock lock(mutex_);
  figures.streams = streams_;
  figures.unary = infos_.size() - streams_;
  figures.per_connection = Most(per_connection_);
  figures.per_address = Most(per_address_);
  for (const auto& [id, info] : infos_) {
    const Duration::rep write_began = info->write_began.load(std::memory_order_relaxed);
    if (write_began == 0) continue;
    const Duration stalled = now - TimePoint(Duration(write_began));
    if (stalled <= kStalled) continue;
    ++figures.stalled;
    figures.stalled_max = std::max(figures.stalled_max, stalled);
  }
  return figures;
}

std::vector<StreamView> StreamTable::List(TimePoint now) const {
  std::vector<std::shared_ptr<const StreamInfo>> infos;
  {
    MutexLock lock(mutex_);
    infos.reserve(infos_.size());
    for (const auto& [id, info] : infos_) infos.push_back(info);
  }
  std::vector<StreamView> views;
  views.reserve(infos.size());
  for (const auto& info : infos) {
    const Duration::rep write_began = info->write_began.load(std::memory_order_relaxed);
    views.push_back({
        .id = info->id,
        .method = info->method,
        .peer = info->peer,
        .channel = info->has_channel.load(std::memory_order_acquire) ? info->channel : "",
        .state = info->state.load(std::memory_order_relaxed),
        .age = now - info->began,
        .write_stalled =
            write_began == 0 ? Duration::zero() : now - TimePoint(Duration(write_began)),
        .write_bytes = write_began == 0 ? 0 : info->write_bytes.load(std::memory_order_relaxed),
        .held_messages = info->held_messages.load(std::memory_order_relaxed),
        .credit_messages = info->credit_messages.load(std::memory_order_relaxed),
        .waiting_messages = info->waiting_messages.load(std::memory_order_relaxed),
    });
  }
  std::sort(views.begin(), views.end(), [](const StreamView& a, const StreamView& b) {
    return std::tuple(b.write_stalled, b.age, a.id) < std::tuple(a.write_stalled, a.age, b.id);
  });
  return views;
}

}  // namespace sluice::rpc
