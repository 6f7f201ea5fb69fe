// SPDX-License-Identifier: Apache-2.0
#include "admin/metrics_page.h"

#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>

#include <utility>

#include "admin/metrics.h"
#include "broker/config_entry.h"
#include "broker/refusals.h"

namespace sluice::admin {
namespace {

constexpr char kContentType[] = "text/plain; version=0.0.4; charset=utf-8";

Moment MomentOf(const Sources& sources) {
  return {sources.clock.Now(), sources.clock.UnixMicros()};
}

class Daemon final : public prometheus::Collectable {
 public:
  explicit Daemon(const Sources& sources) : sources_(sources) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    broker::Broker& broker = sources_.broker;
    const Surveys surveys{.moment = MomentOf(sources_),
                          .queues = SurveyOf<broker::Queue>(broker.queues()),
                          .topics = SurveyOf<broker::Topic>(broker.topics()),
                          .responders = SurveyOf<broker::Responder>(broker.responders())};
    Families out;
    AddProcessMetrics(sources_, out);
    AddRpcMetrics(sources_, surveys.moment, out);
    AddConnectionMetrics(sources_, out);
    AddSharedMetrics(sources_, surveys, out);
    AddQueueMetrics(surveys.queues, surveys.moment, out);
    AddTopicMetrics(surveys.topics, broker.topics().patterns(), surveys.moment, out);
    AddRequestMetrics(surveys.responders, out);
    AddBusiest(surveys, sources_.metrics_channels, out);
    return std::move(out).Take();
  }

 private:
  const Sources& sources_;
};

// Of those that are asked for: at most one more than may be shown.
template <class Channel>
Survey<Channel> Asked(const broker::Registry<Channel>& registry, const MetricsQuery& query) {
  Survey<Channel> survey;
  if (!query.channel.empty()) {
    const auto channel = registry.LookUp(query.channel);
    if (channel) survey.channels.push_back((*channel)->Describe());
  } else {
    for (const auto& channel : registry.List(query.prefix, "", kMetricsChannelsMax + 1)) {
      survey.channels.push_back(channel->Describe());
    }
  }
  survey.named = survey.channels.size();
  return survey;
}

Result<std::string> Selected(const Sources& sources, const MetricsQuery& query) {
  broker::Broker& broker = sources.broker;
  const Surveys surveys{.moment = MomentOf(sources),
                        .queues = Asked<broker::Queue>(broker.queues(), query),
                        .topics = Asked<broker::Topic>(broker.topics(), query),
                        .responders = Asked<broker::Responder>(broker.responders(), query)};
  const std::size_t count = surveys.queues.named + surveys.topics.named + surveys.responders.named;
  if (count == 0 && !query.channel.empty()) {
    return broker::ChannelNotFound("channel", query.channel);
  }
  if (count > kMetricsChannelsMax) {
    return OutOfBounds("prefix", "the most channels on a page", kMetricsChannelsMax, count);
  }
  Families out;
  AddEach(surveys, out);
  return prometheus::TextSerializer().Serialize(std::move(out).Take());
}

}  // namespace

Result<MetricsQuery> MetricsQueryOf(const Target& target) {
  MetricsQuery query{target.Text("channel"), target.Text("prefix")};
  if (!query.channel.empty() && !query.prefix.empty()) {
    return InvalidField("prefix", "it is given beside channel: one of them is enough");
  }
  if (Status status = broker::CheckPrefix("prefix", query.prefix); !status.ok()) return status;
  if (Status status = broker::CheckPrefix("channel", query.channel); !status.ok()) return status;
  return query;
}

Result<std::string> MetricsPage(const Sources& sources, const MetricsQuery& query) {
  if (!query.channel.empty() || !query.prefix.empty()) return Selected(sources, query);
  return prometheus::TextSerializer().Serialize(Daemon(sources).Collect());
}

void AddMetricsPage(const Sources& sources, Router& router) {
  router.Add("/metrics", {.handler =
                              [&sources](const Request& request) {
                                const auto query = MetricsQueryOf(request.target);
                                if (!query) return Refusal(query.error());
                                auto page = MetricsPage(sources, *query);
                                if (!page) return Refusal(page.error());
                                return Response{200, kContentType, *std::move(page)};
                              },
                          .parameters = {"channel", "prefix"}});
}

}  // namespace sluice::admin
