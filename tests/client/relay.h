// SPDX-License-Identifier: Apache-2.0
// A TCP relay on a free port of this machine: what stands between a client and its daemon, and may
// be cut while both live on.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <thread>

namespace sluice::test {

class Relay {
 public:
  // To "127.0.0.1:PORT".
  explicit Relay(const std::string& target);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  const std::string& address() const { return address_; }
  // Resets all connections; new ones are relayed again.
  void Cut();
  // While held, connections stay open, and nothing passes.
  void Hold(bool held);
  // From now on new connections are reset at once.
  void Refuse(bool refuses) { is_refusing_ = refuses; }

 private:
  void Run();
  void Accept();
  // False: one end has gone.
  bool Pass(int from, int to);
  void CloseAll();

  const int target_port_;
  int listener_ = -1;
  int wake_[2] = {-1, -1};
  std::string address_;
  std::map<int, int> pairs_;  // Both ways. The thread alone.
  std::atomic<int> cuts_wanted_{0};
  std::atomic<int> cuts_done_{0};
  std::atomic<bool> is_held_{false};
  std::atomic<bool> is_refusing_{false};
  std::atomic<bool> is_over_{false};
  std::thread thread_;
};

}  // namespace sluice::test
