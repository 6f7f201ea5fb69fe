// SPDX-License-Identifier: Apache-2.0
// A daemon on a free port, and a test case with one and a client of it.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "sluice/client.h"

namespace sluice::test {

// How long anything may take before a test has failed: generous, for busy machines.
inline constexpr std::chrono::seconds kBound{30};
// For what must not happen: long enough for it to happen.
inline constexpr std::chrono::milliseconds kAWhile{100};

class Daemon {
 public:
  // Started when constructed; it serves.
  explicit Daemon(const std::vector<std::string>& options = {});
  // SIGTERM unless it is gone; checks exit code 0.
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  const std::string& address() const { return address_; }
  // SIGKILL, and waits until it is gone.
  void Kill();
  // SIGSTOP: it keeps its connections, and says nothing; SIGCONT.
  void Freeze();
  void Thaw();
  // Another one at the same address. Requires: it was killed.
  void Restart();

 private:
  void Start(const std::string& listen);

  const std::vector<std::string> options_;
  pid_t pid_ = 0;
  int output_ = -1;
  std::string address_;
};

// Every test has queues of its own in one daemon.
class DaemonTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { daemon_ = std::make_unique<Daemon>(); }
  static void TearDownTestSuite() { daemon_.reset(); }

  // Requires that it connects.
  static Client Connect(const Daemon& daemon);
  // The queue of this test, declared with this spec.
  std::string Declare(const QueueSpec& spec = {});
  // Sends payloads "1", "2", ... that must fit.
  void Fill(const std::string& queue, int count);
  // Waits until the queue looks so.
  QueueDescription Eventually(const std::string& queue, bool (*holds)(const QueueDescription&));
  QueueDescription Describe(const std::string& queue);
  Sender OpenSender(SenderOptions options);
  Receiver OpenReceiver(ReceiverOptions options);

  static std::unique_ptr<Daemon> daemon_;
  Client client_ = Connect(*daemon_);
};

}  // namespace sluice::test
