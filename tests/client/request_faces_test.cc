// SPDX-License-Identifier: Apache-2.0
// The typed and the awaitable faces of request/reply and of config keys.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "sluice/typed_config.h"
#include "sluice/typed_request.h"
#include "sluice/v1/config.pb.h"
#include "sluice/v1/request.pb.h"
#include "tests/client/coroutine.h"
#include "tests/client/request_case.h"

namespace sluice::test {
namespace {

void AwaitTrue(const std::atomic<bool>& flag) {
  const Deadline deadline(kBound);
  while (!flag) ASSERT_FALSE(deadline.has_passed());
}

class RequestFacesTest : public RequestCase {};

using Names = TypedCaller<v1::KeyVersion, std::string>;
using NamesServer = TypedResponder<v1::KeyVersion, std::string>;

Detached AskTwice(Names& caller, std::string& told, std::atomic<bool>& is_done) {
  for (std::uint64_t version : {1, 2}) {
    v1::KeyVersion question;
    question.set_version(version);
    const auto reply = co_await caller.Call(question);
    told += reply ? *reply : ToString(reply.outcome()) + " " + reply.failure().code;
    told += "; ";
  }
  is_done = true;
}

TEST_F(RequestFacesTest, ValuesOfATypeAreAskedAndAwaited) {
  auto server = NamesServer::Open(
      client_,
      [] {
        ResponderOptions options = ServeOptions(nullptr);
        options.threads = 1;
        return options;
      }(),
      [](NamesServer::Received& received) {
        if (received.value.version() == 1) {
          (void)received.reply.Send("one");
        } else {
          (void)received.reply.Fail("NO_NAME", "");
        }
      },
      kBound);
  ASSERT_TRUE(server.ok()) << server.status().ToString();
  auto caller = Names::Open(client_, CallOptionsFor(), kBound);
  ASSERT_TRUE(caller.ok());
  std::string told;
  std::atomic<bool> is_done{false};
  AskTwice(*caller, told, is_done);
  AwaitTrue(is_done);
  EXPECT_EQ(told, "one; FAILED NO_NAME; ");
  ASSERT_TRUE(caller->Close(kBound).ok());
}

TEST_F(RequestFacesTest, WhatIsNoneOfTheTypeIsAFailureOrAFault) {
  auto server = NamesServer::Open(client_, ServeOptions(nullptr), nullptr, kBound);
  ASSERT_TRUE(server.ok()) << server.status().ToString();
  Caller bytes = Ask();
  auto call = bytes.Call(std::string_view("\xff\xff"));
  std::atomic<bool> is_told{false};
  call.Start([&is_told](Result<CallReply> reply) {
    EXPECT_EQ(reply->failure.code, "BAD_PAYLOAD");
    is_told = true;
  });
  EXPECT_EQ(server->Recv().Wait(kBound).status().reason(), "BAD_PAYLOAD");
  AwaitTrue(is_told);

  TypedCaller<std::string, v1::KeyVersion> reader(Ask());
  auto asked = reader.Call("");
  asked.Start([&is_told](TypedReply<v1::KeyVersion> reply) {
    EXPECT_FALSE(reply.ok());
    EXPECT_EQ(reply.outcome(), Outcome::kOk);
    EXPECT_EQ(reply.fault().reason(), "BAD_PAYLOAD");
    is_told = false;
  });
  auto received = server->Recv().Wait(kBound);
  ASSERT_TRUE(received.ok()) << received.status().ToString();
  EXPECT_TRUE(received->reply.Send("\xff\xff").ok());
  const Deadline deadline(kBound);
  while (is_told) ASSERT_FALSE(deadline.has_passed());
}

TEST_F(RequestFacesTest, ARecvThatIsGivenUpTakesNoRequest) {
  auto server = NamesServer::Open(client_, ServeOptions(nullptr), nullptr, kBound);
  ASSERT_TRUE(server.ok());
  {
    auto given_up = server->Recv();
    given_up.Start([](Result<NamesServer::Received>) { ADD_FAILURE() << "it was given up"; });
  }
  EXPECT_EQ(server->Recv().Wait(kAWhile).status().reason(), "DEADLINE");
  Names caller(Ask());
  std::atomic<bool> is_told{false};
  auto call = caller.Call(v1::KeyVersion());
  call.Start([&is_told](TypedReply<std::string> reply) { is_told = reply.ok(); });
  auto received = server->Recv().Wait(kBound);
  ASSERT_TRUE(received.ok()) << received.status().ToString();
  EXPECT_TRUE(received->reply.Send("name").ok());
  AwaitTrue(is_told);
}

Detached FollowThree(TypedWatcher<v1::KeyVersion>& watcher, std::string& told,
                     std::atomic<bool>& is_done) {
  for (int i = 0; i < 3; ++i) {
    const auto changed = co_await watcher.Changed();
    if (!changed.ok()) break;
    const auto latest = watcher.Borrow();
    told += latest ? std::to_string(latest->version()) : "none";
    told += "; ";
  }
  is_done = true;
}

TEST_F(RequestFacesTest, AKeyIsFollowedLikeAWatchChannel) {
  TypedConfigWriter<v1::KeyVersion> writer(client_.MakeConfigWriter(), Name());
  auto watcher = TypedWatcher<v1::KeyVersion>::Open(client_, Name(), {}, kBound);
  ASSERT_TRUE(watcher.ok()) << watcher.status().ToString();
  ASSERT_TRUE(watcher->WaitForSnapshot(kBound).ok());
  EXPECT_FALSE(watcher->Borrow());
  EXPECT_EQ(watcher->Borrow().version(), KeyVersion::Absent());
  v1::KeyVersion value;
  value.set_version(7);
  const auto set = writer.Set(value, kBound);
  ASSERT_TRUE(set.ok());
  const auto seen =
      watcher->WaitFor([](const v1::KeyVersion& latest) { return latest.version() == 7; }, kBound);
  ASSERT_TRUE(seen.ok()) << seen.status().ToString();
  EXPECT_EQ(seen->version(), set->entry->at);
  EXPECT_EQ(watcher->Borrow().value(), watcher->Borrow().value()) << "read once";

  std::string told;
  std::atomic<bool> is_done{false};
  FollowThree(*watcher, told, is_done);
  const auto is_at = [&watcher](std::uint64_t version) {
    return watcher->WaitFor(
        [version](const v1::KeyVersion& latest) { return latest.version() == version; }, kBound);
  };
  const auto add_one = [](const v1::KeyVersion* latest) {
    v1::KeyVersion next;
    next.set_version(latest == nullptr ? 1 : latest->version() + 1);
    return std::optional<v1::KeyVersion>(next);
  };
  ASSERT_TRUE(writer.Update(add_one, kBound)->ok());
  ASSERT_TRUE(is_at(8).ok());
  ASSERT_TRUE(writer.Delete(kBound)->ok());
  AwaitTrue(is_done);
  EXPECT_EQ(told, "7; 8; none; ");
}

}  // namespace
}  // namespace sluice::test
