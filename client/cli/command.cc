// SPDX-License-Identifier: Apache-2.0
#include "command.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "invocation.h"

extern "C" {
#include <sys/pidfd.h>  // As Debian 12 has it, it does not say so itself.
}
extern char** environ;

namespace sluice::cli {
namespace {

using Clock = std::chrono::steady_clock;

class File {
 public:
  explicit File(int fd = -1) : fd_(fd) {}
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~File() { Close(); }

  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

struct Pipe {
  File read;
  File write;
};

Pipe MakePipe() {
  std::array<int, 2> ends = {-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) ends = {-1, -1};
  return {File(ends[0]), File(ends[1])};
}

void DoNotBlock(const File& file) { fcntl(file.fd(), F_SETFL, O_NONBLOCK); }

// The three ends that the program has.
struct Spawned {
  pid_t pid = 0;
  int error = 0;
};

Spawned Spawn(const Command& command, int in, int out, int err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t ours;  // That this process ignores or catches.
  sigemptyset(&ours);
  for (const int number : {SIGPIPE, SIGINT, SIGTERM}) sigaddset(&ours, number);
  posix_spawnattr_setsigdefault(&attributes, &ours);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);

  std::vector<char*> words;
  for (const std::string& word : command.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  std::vector<char*> environment;  // The first of a name is the one that programs find.
  for (const std::string& entry : command.environment)
    environment.push_back(const_cast<char*>(entry.c_str()));
  for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
  environment.push_back(nullptr);

  Spawned spawned;
  spawned.error =
      posix_spawnp(&spawned.pid, words[0], &actions, &attributes, words.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return spawned;
}

// One run: the loop over the program's pipes, its end, and the wish to stop it.
class Running {
 public:
  Running(const Command& command, pid_t pid, File in, File out, File err)
      : command_(command),
        pid_(pid),
        process_(pidfd_open(pid, 0)),
        stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        in_(std::move(in)),
        out_(std::move(out)),
        err_(std::move(err)),
        input_(command.input) {
    for (const File* file : {&in_, &out_, &err_}) DoNotBlock(*file);
    for (const std::stop_token& token : command.stops) {
      stops_.push_back(std::make_unique<StopCallback>(token, Raise{stop_.fd()}));
    }
  }

  CommandEnd Wait();

 private:
  struct Raise {
    int fd;
    void operator()() const {
      const std::uint64_t one = 1;
      (void)!write(fd, &one, sizeof one);
    }
  };
  using StopCallback = std::stop_callback<Raise>;

  void Stop();
  void Feed();
  // Reads what there is; false when it has ended.
  bool Drain(File& file, bool is_output);
  int PollTimeout() const;
  CommandEnd Reap() const;

  const Command& command_;
  const pid_t pid_;
  File process_;
  File stop_;
  File in_;
  File out_;
  File err_;
  std::string_view input_;
  bool is_stopping_ = false;
  std::optional<Clock::time_point> kill_at_;
  std::vector<std::unique_ptr<StopCallback>> stops_;
};

void Running::Stop() {
  if (is_stopping_) return;
  is_stopping_ = true;
  in_.Close();
  kill(-pid_, SIGTERM);
  kill_at_ = Clock::now() + command_.kill_after;
}

void Running::Feed() {
  if (input_.empty()) {
    in_.Close();
    return;
  }
  const ssize_t written = write(in_.fd(), input_.data(), input_.size());
  if (written > 0) input_.remove_prefix(static_cast<std::size_t>(written));
  // It need not read all, or anything, of its input.
  if (input_.empty() || (written < 0 && errno != EAGAIN && errno != EINTR)) in_.Close();
}

bool Running::Drain(File& file, bool is_output) {
  std::array<char, 65536> bytes;
  while (true) {
    const ssize_t size = read(file.fd(), bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return true;
    if (size <= 0) return false;
    const std::string_view text(bytes.data(), static_cast<std::size_t>(size));
    if (!is_output) {
      command_.on_error(text);
    } else if (!is_stopping_ && !command_.on_output(text)) {
      Stop();
    }
    if (static_cast<std::size_t>(size) < bytes.size()) return true;  // Others have their turn.
  }
}

int Running::PollTimeout() const {
  if (!kill_at_) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*kill_at_ - Clock::now());
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

CommandEnd Running::Reap() const {
  // What it left behind goes with it; its number is not given to others before it is reaped.
  if (is_stopping_) kill(-pid_, SIGKILL);
  siginfo_t info = {};
  while (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0 && errno == EINTR) {
  }
  CommandEnd end;
  end.was_stopped = is_stopping_;
  (info.si_code == CLD_EXITED ? end.exit_code : end.signal) = info.si_status;
  return end;
}

CommandEnd Running::Wait() {
  while (true) {
    std::array<pollfd, 5> polled = {
        pollfd{process_.fd(), POLLIN, 0}, pollfd{is_stopping_ ? -1 : stop_.fd(), POLLIN, 0},
        pollfd{in_.fd(), POLLOUT, 0}, pollfd{out_.fd(), POLLIN, 0}, pollfd{err_.fd(), POLLIN, 0}};
    if (poll(polled.data(), polled.size(), PollTimeout()) < 0) continue;  // Interrupted.
    if (polled[1].revents != 0) Stop();
    if (kill_at_ && Clock::now() >= *kill_at_) {
      kill(-pid_, SIGKILL);
      kill_at_.reset();
    }
    if (in_.is_open() && polled[2].revents != 0) Feed();
    const bool has_exited = polled[0].revents != 0;
    if (out_.is_open() && (polled[3].revents != 0 || has_exited) && !Drain(out_, true))
      out_.Close();
    if (err_.is_open() && (polled[4].revents != 0 || has_exited) && !Drain(err_, false))
      err_.Close();
    if (has_exited) return Reap();  // All that it wrote was there to be read.
  }
}

}  // namespace

Result<CommandEnd> Run(const Command& command) {
  Pipe in = MakePipe();
  Pipe out = MakePipe();
  Pipe err = MakePipe();
  if (!in.write.is_open() || !out.write.is_open() || !err.write.is_open()) {
    return BadOption(std::string("no pipe to the command: ") + std::strerror(errno));
  }
  const Spawned spawned = Spawn(command, in.read.fd(), out.write.fd(), err.write.fd());
  if (spawned.error != 0) {
    return BadOption("cannot run " + command.words[0] + ": " + std::strerror(spawned.error));
  }
  in.read.Close();
  out.write.Close();
  err.write.Close();
  return Running(command, spawned.pid, std::move(in.write), std::move(out.read),
                 std::move(err.read))
      .Wait();
}

bool CanRun(const std::string& program) {
  if (program.find('/') != std::string::npos) return access(program.c_str(), X_OK) == 0;
  const char* const path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "/bin:/usr/bin" : path;
  while (true) {
    const std::size_t colon = rest.find(':');
    const std::string folder(rest.substr(0, colon));
    if (access(((folder.empty() ? "." : folder) + "/" + program).c_str(), X_OK) == 0) return true;
    if (colon == std::string_view::npos) return false;
    rest.remove_prefix(colon + 1);
  }
}

}  // namespace sluice::cli
