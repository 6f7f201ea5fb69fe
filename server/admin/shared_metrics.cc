// SPDX-License-Identifier: Apache-2.0
// What channels of all kinds share.
#include "admin/metrics.h"

namespace sluice::admin {
namespace {

template <class Channel>
std::uint64_t RetainedBytes(const Survey<Channel>& survey) {
  std::uint64_t bytes = 0;
  for (const auto& stats : survey.channels) bytes += stats.retained_bytes;
  return bytes;
}

std::int64_t Difference(std::uint64_t left, std::uint64_t right) {
  return static_cast<std::int64_t>(left - right);
}

// Everything that came in went out or is there. One instant of each channel, so: exactly.
std::int64_t Imbalance(const Survey<broker::Queue>& queues) {
  const broker::QueueCounts& counts = queues.counts;
  std::uint64_t found = counts.settled + counts.purged + counts.deleted;
  for (const broker::QueueStats& queue : queues.channels) found += queue.depth + queue.in_flight;
  return Difference(counts.accepted, found);
}

std::int64_t Imbalance(const Survey<broker::Topic>& topics) {
  std::uint64_t found = topics.counts.overwritten;
  for (const broker::TopicStats& topic : topics.channels) found += topic.depth;
  return Difference(topics.counts.accepted, found);
}

std::int64_t Imbalance(const Survey<broker::Responder>& responders) {
  const broker::ResponderCounts& counts = responders.counts;
  std::uint64_t found = counts.answered + counts.failed + counts.responder_gone +
                        counts.no_responder + counts.too_large + counts.timed_out +
                        counts.cancelled + counts.closed;
  for (const broker::ResponderStats& responder : responders.channels) {
    found += responder.depth + responder.in_flight;
  }
  return Difference(counts.accepted, found);
}

}  // namespace

void AddSharedMetrics(const Sources& sources, const Surveys& surveys, Families& out) {
  broker::Broker& broker = sources.broker;
  const broker::ConfigStats config = broker.config()->Describe();
  const broker::SessionStats sessions = broker.sessions().Describe();
  AddConfigMetrics(config, out);
  AddSessionMetrics(sessions, broker.limits().sessions_max, out);

  out.Gauge("sluice_conservation_imbalance",
            "What came in less what went out and what is there: anything but 0 is a bug.")
      .Add({{"kind", "queue"}}, Imbalance(surveys.queues))
      .Add({{"kind", "topic"}}, Imbalance(surveys.topics))
      .Add({{"kind", "request"}}, Imbalance(surveys.responders))
      .Add({{"kind", "config"}},
           Difference(config.counts.keys_created, config.counts.keys_deleted + config.keys))
      .Add({{"kind", "sessions"}}, Difference(sessions.opened, sessions.ended + sessions.kept));

  out.Gauge("sluice_channels", "Named channels of all kinds, config keys included.")
      .Add(broker.channels());
  out.Gauge("sluice_channels_max", "The most channels.").Add(broker.limits().channels_max);
  out.Gauge("sluice_retained_bytes", "Bytes retained by channels of all kinds.")
      .Add(RetainedBytes(surveys.queues) + RetainedBytes(surveys.topics) +
           RetainedBytes(surveys.responders) + config.retained_bytes);
  out.Gauge("sluice_draining", "1: the daemon goes down.").Add(broker.is_draining() ? 1 : 0);

  const broker::MemoryBudget::Snapshot memory = broker.memory().snapshot();
  out.Gauge("sluice_memory_used_bytes", "Bytes that channels retain, of the limit.")
      .Add(memory.used);
  out.Gauge("sluice_memory_limit_bytes", "The most bytes that all channels together may retain.")
      .Add(memory.limit);
  out.Counter("sluice_memory_refused_total", "Messages, calls and sets refused for want of memory.")
      .Add(memory.refused);
  out.Gauge("sluice_memory_waiting_bytes", "Bytes of frames that wait in line for room.")
      .Add(memory.waiting);
  out.Gauge("sluice_memory_waiting_limit_bytes", "The most bytes of such frames.")
      .Add(memory.waiting_max);
  out.Gauge("sluice_memory_waiting_channels", "Channels whose line waits for memory.")
      .Add(memory.waiting_channels);
}

}  // namespace sluice::admin
