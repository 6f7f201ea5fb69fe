// SPDX-License-Identifier: Apache-2.0
// Config keys, sessions, calls, connections and the daemon itself; and that no family stands still.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <thread>

#include "admin/process_figures.h"
#include "base/log.h"
#include "tests/admin/metrics_fixture.h"

namespace sluice::admin {

using namespace std::chrono_literals;

namespace {

void SetKey(broker::Config& config, const std::string& key, const std::string& session_id = "") {
  broker::SetOptions options;
  options.key = key;
  options.session_id = session_id;
  EXPECT_EQ(config.Set(options)->outcome, broker::Outcome::kOk);
}

void TakeAll(broker::Config& config, broker::Watcher& watcher) {
  for (broker::WatchNews news; news = config.Take(watcher, 1 << 20), !news.empty() || news.point;) {
  }
}

}  // namespace

void MetricsFixture::KeysChange() {
  broker::Config& config = *broker.config();
  const auto told = std::make_shared<broker::CountingNotifier>();
  broker::SetOptions unwatched;
  unwatched.key = "k";
  unwatched.require_watchers = true;
  EXPECT_EQ(config.Set(unwatched)->outcome, broker::Outcome::kNoSubscribers);
  broker::SetOptions other;
  other.key = "k";
  other.expect = broker::KeyVersion{7, 7};
  EXPECT_EQ(config.Set(other)->outcome, broker::Outcome::kConflict);
  broker::Watcher watcher;
  EXPECT_TRUE(config.Watch(watcher, {.keys = {}, .prefixes = {"k"}, .resume = {}}, told).ok());
  TakeAll(config, watcher);
  for (int i = 0; i < 3; ++i) SetKey(config, "k");  // it is told of the last alone
  TakeAll(config, watcher);
  SetKey(config, "e", std::string(broker::kSessionIdBytes, 's'));
  broker::GetTicket ok, late, closed;
  EXPECT_TRUE(config.Wait(ok, "k", {}, kNever, told).ok());
  EXPECT_TRUE(config.Wait(late, "no", {}, clock.Now() + 1s, told).ok());
  EXPECT_TRUE(config.Wait(closed, "no", {}, kNever, told).ok());
  Expect({{"sluice_config_keys", 2},
          {"sluice_config_ephemeral_keys", 1},
          {"sluice_config_watchers", 1},
          {"sluice_config_waiting_gets", 2},
          {"sluice_config_revision", 4},
          {"sluice_config_retained_bytes", static_cast<double>(config.Describe().retained_bytes)},
          {"sluice_config_delivered_total", 1},
          {"sluice_config_coalesced_total", 2},
          {"sluice_channels", 2}});
  Pass(2s);
  EXPECT_EQ(config.Delete("no", {})->outcome, broker::Outcome::kAbsent);
  EXPECT_EQ(config.Delete("k", broker::KeyVersion{7, 7})->outcome, broker::Outcome::kConflict);
  EXPECT_EQ(config.Delete("k", {})->outcome, broker::Outcome::kOk);
  config.SessionEnded(std::string(broker::kSessionIdBytes, 's'));
  Expect({{"sluice_config_sets_total{outcome=\"OK\"}", 4},
          {"sluice_config_sets_total{outcome=\"CONFLICT\"}", 1},
          {"sluice_config_sets_total{outcome=\"NO_SUBSCRIBERS\"}", 1},
          {"sluice_config_deletes_total{outcome=\"OK\"}", 1},
          {"sluice_config_deletes_total{outcome=\"CONFLICT\"}", 1},
          {"sluice_config_deletes_total{outcome=\"ABSENT\"}", 1},
          {"sluice_config_keys_created_total", 2},
          {"sluice_config_keys_deleted_total", 2},
          {"sluice_config_tombstones", 2},
          {"sluice_config_waits_total{outcome=\"OK\"}", 1},
          {"sluice_config_waits_total{outcome=\"TIMED_OUT\"}", 1}});
  // It has not told the tombstone of k, which is forgotten behind that many others.
  for (std::uint32_t i = 0; i <= broker::kTombstonesMax; ++i) {
    SetKey(config, "x");
    EXPECT_TRUE(config.Delete("x", {}).ok());
    SetKey(config, "y" + std::to_string(i));
    EXPECT_TRUE(config.Delete("y" + std::to_string(i), {}).ok());
  }
  config.Close(broker::ClosedReason::kShuttingDown);
  Expect(
      {{"sluice_config_evicted_total", 1}, {"sluice_config_waits_total{outcome=\"CLOSED\"}", 1}});
  config.Unwatch(watcher);
}

void MetricsFixture::SessionsEnd() {
  broker::Sessions& sessions = broker.sessions();
  const auto told = std::make_shared<broker::CountingNotifier>();
  const auto first = sessions.Keep("", told);
  const auto second = sessions.Keep("", told);
  const auto third = sessions.Keep("", told);
  const auto again = sessions.Keep(first->id, told);
  sessions.Release(second->id, second->fence, 5s);
  sessions.End(third->id, third->fence);
  Expect({{"sluice_sessions", 2},
          {"sluice_sessions_lingering", 1},
          {"sluice_sessions_max", 10'000},
          {"sluice_sessions_opened_total", 3},
          {"sluice_sessions_resumed_total", 1},
          {"sluice_sessions_ended_total", 1}});
  Pass(6s);
  Expect({{"sluice_sessions", 1},
          {"sluice_sessions_ended_total", 2},
          {"sluice_sessions_expired_total", 1}});
  EXPECT_TRUE(again->resumed);
}

void MetricsFixture::CallsAreMade() {
  rpc::WorkerCells& cells = calls.worker(1);
  rpc::MethodCells& send = cells.method(1);
  send.started.Add(3);
  send.received.Add(3);
  send.received_bytes.Add(300);
  send.sent.Add(2);
  send.sent_bytes.Add(200);
  send.handled[static_cast<std::size_t>(Code::kOk)].Add(2);
  send.handled[static_cast<std::size_t>(Code::kCancelled)].Add();
  send.handling.Observe(25us, 2);
  send.handling.Observe(11s);
  calls.worker(0).method(1).started.Add();
  calls.worker(0).CountRefused("DRAINING");
  cells.CountRefused("DRAINING");
  cells.QueueDelivers({{1, 3, clock.UnixMicros() - 1'000, 1, 0}}, clock.UnixMicros());
  cells.TopicDelivers({{1, 2, clock.UnixMicros() + 1'000, 1, 0}}, clock.UnixMicros());
  cells.WaitEnds(clock.Now());
  cells.TurnBegins(clock.Now() + 1500ms);
  cells.TurnEnds(7);
  std::shared_ptr<rpc::StreamInfo> stream, unary;
  ASSERT_TRUE(streams.Add("/s.S/SendStream", "ipv4:10.0.0.1:1", true, clock.Now(), stream).ok());
  ASSERT_TRUE(streams.Add("/s.S/Send", "ipv4:10.0.0.1:1", false, clock.Now(), unary).ok());
  stream->WriteBegan(clock.Now(), 10);
  Pass(3s);
  const std::string of = "{grpc_type=\"unary\",grpc_service=\"s.S\",grpc_method=\"Send\"";
  const auto name = [&of](const std::string& family, const std::string& more = "") {
    return family + of + more + "}";
  };
  const Series series = Look();
  EXPECT_EQ(series.at(name("grpc_server_started_total")), 4);
  EXPECT_EQ(series.at(name("grpc_server_msg_received_total")), 3);
  EXPECT_EQ(series.at(name("grpc_server_msg_sent_total")), 2);
  EXPECT_EQ(series.at(name("sluice_rpc_received_bytes_total")), 300);
  EXPECT_EQ(series.at(name("sluice_rpc_sent_bytes_total")), 200);
  EXPECT_EQ(series.at(name("grpc_server_handled_total", ",grpc_code=\"OK\"")), 2);
  EXPECT_EQ(series.at(name("grpc_server_handled_total", ",grpc_code=\"Canceled\"")), 1);
  EXPECT_EQ(series.at(name("grpc_server_handled_total", ",grpc_code=\"Internal\"")), 0);
  EXPECT_EQ(series.at(name("grpc_server_handling_seconds_bucket", ",le=\"2.5e-05\"")), 2);
  EXPECT_EQ(series.at(name("grpc_server_handling_seconds_bucket", ",le=\"10\"")), 2);
  EXPECT_EQ(series.at(name("grpc_server_handling_seconds_bucket", ",le=\"+Inf\"")), 3);
  EXPECT_EQ(series.at(name("grpc_server_handling_seconds_count")), 3);
  EXPECT_NEAR(series.at(name("grpc_server_handling_seconds_sum")), 11.00005, 1e-9);
  Expect({{"sluice_calls_refused_total{reason=\"DRAINING\"}", 2},
          {"sluice_calls_refused_total{reason=\"TOO_MANY_STREAMS\"}", 0},
          {"sluice_delivery_age_seconds_bucket{kind=\"queue\",le=\"0.0005\"}", 0},
          {"sluice_delivery_age_seconds_bucket{kind=\"queue\",le=\"0.001\"}", 3},
          {"sluice_delivery_age_seconds_count{kind=\"queue\"}", 3},
          {"sluice_delivery_age_seconds_bucket{kind=\"topic\",le=\"2.5e-05\"}", 2},
          {"sluice_worker_busy_seconds_total{worker=\"1\"}", 1.5},
          {"sluice_worker_turns_total{worker=\"1\"}", 1},
          {"sluice_worker_events_total{worker=\"1\"}", 7},
          {"sluice_worker_turns_total{worker=\"0\"}", 0},
          {"sluice_streams", 1},
          {"sluice_unary_calls", 1},
          {"sluice_streams_max", 10'000},
          {"sluice_streams_per_connection", 2},
          {"sluice_streams_per_connection_max", 1'000},
          {"sluice_streams_per_address", 2},
          {"sluice_streams_per_address_max", 0},
          {"sluice_streams_stalled", 1},
          {"sluice_stream_stalled_seconds_max", 3}});
  streams.Remove(*stream);
  streams.Remove(*unary);
}

void MetricsFixture::ConnectionsCome() {
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  const std::string peer = "ipv4:10.0.0.1:1";
  EXPECT_TRUE(connections.Admit(pair[0], peer));
  connections.Refused(rpc::Refusal::kTotal, peer);
  connections.AcceptFailed(EMFILE);
  Expect({{"sluice_connections", 1},
          {"sluice_connections_max", 10'000},
          {"sluice_connections_per_address", 1},
          {"sluice_connections_per_address_max", 0},
          {"sluice_connections_accepted_total", 1},
          {"sluice_connections_refused_total{reason=\"total\"}", 1},
          {"sluice_accept_errors_total", 1},
          {"sluice_connections_cut_total{reason=\"metadata\"}", 0}});
  for (int i = 0; i < 1'000; ++i) connections.Struck(peer, rpc::Strike::kMetadata);
  Expect({{"sluice_connections_cut_total{reason=\"metadata\"}", 1}});
  close(pair[0]);
  close(pair[1]);
}

namespace {

// While it lives standard error is a pipe that is full, and the log's thread stands still.
class StuckLog {
 public:
  static constexpr int kLines = 40'000;

  StuckLog() : kept_(dup(STDERR_FILENO)) {
    EXPECT_EQ(pipe(ends_), 0);
    dup2(ends_[1], STDERR_FILENO);
    StartLog(LogLevel::kDebug);
    Log(LogLevel::kInfo, "line", "text");
    Log(LogLevel::kWarning, "line", "text");
    Log(LogLevel::kError, "line", "text");
    for (int i = 0; i < kLines; ++i) Log(LogLevel::kDebug, "line", "a line that nobody reads");
  }
  ~StuckLog() {
    std::thread reader([from = ends_[0]] {
      char bytes[4096];
      while (read(from, bytes, sizeof bytes) > 0) {
      }
    });
    StopLog();
    dup2(kept_, STDERR_FILENO);
    close(ends_[1]);
    reader.join();
    close(ends_[0]);
    close(kept_);
  }

 private:
  const int kept_;
  int ends_[2] = {-1, -1};
};

}  // namespace

void MetricsFixture::TheDaemonItself() {
  const Series before = Look();
  const auto log = std::make_unique<StuckLog>();
  const std::vector<int> files = {open("/dev/null", O_RDONLY), open("/dev/null", O_RDONLY)};
  const std::vector<char> memory(32 << 20, 'x');
  counts.answers[2] = 5;
  counts.answers[4] = 6;
  counts.connections_accepted = 7;
  counts.connections_refused = 8;
  counts.accept_failures = 9;
  counts.timed_out = 10;
  counts.connections = 11;
  counts.unsent_bytes = 12;
  checks = {.answered = 13, .missed = 14, .skipped = 15};
  not_ready = "it is not";
  const double cpu = ReadProcessFigures().cpu_seconds;
  while (ReadProcessFigures().cpu_seconds <= cpu) {
  }
  Series during;
  std::thread another([&] { during = Look(); });
  another.join();
  EXPECT_GT(during.at("sluice_log_dropped_total"), 0);
  EXPECT_EQ(during.at("sluice_log_lines_total{level=\"debug\"}"),
            before.at("sluice_log_lines_total{level=\"debug\"}") + StuckLog::kLines);
  EXPECT_EQ(during.at("sluice_log_lines_total{level=\"error\"}"),
            before.at("sluice_log_lines_total{level=\"error\"}") + 1);
  EXPECT_GE(during.at("process_open_fds"), before.at("process_open_fds") + 2);
  EXPECT_GT(during.at("process_resident_memory_bytes"), before.at("process_resident_memory_bytes"));
  EXPECT_GT(during.at("process_threads"), before.at("process_threads"));
  EXPECT_GT(during.at("process_cpu_seconds_total"), before.at("process_cpu_seconds_total"));
  EXPECT_EQ(during.at("sluice_ready"), 0);
  EXPECT_EQ(during.at("sluice_alive"), 1);
  EXPECT_EQ(during.at("sluice_http_responses_total{code=\"2xx\"}"), 5);
  EXPECT_EQ(during.at("sluice_http_responses_total{code=\"4xx\"}"), 6);
  EXPECT_EQ(during.at("sluice_http_connections_accepted_total"), 7);
  EXPECT_EQ(during.at("sluice_http_connections_refused_total"), 8);
  EXPECT_EQ(during.at("sluice_http_accept_failures_total"), 9);
  EXPECT_EQ(during.at("sluice_http_timeouts_total"), 10);
  EXPECT_EQ(during.at("sluice_http_connections"), 11);
  EXPECT_EQ(during.at("sluice_http_unsent_bytes"), 12);
  EXPECT_EQ(during.at("sluice_self_checks_total{outcome=\"answered\"}"), 13);
  EXPECT_EQ(during.at("sluice_self_checks_total{outcome=\"missed\"}"), 14);
  EXPECT_EQ(during.at("sluice_self_checks_total{outcome=\"skipped\"}"), 15);
  not_alive = "it is not";
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  --limit.rlim_cur;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(Look().at("process_max_fds"), static_cast<double>(limit.rlim_cur));
  ++limit.rlim_cur;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  for (const int file : files) close(file);
  broker.StartDrain();
  EXPECT_EQ(Look().at("sluice_draining"), 1);
}

namespace {

using Metrics = MetricsFixture;

TEST_F(Metrics, ShowHowKeysChange) { KeysChange(); }

TEST_F(Metrics, ShowSessions) { SessionsEnd(); }

TEST_F(Metrics, ShowCallsStreamsAndWorkers) { CallsAreMade(); }

TEST_F(Metrics, ShowConnections) { ConnectionsCome(); }

TEST_F(Metrics, ShowTheDaemonItself) { TheDaemonItself(); }

TEST_F(Metrics, AllOfThemMove) {
  Look();
  QueuesSend();
  QueuesReceive();
  QueuesEnd();
  TopicsRetain();
  TopicsBlock();
  RequestsEnd();
  SessionsEnd();
  CallsAreMade();
  ConnectionsCome();
  KeysChange();
  TheDaemonItself();
  // What a build, a process or its options say once and for all; the refusals for want of memory
  // have a broker of their own.
  const std::set<std::string> constant = {"sluice_build_info",
                                          "sluice_channels_max",
                                          "sluice_connections_max",
                                          "sluice_connections_per_address_max",
                                          "sluice_conservation_imbalance",
                                          "sluice_memory_limit_bytes",
                                          "sluice_memory_refused_total",
                                          "sluice_memory_waiting_channels",
                                          "sluice_memory_waiting_limit_bytes",
                                          "sluice_sessions_max",
                                          "sluice_streams_max",
                                          "sluice_streams_per_address_max",
                                          "sluice_streams_per_connection_max"};
  // By the wall clock, as is the kernel's time of boot: it may move with that, and need not.
  const std::string started = "process_start_time_seconds";
  EXPECT_GE(seen_[started].size(), 1u);
  for (const std::string& family : FamiliesOf(Page())) {
    const bool may_stand = constant.contains(family) || family == started;
    EXPECT_TRUE(seen_[family].size() > 1 || may_stand) << family;
  }
  for (const std::string& family : constant) EXPECT_EQ(seen_[family].size(), 1u) << family;
}

}  // namespace
}  // namespace sluice::admin
