// SPDX-License-Identifier: Apache-2.0
// Metric families being filled, in the order in which they are begun. A name is begun once.
#pragma once

#include <prometheus/metric_family.h>

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/time_histogram.h"

namespace sluice::admin {

using Labels = std::vector<prometheus::ClientMetric::Label>;

// One family: Add gives it a series. Refers to its Families.
class Family {
 public:
  explicit Family(prometheus::MetricFamily& family) : family_(&family) {}

  template <class Number>
  Family& Add(Labels labels, Number value) {
    return Put(std::move(labels), static_cast<double>(value));
  }
  template <class Number>
  Family& Add(Number value) {
    return Put({}, static_cast<double>(value));
  }
  Family& Add(Labels labels, const TimeBuckets& buckets);

 private:
  Family& Put(Labels labels, double value);

  prometheus::MetricFamily* family_;
};

class Families {
 public:
  Family Counter(std::string name, std::string help);
  Family Gauge(std::string name, std::string help);
  Family Histogram(std::string name, std::string help);
  std::vector<prometheus::MetricFamily> Take() &&;

 private:
  Family Begin(std::string name, std::string help, prometheus::MetricType type);

  std::deque<prometheus::MetricFamily> families_;
};

// --- tables of families: what each is called, means, and is read from ---
template <class Counts>
struct CounterOf {
  const char* name;
  const char* help;
  std::uint64_t Counts::*count;
};
template <class Stats>
struct GaugeOf {
  const char* name;
  const char* help;
  double (*of)(const Stats&);
};
// Of one family, by the value of its one label.
template <class Counts>
struct LabelledOf {
  const char* label;
  std::uint64_t Counts::*count;
};

template <class Counts, std::size_t kSize>
void AddCounters(const CounterOf<Counts> (&table)[kSize], const Counts& counts, Families& out) {
  for (const auto& one : table) out.Counter(one.name, one.help).Add(counts.*one.count);
}
// The sums over all.
template <class Stats, std::size_t kSize>
void AddSums(const GaugeOf<Stats> (&table)[kSize], const std::vector<Stats>& all, Families& out) {
  for (const auto& one : table) {
    double sum = 0;
    for (const Stats& stats : all) sum += one.of(stats);
    out.Gauge(one.name, one.help).Add(sum);
  }
}
template <class Counts, std::size_t kSize>
void AddLabelled(const LabelledOf<Counts> (&table)[kSize], const std::string& label,
                 const Counts& counts, Family family) {
  for (const auto& one : table) family.Add({{label, one.label}}, counts.*one.count);
}

}  // namespace sluice::admin
