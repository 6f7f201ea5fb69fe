// SPDX-License-Identifier: Apache-2.0
// The JSON views: what they show is what the broker says.
#include <gmock/gmock.h>

#include "tests/admin/fixture.h"

namespace sluice::admin {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class ViewsTest : public AdminFixture {
 protected:
  void DeclareQueues(const std::vector<std::string>& names) {
    for (const std::string& name : names) ASSERT_TRUE(broker.queues().Declare(name, {}).ok());
  }
  std::vector<std::string> Names(const nlohmann::json& list) const {
    std::vector<std::string> names;
    for (const auto& item : list) names.push_back(item["name"]);
    return names;
  }
  void Set(const std::string& key, const std::string& value) {
    broker::SetOptions options;
    options.key = key;
    options.value = value;
    ASSERT_TRUE(broker.config()->Set(options).ok());
  }

  using Strings = std::vector<std::string>;
};

TEST_F(ViewsTest, HealthIsOneLine) {
  EXPECT_EQ(Get("/healthz").body, "ok\n");
  EXPECT_EQ(Get("/readyz").body, "ok\n");
  not_ready = "going down";
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_EQ(Get("/readyz").body, "going down\n");
  EXPECT_EQ(Get("/healthz").status, 200);
  not_alive = "worker 1 does not answer";
  EXPECT_EQ(Get("/healthz").status, 503);
  EXPECT_EQ(router.CostOf(*Target::Parse("/healthz")), Cost::kUrgent);
  EXPECT_EQ(router.CostOf(*Target::Parse("/readyz")), Cost::kUrgent);
}

TEST_F(ViewsTest, EveryPageIsListedAndAnswers) {
  const auto pages = Json("/")["pages"];
  for (const std::string page : pages) {
    if (page.ends_with("NAME")) continue;
    EXPECT_EQ(Get(page).status, 200) << page;
  }
  for (const char* page :
       {"/metrics", "/healthz", "/readyz", "/api/v1/queues", "/api/v1/topics", "/api/v1/responders",
        "/api/v1/config", "/api/v1/streams", "/api/v1/sessions", "/api/v1/connections",
        "/api/v1/limits", "/api/v1/info", "/api/v1/queues/NAME"}) {
    EXPECT_THAT(pages, Contains(page));
  }
}

// Clauses: N4
TEST_F(ViewsTest, AQueueByItsName) {
  broker::QueueSpec spec;
  spec.capacity = 3;
  spec.shared = true;
  const auto declared = broker.queues().Declare("jobs/eu.1", spec);
  ASSERT_TRUE(declared.ok());
  for (const char* path : {"/api/v1/queues/jobs/eu.1", "/api/v1/queues/jobs%2Feu.1"}) {
    const auto queue = Json(path);
    EXPECT_EQ(queue["name"], "jobs/eu.1");
    EXPECT_EQ(queue["state"], "OPEN");
    EXPECT_EQ(queue["epoch"], declared->channel->epoch());
    EXPECT_EQ(queue["spec"]["capacity"], 3);
    EXPECT_EQ(queue["spec"]["shared"], true);
    EXPECT_EQ(queue["free_slots"], 3);
    EXPECT_EQ(queue["accepted"], 0);
    EXPECT_FALSE(queue.contains("closed_reason"));
  }
  declared->channel->Close(broker::ClosedReason::kRequested);
  const auto queue = Json("/api/v1/queues/jobs/eu.1");
  EXPECT_EQ(queue["state"], "ENDED") << "nothing was in it";
  EXPECT_EQ(queue["closed_reason"], "REQUESTED");
}

TEST_F(ViewsTest, WhatHasNoSuchNameIsNotFound) {
  EXPECT_EQ(Get("/api/v1/queues/none").status, 404);
  EXPECT_EQ(Get("/api/v1/topics/none").status, 404);
  EXPECT_EQ(Get("/api/v1/responders/none").status, 404);
  EXPECT_EQ(Reason(404, "/api/v1/config/none"), "NOT_FOUND");
  EXPECT_EQ(Reason(404, "/api/v1/queues/"), "NOT_FOUND");
  for (const char* path : {"/api/v1/queues/a%20b", "/api/v1/topics/..", "/api/v1/config/_x",
                           "/api/v1/responders/%3Cscript%3E"}) {
    EXPECT_EQ(Reason(400, path), "INVALID_FIELD") << path;
  }
  EXPECT_EQ(Reason(400, "/api/v1/queues/" + std::string(256, 'a')), "OUT_OF_BOUNDS");
}

TEST_F(ViewsTest, AListGoesByPagesAndPrefix) {
  DeclareQueues({"a", "b.1", "b.2", "b.3", "c"});
  EXPECT_EQ(Names(Json("/api/v1/queues")["queues"]), (Strings{"a", "b.1", "b.2", "b.3", "c"}));
  EXPECT_EQ(Names(Json("/api/v1/queues?prefix=b.")["queues"]), (Strings{"b.1", "b.2", "b.3"}));
  Strings seen;
  std::string token;
  int pages = 0;
  do {
    const auto page = Json("/api/v1/queues?page_size=2&page_token=" + token);
    for (const std::string& name : Names(page["queues"])) seen.push_back(name);
    token = page.value("next_page_token", "");
    ++pages;
  } while (!token.empty());
  EXPECT_EQ(seen, (Strings{"a", "b.1", "b.2", "b.3", "c"}));
  EXPECT_EQ(pages, 3);
  EXPECT_FALSE(Json("/api/v1/queues?page_size=5").contains("next_page_token"));
}

TEST_F(ViewsTest, ABadPageIsNamed) {
  for (const char* kind : {"queues", "topics", "responders", "config", "streams", "sessions"}) {
    const std::string path = std::string("/api/v1/") + kind;
    EXPECT_EQ(Reason(400, path + "?page_size=0"), "OUT_OF_BOUNDS") << kind;
    EXPECT_EQ(Reason(400, path + "?page_size=1001"), "OUT_OF_BOUNDS") << kind;
    EXPECT_EQ(Reason(400, path + "?page_size=ten"), "INVALID_FIELD") << kind;
    EXPECT_EQ(Reason(400, path + "?pages=1"), "INVALID_FIELD") << kind;
  }
  EXPECT_EQ(Reason(400, "/api/v1/streams?page_token=x"), "INVALID_FIELD");
  EXPECT_EQ(Reason(400, "/api/v1/limits?prefix=x"), "INVALID_FIELD");
}

TEST_F(ViewsTest, ATopicWithThoseWhoAreBehind) {
  broker::TopicSpec spec;
  spec.policy = broker::SlowPolicy::kLag;
  const auto topic = broker.topics().Declare("news", spec)->channel;
  broker::Subscriber readers[3];
  for (std::uint64_t i = 0; i < 3; ++i) {
    broker::SubscriberOptions options;
    options.stream_id = i + 1;
    options.subscriber = "reader " + std::to_string(i + 1);
    static_cast<void>(topic->Subscribe(readers[i], options, nullptr));
  }
  const auto first = Json("/api/v1/topics/news?page_size=2");
  EXPECT_EQ(first["spec"]["policy"], "LAG");
  EXPECT_EQ(first["subscribers"], 3);
  ASSERT_EQ(first["attached"].size(), 2u);
  EXPECT_EQ(first["attached"][0]["subscriber"], "reader 1");
  EXPECT_EQ(first["next_page_token"], "2");
  const auto second = Json("/api/v1/topics/news?page_size=2&page_token=2");
  ASSERT_EQ(second["attached"].size(), 1u);
  EXPECT_EQ(second["attached"][0]["stream_id"], 3);
  EXPECT_FALSE(second.contains("next_page_token"));
  for (broker::Subscriber& reader : readers) topic->Unsubscribe(reader);
}

TEST_F(ViewsTest, AResponder) {
  ASSERT_TRUE(broker.responders().Declare("upper", {}).ok());
  const auto responder = Json("/api/v1/responders/upper");
  EXPECT_EQ(responder["workers"], 0);
  EXPECT_EQ(responder["attached"].size(), 0u);
  EXPECT_EQ(Names(Json("/api/v1/responders")["responders"]), Strings{"upper"});
}

// A value may be a secret.
TEST_F(ViewsTest, KeysAreShownWithoutTheirValues) {
  Set("app/limit", "hunter2");
  Set("app/name", "x");
  Set("other", "y");
  const Response list = Get("/api/v1/config?prefix=app/");
  EXPECT_THAT(list.body, ::testing::Not(HasSubstr("hunter2")));
  const auto json = nlohmann::json::parse(list.body);
  EXPECT_EQ(json["keys"], 3);
  ASSERT_EQ(json["config"].size(), 2u);
  EXPECT_EQ(json["config"][0]["key"], "app/limit");
  EXPECT_EQ(json["config"][0]["value_bytes"], 7);
  EXPECT_EQ(json["config"][0]["version"], 1);
  const auto one = Json("/api/v1/config/app/limit");
  EXPECT_EQ(one["value_bytes"], 7);
  EXPECT_EQ(one["watchers"], 0);
  const auto page = Json("/api/v1/config?page_size=1");
  EXPECT_EQ(page["next_page_token"], "app/limit");
  EXPECT_EQ(Json("/api/v1/config?page_size=5&page_token=app/limit")["config"].size(), 2u);
}

TEST_F(ViewsTest, StreamsTheLongestStalledFirst) {
  std::vector<std::shared_ptr<rpc::StreamInfo>> infos;
  for (int i = 0; i < 5; ++i) {
    static_cast<void>(streams.Add("/sluice.v1.TopicService/Subscribe",
                                  "ipv4:127.0.0.1:" + std::to_string(1'000 + i / 2), true,
                                  clock.Now(), infos.emplace_back()));
  }
  rpc::StreamTable::SetChannel(*infos[3], "news");
  infos[3]->WriteBegan(clock.Now(), 77);
  clock.Advance(std::chrono::seconds(5));
  const auto page = Json("/api/v1/streams?page_size=3");
  ASSERT_EQ(page["streams"].size(), 3u);
  EXPECT_EQ(page["streams"][0]["channel"], "news");
  EXPECT_EQ(page["streams"][0]["write_stalled_ms"], 5'000);
  EXPECT_EQ(page["streams"][0]["write_bytes"], 77);
  EXPECT_EQ(page["streams"][1]["write_stalled_ms"], 0);
  EXPECT_EQ(page["next_page_token"], "3");
  EXPECT_EQ(Json("/api/v1/streams?page_size=3&page_token=3")["streams"].size(), 2u);
  EXPECT_EQ(Json("/api/v1/streams?page_token=99")["streams"].size(), 0u);

  const auto peers = Json("/api/v1/connections");
  ASSERT_EQ(peers["connections"].size(), 3u);
  EXPECT_EQ(peers["connections"][0]["peer"], "ipv4:127.0.0.1:1001");
  EXPECT_EQ(peers["connections"][0]["write_stalled_ms"], 5'000);
  EXPECT_EQ(peers["connections"][0]["calls"], 2);
  EXPECT_EQ(peers["refused"]["total"], 0);
  EXPECT_TRUE(peers.contains("open"));
}

// Whoever knows the id of a session may take it up.
TEST_F(ViewsTest, SessionsWithoutTheirIds) {
  std::vector<std::string> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(broker.sessions().Keep("", nullptr)->id);
  const auto kept = broker.sessions().Keep(ids[0], nullptr);
  broker.sessions().Release(ids[0], kept->fence, std::chrono::seconds(30));
  std::size_t seen = 0;
  std::size_t lingering = 0;
  std::string token;
  do {
    const auto page = Json("/api/v1/sessions?page_size=4&page_token=" + token);
    for (const auto& session : page["sessions"]) {
      ++seen;
      EXPECT_EQ(session["id_begins"].get<std::string>().size(), 8u);
      if (session.contains("ends_in_ms") && session["ends_in_ms"] == 30'000) ++lingering;
    }
    token = page.value("next_page_token", "");
  } while (!token.empty());
  EXPECT_EQ(seen, ids.size());
  EXPECT_EQ(lingering, 1u);
}

TEST_F(ViewsTest, LimitsAndInfo) {
  const auto limits_shown = Json("/api/v1/limits");
  EXPECT_EQ(limits_shown["limits"]["headers_max"], 64);
  EXPECT_EQ(limits_shown["http"]["connections_max"], 256);
  EXPECT_EQ(limits_shown["http"]["target_bytes_max"], 2'048);
  DeclareQueues({"a"});
  clock.Advance(std::chrono::seconds(3));
  const auto info = Json("/api/v1/info");
  EXPECT_EQ(info["uptime_ms"], 3'000);
  EXPECT_EQ(info["live"]["queues"], 1);
  EXPECT_EQ(info["ready"], true);
  not_ready = "starting";
  EXPECT_EQ(Json("/api/v1/info")["why_not_ready"], "starting");
}

// What a peer calls itself is not trusted to be UTF-8.
TEST_F(ViewsTest, BytesThatAreNoTextStayJson) {
  std::shared_ptr<rpc::StreamInfo> info;
  ASSERT_TRUE(streams.Add("/x", "peer \xff\xfe \"quoted\"", true, clock.Now(), info).ok());
  EXPECT_THAT(Json("/api/v1/streams")["streams"][0]["peer"].get<std::string>(),
              HasSubstr("\"quoted\""));
}

}  // namespace
}  // namespace sluice::admin
