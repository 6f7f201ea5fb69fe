// SPDX-License-Identifier: Apache-2.0
// The page of /metrics, taken apart; and what makes each of its figures move: one scenario for each
// area, ending with figures that are known.
#pragma once

#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/admin/fixture.h"
#include "tests/broker/topic_fixture.h"

namespace sluice::admin {

// Of one page, by series: `name` or `name{label="value",...}`.
using Series = std::map<std::string, double>;

// A page that is not the text format fails the test.
Series ParsePage(const std::string& page);
// In the order of the page, as its TYPE lines say.
std::vector<std::string> FamiliesOf(const std::string& page);

class MetricsFixture : public AdminFixture {
 protected:
  std::string Page(const std::string& text = "/metrics") const;
  // The page of another broker or other calls.
  std::string PageOf(broker::Broker& of, const rpc::CallStats& its_calls,
                     std::uint32_t metrics_channels) const;
  // Reads the page, and keeps it for EveryFamily.
  Series Look();
  void Expect(std::initializer_list<std::pair<const char*, double>> expected);

  // --- scenarios; each looks at the page while its gauges are up ---
  void QueuesSend();
  void QueuesReceive();
  void QueuesEnd();
  void TopicsRetain();
  void TopicsBlock();
  void RequestsEnd();
  void KeysChange();
  void SessionsEnd();
  void CallsAreMade();
  void ConnectionsCome();
  void TheDaemonItself();

  // Everything that was shown for each family, page by page: equal ones once.
  std::map<std::string, std::set<std::string>> seen_;

  std::shared_ptr<broker::Queue> DeclareQueue(const std::string& name, std::uint64_t capacity);
  std::shared_ptr<broker::Topic> DeclareTopic(const std::string& name, std::uint64_t capacity,
                                              broker::SlowPolicy policy);
  std::shared_ptr<broker::Responder> DeclareResponder(const std::string& name,
                                                      std::uint64_t capacity = 8);
  void Pass(Duration duration);
  // Of one message each; none waits.
  broker::Outcome Send(broker::Queue& queue, broker::SendOptions options = {});
  broker::Outcome Publish(broker::Topic& topic, broker::SendOptions options = {});
  broker::Received Receive(broker::Queue& queue, std::uint32_t messages,
                           Duration lease = std::chrono::seconds(10));
  std::uint32_t Settle(broker::Queue& queue, std::uint64_t lease, std::uint64_t first,
                       std::uint32_t count, broker::SettleAction action,
                       Duration delay = Duration::zero());
};

}  // namespace sluice::admin
