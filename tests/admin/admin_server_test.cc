// SPDX-License-Identifier: Apache-2.0
// The port itself: every bound and time of it, with bounds small enough to be met.
#include "admin/admin_server.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "base/mutex.h"
#include "tests/admin/http_client.h"

namespace sluice::admin {
namespace {

using std::chrono::milliseconds;
using test::HttpAnswer;
using test::HttpClient;
using ::testing::HasSubstr;

class AdminServerTest : public ::testing::Test {
 protected:
  AdminServerTest() {
    router.Add("/page", {.handler =
                             [](const Request&) {
                               return Response{200, "text/plain", "p"};
                             },
                         .parameters = {"x"}});
    router.Add("/urgent", {.handler =
                               [](const Request&) {
                                 return Response{200, "text/plain", "u"};
                               },
                           .parameters = {},
                           .cost = Cost::kUrgent});
    router.Add("/large", {.handler =
                              [](const Request&) {
                                return Response{200, "text/plain", std::string(1 << 22, 'x')};
                              },
                          .parameters = {}});
  }
  ~AdminServerTest() override { server->Stop(); }

  void Start(HttpLimits limits = {}) {
    server =
        std::make_unique<AdminServer>(AdminOptions{"127.0.0.1:0", limits}, router, clock, counts);
    const Status started = server->Start();
    ASSERT_TRUE(started.ok()) << started.message();
  }
  HttpClient Connect(int receive_bytes = 0) { return HttpClient(server->port(), receive_bytes); }
  // The answer to these bytes, after which the connection is closed.
  HttpAnswer Last(const std::string& bytes) {
    HttpClient client = Connect();
    client.Send(bytes);
    HttpAnswer answer = client.Read();
    const bool is_told = HttpClient::Field(answer, "Connection") == "close";
    EXPECT_TRUE(is_told || answer.head.starts_with("HTTP/1.0")) << bytes.substr(0, 40);
    EXPECT_TRUE(client.IsClosed()) << bytes.substr(0, 40);
    return answer;
  }
  static void Eventually(const std::function<bool()>& holds) {
    const TimePoint deadline = SystemClock().Now() + milliseconds(test::kBoundMs);
    while (!holds()) {
      ASSERT_LT(SystemClock().Now(), deadline);
      std::this_thread::yield();
    }
  }

  SystemClock clock;
  Router router;
  HttpCounts counts;
  std::unique_ptr<AdminServer> server;
};

TEST_F(AdminServerTest, KeepsAConnectionAndAnswersInOrder) {
  Start();
  HttpClient client = Connect();
  EXPECT_EQ(client.Get("/page").body, "p");
  EXPECT_EQ(client.Get("/none").status, 404);
  EXPECT_EQ(client.Get("/page?y=1").status, 400);
  EXPECT_EQ(client.Get("/%zz").status, 400);
  EXPECT_EQ(client.Get("/urgent").body, "u");
  std::string many;
  for (int i = 0; i < 100; ++i) {
    many += std::string("GET ") + (i % 2 == 0 ? "/page" : "/urgent") +
            " HTTP/1.1\r\nHost: localhost:7401\r\n\r\n";
  }
  client.Send(many);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(client.Read().body, i % 2 == 0 ? "p" : "u") << i;
  EXPECT_EQ(counts.connections_accepted, 1u);
  EXPECT_EQ(counts.answers[2], 102u);
  EXPECT_EQ(counts.answers[4], 3u);
}

TEST_F(AdminServerTest, EveryAnswerCarriesTheSecurityHeaders) {
  Start();
  HttpClient client = Connect();
  for (const char* target : {"/page", "/none"}) {
    const HttpAnswer answer = client.Get(target);
    EXPECT_EQ(HttpClient::Field(answer, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(HttpClient::Field(answer, "Referrer-Policy"), "no-referrer");
    EXPECT_EQ(HttpClient::Field(answer, "Cache-Control"), "no-store");
    EXPECT_THAT(HttpClient::Field(answer, "Content-Security-Policy"), HasSubstr("default-src"));
    EXPECT_EQ(HttpClient::Field(answer, "Access-Control-Allow-Origin"), "");
  }
}

TEST_F(AdminServerTest, HeadIsGetWithoutItsBody) {
  Start();
  HttpClient client = Connect();
  client.Send("HEAD /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const HttpAnswer answer = client.Read(/*has_body=*/false);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(HttpClient::Field(answer, "Content-Length"), std::to_string(1 << 22));
  EXPECT_EQ(client.Get("/page").body, "p") << "no body was in between";
}

TEST_F(AdminServerTest, Http10ClosesUnlessAskedNotTo) {
  Start();
  EXPECT_EQ(Last("GET /page HTTP/1.0\r\n\r\n").body, "p");
  HttpClient client = Connect();
  client.Send("GET /page HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const HttpAnswer kept = client.Read();
  EXPECT_EQ(kept.body, "p");
  EXPECT_EQ(HttpClient::Field(kept, "Connection"), "keep-alive");
  EXPECT_THAT(kept.head, HasSubstr("HTTP/1.0 200"));
  client.Send("GET /page HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.Read().body, "p");
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(AdminServerTest, WhoSendsItsEndIsStillAnswered) {
  Start();
  HttpClient client = Connect();
  client.Send("GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.SendEnd();
  EXPECT_EQ(client.Read().body, "p");
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(AdminServerTest, WhatIsNotHttpEndsItsConnection) {
  Start();
  const std::string host = "Host: localhost\r\n";
  for (const std::string& bytes :
       {std::string("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 11), std::string("garbage\r\n\r\n"),
        std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        "GET /page HTTP/1.1\r\n\r\n" + std::string(), "GET /page\r\n" + host + "\r\n",
        "GET /page HTTP/9.9\r\n" + host + "\r\n", "GET /page HTTP/1.1\r\n" + host + host + "\r\n",
        "GET /page HTTP/1.1\r\n" + host + "Content-Length: x\r\n\r\n",
        "GET /page HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET /page HTTP/1.1\r\n" + host + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET /page HTTP/1.1\r\n" + host + "Bad Field: x\r\n\r\n",
        "GET /page HTTP/1.1\r\n" + host + "X: a\nb\r\n\r\n"}) {
    EXPECT_EQ(Last(bytes).status, 400) << bytes;
  }
}

TEST_F(AdminServerTest, OtherMethodsAreToldWhichThereAre) {
  Start();
  HttpClient client = Connect();
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"}) {
    client.Send(std::string(method) + " /page HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const HttpAnswer answer = client.Read();
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(HttpClient::Field(answer, "Allow"), "GET, HEAD") << method;
  }
  EXPECT_EQ(Last("POST /page HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n12345").status,
            405);
}

TEST_F(AdminServerTest, ABodyIsNotAccepted) {
  Start();
  const std::string get = "GET /page HTTP/1.1\r\nHost: localhost\r\n";
  EXPECT_EQ(Last(get + "Content-Length: 1\r\n\r\nx").status, 413);
  EXPECT_EQ(Last(get + "Content-Length: 9223372036854775807\r\n\r\n").status, 413);
  EXPECT_EQ(Last(get + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n").status, 413);
  EXPECT_EQ(Last(get + "Content-Length: 1\r\nExpect: 100-continue\r\n\r\n").status, 413);
  HttpClient client = Connect();
  client.Send(get + "Content-Length: 0\r\n\r\n");
  EXPECT_EQ(client.Read().body, "p");
}

TEST_F(AdminServerTest, TheTargetAndTheHeaderAreBounded) {
  Start();
  const auto get = [](std::size_t target_bytes) {
    return "GET /" + std::string(target_bytes - 1, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  };
  HttpClient client = Connect();
  client.Send(get(Target::kBytesMax));
  EXPECT_EQ(client.Read().status, 404);
  client.Send(get(Target::kBytesMax + 1));
  EXPECT_EQ(client.Read().status, 414);
  EXPECT_EQ(Last(get(10'000)).status, 414);
  const std::string begun = "GET /page HTTP/1.1\r\nHost: localhost\r\n";
  client.Send(begun + "X: " + std::string(8'000, 'x') + "\r\n\r\n");
  EXPECT_EQ(client.Read().body, "p");
  EXPECT_EQ(Last(begun + "X: " + std::string(8'192, 'x') + "\r\n\r\n").status, 431);
  EXPECT_EQ(Last(begun + "X: " + std::string(50'000, 'x')).status, 431);
  std::string fields = begun;
  while (fields.size() < 100'000) fields += "a: b\r\n";
  EXPECT_EQ(Last(fields + "\r\n").status, 431);
}

TEST_F(AdminServerTest, OnLoopbackOnlyLoopbackHostsAreAnswered) {
  Start();
  for (const char* host : {"evil.example", "evil.example:80", "127.0.0.1.evil.example"}) {
    const HttpAnswer answer = Last("GET /page HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n");
    EXPECT_EQ(answer.status, 421) << host;
  }
  EXPECT_EQ(Last("GET http://evil.example/page HTTP/1.1\r\nHost: localhost\r\n"
                 "Connection: close\r\n\r\n")
                .status,
            400);
}

TEST_F(AdminServerTest, AHeaderThatDoesNotComeInTimeIs408) {
  HttpLimits limits;
  limits.header_timeout = milliseconds(500);  // bounds the first byte, too
  Start(limits);
  EXPECT_EQ(Last("GET /page HTTP/1.1\r\nHost: loc").status, 408);
  EXPECT_EQ(Last("GET /page HTTP/1.1\r\nHost: localhost\r\n").status, 408);
  EXPECT_EQ(Last("G").status, 408);
  EXPECT_EQ(counts.timed_out, 3u);
  HttpClient silent = Connect();
  EXPECT_TRUE(silent.IsClosed()) << "who says nothing is told nothing";
}

TEST_F(AdminServerTest, AnIdleConnectionIsClosed) {
  HttpLimits limits;
  limits.idle_timeout = milliseconds(50);
  Start(limits);
  HttpClient client = Connect();
  EXPECT_EQ(client.Get("/page").body, "p");
  EXPECT_TRUE(client.IsClosed());
  Eventually([&] { return counts.connections == 0; });
}

TEST_F(AdminServerTest, WhoDoesNotReadIsCut) {
  HttpLimits limits;
  limits.write_timeout = milliseconds(100);
  Start(limits);
  HttpClient client = Connect(/*receive_bytes=*/4'096);
  client.Send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  Eventually([&] { return counts.timed_out == 1 && counts.connections == 0; });
  EXPECT_EQ(counts.unsent_bytes, 0u);
}

TEST_F(AdminServerTest, WhatOthersDoNotReadIsBounded) {
  HttpLimits limits;
  limits.unsent_bytes_max = 1 << 20;
  Start(limits);
  HttpClient slow = Connect(/*receive_bytes=*/4'096);
  slow.Send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  Eventually([&] { return counts.unsent_bytes > 0; });
  HttpClient other = Connect();
  const HttpAnswer busy = other.Get("/page");
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(HttpClient::Field(busy, "Retry-After"), "1");
  EXPECT_EQ(other.Get("/urgent").body, "u");
  EXPECT_EQ(slow.Read().body.size(), std::size_t{1} << 22) << "slow, and still served";
  Eventually([&] { return counts.unsent_bytes == 0; });
  EXPECT_EQ(other.Get("/page").body, "p");
}

TEST_F(AdminServerTest, ConnectionsAreBoundedAndTheNextIsToldSo) {
  HttpLimits limits;
  limits.connections_per_address_max = 3;
  Start(limits);
  std::vector<HttpClient> held;
  for (int i = 0; i < 3; ++i) {
    held.push_back(Connect());
    EXPECT_EQ(held.back().Get("/page").body, "p");
  }
  HttpClient refused = Connect();
  EXPECT_EQ(refused.Get("/page").status, 503);
  EXPECT_TRUE(refused.IsClosed());
  EXPECT_EQ(counts.connections, 3u);
  EXPECT_EQ(counts.connections_refused, 1u);
  held.pop_back();
  Eventually([&] { return counts.connections == 2; });
  EXPECT_EQ(Connect().Get("/page").body, "p");
}

TEST_F(AdminServerTest, WhenTooManyAreBeingRefusedTheyAreCut) {
  HttpLimits limits;
  limits.connections_max = 1;
  limits.refusals_max = 0;
  Start(limits);
  HttpClient held = Connect();
  EXPECT_EQ(held.Get("/page").body, "p");
  HttpClient cut = Connect();
  EXPECT_TRUE(cut.IsClosed());
}

TEST_F(AdminServerTest, PagesWaitTheirTurnAndUrgentOnesDoNot) {
  std::atomic<TimePoint> begun{TimePoint()};
  std::atomic<bool> may_end = false;
  router.Add("/slow", {.handler =
                           [this, &begun, &may_end](const Request&) {
                             begun = clock.Now();
                             while (!may_end) std::this_thread::yield();
                             return Response{200, "text/plain", "s"};
                           },
                       .parameters = {}});
  HttpLimits limits;
  limits.turn_timeout = milliseconds(0);
  Start(limits);
  HttpClient client = Connect();
  client.Send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  Eventually([&] { return begun.load() != TimePoint(); });  // low is its thread's priority
  const TimePoint began = begun;
  while (clock.Now() - began < milliseconds(50)) std::this_thread::yield();  // it costs something
  may_end = true;
  EXPECT_EQ(client.Read().body, "s");
  // Three times as long the port rests: on so slow a machine the rest may be over here.
  const HttpAnswer next = client.Get("/page");
  EXPECT_TRUE(next.status == 503 || clock.Now() - began > milliseconds(200)) << next.status;
  EXPECT_EQ(client.Get("/urgent").body, "u");
}

TEST_F(AdminServerTest, APortThatIsTakenIsTold) {
  Start();
  const std::string address = "127.0.0.1:" + std::to_string(server->port());
  AdminServer second({address, {}}, router, clock, counts);
  const Status started = second.Start();
  EXPECT_EQ(started.reason(), "CANNOT_LISTEN");
  EXPECT_THAT(started.message(), HasSubstr(address));
}

TEST_F(AdminServerTest, StopCutsWhoIsThere) {
  Start();
  HttpClient idle = Connect();
  EXPECT_EQ(idle.Get("/page").body, "p");
  HttpClient slow = Connect(/*receive_bytes=*/4'096);
  slow.Send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  Eventually([&] { return counts.unsent_bytes > 0; });
  server->Stop();
  EXPECT_TRUE(idle.IsClosed());
  EXPECT_EQ(counts.connections, 0u);
  server->Stop();
}

}  // namespace
}  // namespace sluice::admin
