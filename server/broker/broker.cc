// SPDX-License-Identifier: Apache-2.0
#include "broker/broker.h"

#include <utility>

#include "broker/name.h"
#include "broker/random.h"

namespace sluice::broker {
namespace {

constexpr std::string_view kQueueField = "queue";

Status Draining() {
  return Status(Code::kUnavailable, "DRAINING", "the daemon is draining")
      .RetryAfter(std::chrono::seconds(1));
}

Status QueueNotFound(const std::string& name) {
  return Status(Code::kNotFound, "QUEUE_NOT_FOUND", "there is no queue \"" + name + "\"")
      .With("queue", name);
}

Status TooManyChannels(std::uint64_t limit) {
  return Status(Code::kResourceExhausted, "TOO_MANY_CHANNELS",
                "there are " + std::to_string(limit) + " channels, which is the most")
      .With("limit", std::to_string(limit));
}

std::string Text(bool value) { return value ? "true" : "false"; }
std::string Text(std::uint64_t value) { return std::to_string(value); }

struct Difference {
  std::string field;
  std::string existing;
  std::string asked;
};

template <class T>
bool Differs(const char* field, T existing, T asked, Difference& difference) {
  if (existing == asked) return false;
  if constexpr (std::is_enum_v<T>) {
    difference = {field, Text(static_cast<std::uint64_t>(existing)),
                  Text(static_cast<std::uint64_t>(asked))};
  } else {
    difference = {field, Text(existing), Text(asked)};
  }
  return true;
}

// N5. The specs are effective. OK: they are the same.
Status CompareSpecs(const std::string& name, const QueueSpec& existing, const QueueSpec& asked) {
  Difference difference;
  const bool differs =
      Differs("spec.capacity", existing.capacity, asked.capacity, difference) ||
      Differs("spec.bytes_max", existing.bytes_max, asked.bytes_max, difference) ||
      Differs("spec.message_bytes_max", std::uint64_t{existing.message_bytes_max},
              std::uint64_t{asked.message_bytes_max}, difference) ||
      Differs("spec.max_in_flight", std::uint64_t{existing.max_in_flight},
              std::uint64_t{asked.max_in_flight}, difference) ||
      Differs("spec.lifetime", existing.lifetime, asked.lifetime, difference) ||
      Differs("spec.close_on_consumer_loss", existing.close_on_consumer_loss,
              asked.close_on_consumer_loss, difference) ||
      Differs("spec.shared", existing.shared, asked.shared, difference) ||
      Differs("spec.durability", existing.durability, asked.durability, difference);
  if (!differs) return Status();
  return Status(Code::kFailedPrecondition, "DECLARED_OTHERWISE",
                "queue \"" + name + "\" is declared with " + difference.field + " " +
                    difference.existing + ", not " + difference.asked)
      .With("queue", name)
      .With("field", difference.field)
      .With("limit", difference.existing)
      .With("value", difference.asked);
}

}  // namespace

Broker::Broker(BrokerOptions options, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      timers_(nullptr),
      sessions_(std::make_shared<Sessions>(clock, timers_, options_.limits)) {}

Broker::~Broker() = default;

Result<Broker::Declared> Broker::DeclareQueue(const std::string& name, const QueueSpec& spec) {
  if (Status status = CheckName(kQueueField, name); !status.ok()) return status;
  Result<QueueSpec> effective = Effective(spec, options_.limits);
  if (!effective.ok()) return effective.error();
  const auto fresh = Queue::Create(name, *effective, RandomNumber(), clock_, timers_);
  std::shared_ptr<Queue> existing;
  {
    MutexLock lock(mutex_);
    if (is_draining_) return Draining();
    const auto it = queues_.find(name);
    if (it == queues_.end() && queues_.size() >= options_.limits.channels_max) DropEnded();
    if (it == queues_.end() && queues_.size() >= options_.limits.channels_max) {
      return TooManyChannels(options_.limits.channels_max);
    }
    std::shared_ptr<Queue>& place = queues_[name];
    if (place == nullptr || place->has_ended()) {
      existing = std::exchange(place, fresh);  // let go after the lock
      return Declared{fresh, true};
    }
    existing = place;
  }
  Status status = CompareSpecs(name, existing->spec(), *effective);
  if (!status.ok()) return status;
  return Declared{std::move(existing), false};
}

// An ended queue answers Describe until its name is wanted for another; or the room is.
void Broker::DropEnded() {
  std::erase_if(queues_, [](const auto& entry) { return entry.second->has_ended(); });
}

Result<std::shared_ptr<Queue>> Broker::LookUpQueue(const std::string& name) const {
  {
    MutexLock lock(mutex_);
    const auto it = queues_.find(name);
    if (it != queues_.end() && !it->second->is_deleted()) return it->second;
  }
  if (Status status = CheckName(kQueueField, name); !status.ok()) return status;
  return QueueNotFound(name);
}

Result<std::shared_ptr<Queue>> Broker::FindQueue(const std::string& name) {
  Result<std::shared_ptr<Queue>> found = LookUpQueue(name);
  if (found.ok() || !options_.auto_declare || found.error().code() != Code::kNotFound) return found;
  Result<Declared> declared = DeclareQueue(name, QueueSpec());
  if (declared.ok()) return std::move(declared->queue);
  // Somebody declared it in between, otherwise.
  found = LookUpQueue(name);
  if (found.ok()) return found;
  return std::move(declared).error();
}

Result<std::shared_ptr<Queue>> Broker::OpenQueue(const std::string& name,
                                                 const std::optional<QueueSpec>& spec) {
  if (!spec.has_value()) return FindQueue(name);
  Result<Declared> declared = DeclareQueue(name, *spec);
  if (!declared.ok()) return std::move(declared).error();
  return std::move(declared->queue);
}

Result<std::uint64_t> Broker::DeleteQueue(const std::string& name) {
  if (Status status = CheckName(kQueueField, name); !status.ok()) return status;
  std::shared_ptr<Queue> queue;
  {
    MutexLock lock(mutex_);
    const auto it = queues_.find(name);
    if (it == queues_.end() || it->second->is_deleted()) return QueueNotFound(name);
    queue = std::move(it->second);
    queues_.erase(it);
  }
  return queue->Delete(ClosedReason::kDeleted);
}

std::vector<std::shared_ptr<Queue>> Broker::ListQueues(const std::string& prefix,
                                                       const std::string& after,
                                                       std::size_t count) const {
  std::vector<std::shared_ptr<Queue>> list;
  MutexLock lock(mutex_);
  auto it = after < prefix ? queues_.lower_bound(prefix) : queues_.upper_bound(after);
  for (; it != queues_.end() && list.size() < count; ++it) {
    if (!it->first.starts_with(prefix)) break;
    if (!it->second->is_deleted()) list.push_back(it->second);
  }
  return list;
}

std::vector<std::shared_ptr<Queue>> Broker::AllQueues() const {
  return ListQueues("", "", ~std::size_t{0});
}

Broker::Totals Broker::totals() const {
  Totals totals;
  totals.sessions = sessions_->count();
  for (const auto& queue : AllQueues()) {
    const QueueStats stats = queue->Describe();
    ++totals.queues;
    totals.waiting_sends += stats.waiting_sends;
    totals.waiting_receives += stats.waiting_receives;
    totals.leases += stats.leases;
    totals.in_flight += stats.in_flight;
    totals.depth += stats.depth;
    totals.retained_bytes += stats.retained_bytes;
    totals.producers += stats.producers;
    totals.consumers += stats.consumers;
  }
  return totals;
}

void Broker::StartDrain() {
  {
    MutexLock lock(mutex_);
    is_draining_ = true;  // under the lock: no declaration slips in behind the list
  }
  for (const auto& queue : AllQueues()) queue->Close(ClosedReason::kShuttingDown);
}

bool Broker::is_draining() const noexcept { return is_draining_; }

bool Broker::is_drained() const {
  for (const auto& queue : AllQueues()) {
    const QueueStats stats = queue->Describe();
    if (stats.consumers > 0 && stats.depth + stats.in_flight > 0) return false;
  }
  return true;
}

std::vector<Broker::Lost> Broker::FinishDrain() {
  std::vector<Lost> lost;
  for (const auto& queue : AllQueues()) {
    const std::uint64_t messages = queue->Delete(ClosedReason::kShuttingDown);
    if (messages > 0) lost.push_back({queue->name(), messages});
  }
  sessions_->EndAll();
  return lost;
}

}  // namespace sluice::broker
