// SPDX-License-Identifier: Apache-2.0
// AdminService over a socket.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <arpa/inet.h>

#include <algorithm>
#include <mutex>
#include <set>

#include "base/version.h"
#include "tests/rpc/rpc_fixture.h"

namespace sluice::rpc {
namespace {

using std::chrono::milliseconds;

const std::string kService = "/sluice.v1.AdminService/";

// An address of this machine that is not loopback; empty: it has none.
std::string OwnAddress() {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return "";
  std::string found;
  for (const ifaddrs* one = all; one != nullptr && found.empty(); one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
    char text[INET_ADDRSTRLEN];
    const auto* address = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
    inet_ntop(AF_INET, &address->sin_addr, text, sizeof(text));
    if (std::string_view(text).substr(0, 4) != "127.") found = text;
  }
  freeifaddrs(all);
  return found;
}

class AdminTest : public RpcTest {
 protected:
  void SetUp() override {
    options_.drain_requested = [this](milliseconds grace) {
      const std::lock_guard<std::mutex> lock(mutex_);
      asked_.push_back(grace);
    };
    RpcTest::SetUp();
  }
  // With `open` calls beside the one that asks. What clients have read is under way for a moment
  // more: until none writes.
  std::vector<v1::StreamDescription> StreamsAtRest(std::size_t open) {
    std::vector<v1::StreamDescription> streams;
    Eventually([&, this] {
      streams = Streams();
      return streams.size() == open + 1 &&
             std::none_of(streams.begin(), streams.end(),
                          [](const auto& one) { return one.write_bytes() != 0; });
    });
    return streams;
  }
  std::vector<milliseconds> asked() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return asked_;
  }
  RawClient::Answer<v1::DrainResponse> Drain(RawClient& from, std::uint32_t grace_ms) {
    v1::DrainRequest request;
    request.set_grace_ms(grace_ms);
    return from.Ask<v1::DrainResponse>(kService + "Drain", request);
  }
  v1::ServerInfoResponse Info() {
    return client()
        .Ask<v1::ServerInfoResponse>(kService + "ServerInfo", v1::ServerInfoRequest())
        .response;
  }
  RawClient::Answer<v1::ListStreamsResponse> List(std::uint32_t page_size,
                                                  const std::string& token) {
    v1::ListStreamsRequest request;
    request.set_page_size(page_size);
    request.set_page_token(token);
    return client().Ask<v1::ListStreamsResponse>(kService + "ListStreams", request);
  }

 private:
  std::mutex mutex_;
  std::vector<milliseconds> asked_;
};

TEST_F(AdminTest, ServerInfoTellsEveryBound) {
  options_.drain_delay = milliseconds(5);
  options_.streams.streams_per_address_max = 77;
  options_.connections = {.connections_max = 500, .connections_per_address_max = 78};
  Serve();
  const v1::ServerInfoResponse info = Info();
  EXPECT_EQ(info.version(), kVersion);
  EXPECT_EQ(info.workers(), 2u);
  EXPECT_FALSE(info.draining());
  EXPECT_GT(info.started_unix_us(), 0u);
  const v1::Bounds& bounds = info.bounds();
  std::vector<const google::protobuf::FieldDescriptor*> set;
  bounds.GetReflection()->ListFields(bounds, &set);
  EXPECT_EQ(static_cast<int>(set.size()), v1::Bounds::descriptor()->field_count())
      << bounds.ShortDebugString();
  EXPECT_EQ(bounds.message_bytes_max(), 1u << 20);
  EXPECT_EQ(bounds.request_frame_bytes_max(), 4u << 20);
  EXPECT_EQ(bounds.transport_frame_bytes_max(), 16u << 20);
  EXPECT_EQ(bounds.capacity_default(), 1'024u);
  EXPECT_EQ(bounds.capacity_max(), 1'048'576u);
  EXPECT_EQ(bounds.lease_default_ms(), 30'000u);
  EXPECT_EQ(bounds.lease_max_ms(), 43'200'000u);
  EXPECT_EQ(bounds.streams_per_address_max(), 77u);
  EXPECT_EQ(bounds.connections_max(), 500u);
  EXPECT_EQ(bounds.connections_per_address_max(), 78u);
  EXPECT_EQ(bounds.metadata_bytes_max(), 16u << 10);
  EXPECT_EQ(bounds.keepalive_interval_ms(), 10'000u);
  EXPECT_EQ(bounds.drain_delay_ms(), 5u);
  EXPECT_EQ(bounds.drain_grace_ms(), 8'000u);
}

TEST_F(AdminTest, ServerInfoCountsWhatIsThere) {
  DeclareSized("orders", 2);
  Fill("orders", 2);
  const auto sender = StartSending(client(), OpenSending("orders"));
  sender->Write(Frame({"3"}, 1));
  const auto receiver = StartReceiving(client(), OpenReceiving("orders", 1));
  receiver->ReadMessages(1);
  EXPECT_EQ(ReadOutcomes(*sender, 1).size(), 1u);
  Declare("empty");
  v1::ReceiveRequest request;
  request.set_queue("empty");
  request.set_wait_ms(600'000);
  const auto waiting = client().Start(kReceive);
  waiting->Write(request);
  const auto blocked = client().Start(kSend);
  v1::SendRequest send;
  send.set_queue("orders");
  send.add_messages();
  blocked->Write(send);
  v1::LiveCounts live;
  Eventually([&, this] {
    live = Info().live();
    // Two streams, two that wait, and this one; those before it may be there a moment longer.
    return live.waiting_receives() == 1 && live.waiting_sends() == 1 && live.calls() == 5;
  });
  EXPECT_EQ(live.queues(), 2u);
  EXPECT_EQ(live.streams(), 2u);
  EXPECT_EQ(live.depth(), 2u);
  EXPECT_EQ(live.in_flight(), 1u);
  EXPECT_EQ(live.leases(), 1u);
  EXPECT_EQ(live.producers(), 1u);
  EXPECT_GT(live.retained_bytes(), 0u);
  EXPECT_GE(live.consumers(), 1u);
}

TEST_F(AdminTest, ListStreamsTellsWhoDoesWhat) {
  DeclareSized("orders", 1);
  Fill("orders", 1);
  const auto sender = StartSending(client(), OpenSending("orders"));
  const auto receiver = StartReceiving(client(), OpenReceiving("orders", 1));
  receiver->ReadMessages(1);
  sender->Write(Frame({"2", "3", "4"}, 1));
  EXPECT_EQ(ReadOutcomes(*sender, 1), All(v1::OUTCOME_OK, 1, 1));
  const auto streams = StreamsAtRest(2);
  ASSERT_EQ(streams.size(), 3u);  // the oldest first, this call last
  EXPECT_EQ(streams[0].method(), kSendStream);
  EXPECT_EQ(streams[0].channel(), "orders");
  EXPECT_EQ(streams[0].waiting_messages(), 2u);
  EXPECT_THAT(streams[0].peer(), ::testing::StartsWith("ipv4:127.0.0.1:"));
  EXPECT_EQ(streams[1].method(), kReceiveStream);
  EXPECT_EQ(streams[1].state(), "attached");
  EXPECT_EQ(streams[1].held_messages(), 1u);
  EXPECT_EQ(streams[1].credit_messages(), 1u);
  EXPECT_EQ(streams[2].method(), kService + "ListStreams");
  EXPECT_NE(streams[0].id(), streams[1].id());
}

// Who does not read is shown first, with how long and how much.
TEST_F(AdminTest, ListStreamsShowsAStalledWrite) {
  v1::QueueSpec spec;
  spec.set_capacity(1'000);
  Declare("orders", spec);
  const auto idle = StartSending(client(), OpenSending("orders"));
  const auto slow = Connect();
  const auto receiver = slow->Start(kReceiveStream);
  receiver->Write(OpenReceiving("orders", 1'000));
  // 40 MiB, far beyond every window, while nothing is read.
  for (int i = 0; i < 160; ++i) {
    ASSERT_EQ(TrySend("orders", std::string(256 * 1024, 'x')), v1::OUTCOME_OK);
  }
  Eventually([this] {
    const auto streams = Streams();
    return !streams.empty() && streams[0].method() == kReceiveStream &&
           streams[0].write_stalled_ms() > 0 && streams[0].write_bytes() >= 256 * 1024;
  });
  EXPECT_LT(Describe("orders").in_flight(), 160u);
}

TEST_F(AdminTest, ListStreamsHasPages) {
  Declare("orders");
  std::vector<std::unique_ptr<RawCall>> open;
  for (int i = 0; i < 5; ++i) open.push_back(StartSending(client(), OpenSending("orders")));
  StreamsAtRest(open.size());
  std::string token;
  std::set<std::uint64_t> ids;
  int pages = 0;
  do {
    // The page before is a call, too.
    Eventually([&, this] { return server_->open_calls() == open.size(); });
    const auto page = List(2, token);
    ASSERT_TRUE(page.ok());
    for (const auto& stream : page->streams()) ids.insert(stream.id());
    token = page->next_page_token();
    ++pages;
  } while (!token.empty() && pages < 10);
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(ids.size(), 6u);  // the last is the call that asks
  for (const char* bad : {"x", "-1", "1x", "99999999999999999999999"}) {
    EXPECT_EQ(List(2, bad).fault().details["field"], "page_token") << bad;
  }
  EXPECT_EQ(List(2, "1000")->streams_size(), 0);
}

TEST_F(AdminTest, DrainAsksOnceAndAnswersAtOnce) {
  EXPECT_TRUE(Drain(client(), 0).ok());
  EXPECT_TRUE(Drain(client(), 1'500).ok());
  EXPECT_TRUE(Drain(client(), 43'200'000).ok());
  EXPECT_THAT(asked(), ::testing::ElementsAre(milliseconds(-1), milliseconds(1'500),
                                              milliseconds(43'200'000)));
  const Fault fault = Drain(client(), 43'200'001).fault();
  EXPECT_EQ(fault.reason, "OUT_OF_BOUNDS");
  EXPECT_EQ(fault.details.at("field"), "grace_ms");
  EXPECT_EQ(asked().size(), 3u);
}

TEST_F(AdminTest, DrainIsForLoopbackUnlessAllowed) {
  const std::string own = OwnAddress();
  ASSERT_NE(own, "") << "this machine has no address but loopback to call from";
  options_.listen = "0.0.0.0:0";
  Serve();
  auto outside = std::make_unique<RawClient>(own + ":" + std::to_string(server_->port()));
  const Fault fault = Drain(*outside, 0).fault();
  EXPECT_EQ(fault.code, grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(fault.reason, "REMOTE_ADMIN");
  EXPECT_TRUE(asked().empty());
  EXPECT_TRUE(Drain(client(), 0).ok());
  options_.remote_admin = true;
  Serve();
  outside = std::make_unique<RawClient>(own + ":" + std::to_string(server_->port()));
  EXPECT_TRUE(Drain(*outside, 0).ok());
  EXPECT_EQ(asked().size(), 2u);
}

}  // namespace
}  // namespace sluice::rpc
