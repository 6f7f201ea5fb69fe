// SPDX-License-Identifier: Apache-2.0
#include "tests/client/daemon.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

namespace sluice::test {
namespace {

std::string ReadLine(int descriptor) {
  std::string line;
  for (char c = 0; read(descriptor, &c, 1) == 1 && c != '\n';) line += c;
  return line;
}

}  // namespace

std::unique_ptr<Daemon> DaemonTest::daemon_;

Daemon::Daemon(const std::vector<std::string>& options) : options_(options) {
  Start("127.0.0.1:0");
}

void Daemon::Start(const std::string& listen) {
  const char* const given = std::getenv("SLUICED");
  std::vector<std::string> words = {given != nullptr ? given : SLUICED_PATH,
                                    "--listen",
                                    listen,
                                    "--http",
                                    "off",
                                    "--log-level",
                                    "warning"};
  words.insert(words.end(), options_.begin(), options_.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  posix_spawn_file_actions_addclose(&actions, ends[1]);
  const int error = posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  output_ = ends[0];
  if (error != 0) throw std::runtime_error("cannot start " + words[0]);
  // "sluiced listening on HOST:PORT port NUMBER"
  const std::string line = ReadLine(output_);
  const std::size_t at = line.rfind(" port ");
  if (at == std::string::npos) throw std::runtime_error("the daemon did not start: " + line);
  address_ = "127.0.0.1:" + line.substr(at + 6);
}

Daemon::~Daemon() {
  if (pid_ != 0) {
    kill(pid_, SIGTERM);
    int status = 0;
    waitpid(pid_, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
        << "the daemon ended with " << status;
  }
  close(output_);
}

void Daemon::Kill() {
  kill(pid_, SIGKILL);
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = 0;
}

void Daemon::Freeze() {
  kill(pid_, SIGSTOP);
  int status = 0;
  waitpid(pid_, &status, WUNTRACED);  // Until its last thread has stopped.
}
void Daemon::Thaw() { kill(pid_, SIGCONT); }

void Daemon::Restart() {
  close(output_);
  Start(address_);
}

Client DaemonTest::Connect(const Daemon& daemon) {
  ClientOptions options;
  options.address = daemon.address();
  auto client = Client::Connect(options);
  if (!client.ok()) throw std::runtime_error(client.status().ToString());
  return *std::move(client);
}

std::string DaemonTest::Declare(const QueueSpec& spec) {
  const auto& info = *::testing::UnitTest::GetInstance()->current_test_info();
  const std::string queue = std::string(info.test_suite_name()) + "." + info.name();
  const auto reply = client_.DeclareQueue(queue, spec, kBound);
  EXPECT_TRUE(reply.ok()) << reply.status().ToString();
  return queue;
}

void DaemonTest::Fill(const std::string& queue, int count) {
  std::vector<std::string> payloads;
  for (int i = 1; i <= count; ++i) payloads.push_back(std::to_string(i));
  SendRequest request;
  request.queue = queue;
  request.mode = SendMode::kTry;
  for (const std::string& payload : payloads) request.messages.push_back({payload, {}, {}, {}});
  const auto reply = client_.Send(request, kBound);
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  ASSERT_EQ(reply->outcomes.size(), 1u);
  ASSERT_EQ(reply->outcomes[0].outcome, Outcome::kOk);
}

QueueDescription DaemonTest::Describe(const std::string& queue) {
  auto description = client_.DescribeQueue(queue, kBound);
  if (!description.ok()) throw std::runtime_error(description.status().ToString());
  return *description;
}

QueueDescription DaemonTest::Eventually(const std::string& queue,
                                        bool (*holds)(const QueueDescription&)) {
  const Deadline deadline(kBound);
  for (;;) {
    QueueDescription description = Describe(queue);
    if (holds(description)) return description;
    if (deadline.has_passed()) throw std::runtime_error("what was waited for did not come about");
    std::this_thread::yield();
  }
}

Sender DaemonTest::OpenSender(SenderOptions options) {
  auto sender = client_.OpenSender(std::move(options), kBound);
  if (!sender.ok()) throw std::runtime_error(sender.status().ToString());
  return *std::move(sender);
}

Receiver DaemonTest::OpenReceiver(ReceiverOptions options) {
  auto receiver = client_.OpenReceiver(std::move(options), kBound);
  if (!receiver.ok()) throw std::runtime_error(receiver.status().ToString());
  return *std::move(receiver);
}

}  // namespace sluice::test
