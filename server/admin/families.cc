// SPDX-License-Identifier: Apache-2.0
#include "admin/families.h"

#include <iterator>
#include <limits>

namespace sluice::admin {

Family& Family::Put(Labels labels, double value) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  if (family_->type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  family_->metric.push_back(std::move(metric));
  return *this;
}

Family& Family::Add(Labels labels, const TimeBuckets& buckets) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < buckets.counts.size(); ++i) {
    count += buckets.counts[i];
    const bool is_last = i == kTimeBuckets.size();
    metric.histogram.bucket.push_back(
        {count, is_last ? std::numeric_limits<double>::infinity()
                        : std::chrono::duration<double>(kTimeBuckets[i]).count()});
  }
  metric.histogram.sample_count = count;
  metric.histogram.sample_sum = buckets.sum_seconds;
  family_->metric.push_back(std::move(metric));
  return *this;
}

Family Families::Begin(std::string name, std::string help, prometheus::MetricType type) {
  families_.push_back({std::move(name), std::move(help), type, {}});
  return Family(families_.back());
}

Family Families::Counter(std::string name, std::string help) {
  return Begin(std::move(name), std::move(help), prometheus::MetricType::Counter);
}

Family Families::Gauge(std::string name, std::string help) {
  return Begin(std::move(name), std::move(help), prometheus::MetricType::Gauge);
}

Family Families::Histogram(std::string name, std::string help) {
  return Begin(std::move(name), std::move(help), prometheus::MetricType::Histogram);
}

std::vector<prometheus::MetricFamily> Families::Take() && {
  return {std::make_move_iterator(families_.begin()), std::make_move_iterator(families_.end())};
}

}  // namespace sluice::admin
