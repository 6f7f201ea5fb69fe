// SPDX-License-Identifier: Apache-2.0
// Test cases about request/reply: a responder of the test's own, workers and callers that must
// open.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "tests/client/daemon.h"

namespace sluice::test {

class RequestCase : public DaemonTest {
 protected:
  using Handler = std::function<void(Request&, Reply)>;
  static constexpr std::chrono::milliseconds kReconnectCap{200};

  // The responder that this test has for itself.
  static std::string Name() {
    const auto& info = *::testing::UnitTest::GetInstance()->current_test_info();
    return std::string(info.test_suite_name()) + "." + info.name();
  }

  void SetUp() override { ASSERT_TRUE(client_.DeclareResponder(Name(), {}, kBound).ok()); }

  static ResponderOptions ServeOptions(Handler handler) {
    ResponderOptions options;
    options.responder = Name();
    options.spec.emplace();
    options.threads = handler ? 1 : 0;
    options.handler = std::move(handler);
    options.reconnect.cap = kReconnectCap;
    return options;
  }
  static Responder Serve(Client& client, ResponderOptions options) {
    auto responder = client.OpenResponder(std::move(options), kBound);
    if (!responder.ok()) throw std::runtime_error(responder.status().ToString());
    return *std::move(responder);
  }
  Responder Serve(Handler handler) { return Serve(client_, ServeOptions(std::move(handler))); }
  // One that is pulled.
  Responder Pull() { return Serve(client_, ServeOptions(nullptr)); }

  static CallerOptions CallOptionsFor() {
    CallerOptions options;
    options.responder = Name();
    options.reconnect.cap = kReconnectCap;
    return options;
  }
  static Caller Ask(Client& client, CallerOptions options) {
    auto caller = client.OpenCaller(std::move(options), kBound);
    if (!caller.ok()) throw std::runtime_error(caller.status().ToString());
    return *std::move(caller);
  }
  Caller Ask() { return Ask(client_, CallOptionsFor()); }

  static ReceivedRequest Next(Responder& responder) {
    auto next = responder.Next(kBound);
    if (!next.ok()) throw std::runtime_error(next.status().ToString());
    return *std::move(next);
  }

  // Waits until the responder looks so.
  ResponderDescription Eventually(const std::function<bool(const ResponderDescription&)>& holds) {
    const Deadline deadline(kBound);
    for (;;) {
      const auto reply = client_.DescribeResponder(Name(), kBound);
      if (!reply.ok()) throw std::runtime_error(reply.status().ToString());
      if (holds(reply->description)) return reply->description;
      if (deadline.has_passed()) throw std::runtime_error("it did not come about");
      std::this_thread::yield();
    }
  }

  // Of a handler: the payload comes back.
  static void Echo(Request& request, Reply reply) { (void)reply.Send(request.payload()); }
};

}  // namespace sluice::test
