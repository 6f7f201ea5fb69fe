// SPDX-License-Identifier: Apache-2.0
#include "input.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "invocation.h"
#include "signals.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kReadBytes = 64 << 10;

Status Unreadable(int error) {
  return BadOption(std::string("stdin cannot be read: ") + std::strerror(error),
                   {{"field", "stdin"}});
}

// When the program began: since then main, or a library even before it, has taken its place by what
// is written only, or is no file of any kind. To wait for it would be to wait for ever.
bool IsClosed() {
  struct stat what = {};
  const bool is_something = fstat(STDIN_FILENO, &what) == 0 && (what.st_mode & S_IFMT) != 0;
  return !is_something || (fcntl(STDIN_FILENO, F_GETFL) & O_ACCMODE) == O_WRONLY;
}

// Appends some bytes. False: it is over, or a signal was caught.
Result<bool> ReadSome(std::string& bytes) {
  if (IsClosed()) return Unreadable(EBADF);
  char chunk[kReadBytes];
  while (SignalsCaught() == 0) {
    // Not read at once: a signal that comes just before a read that waits would not be seen.
    pollfd ready = {STDIN_FILENO, POLLIN, 0};
    if (poll(&ready, 1, static_cast<int>(kSignalPoll.count())) < 1) continue;
    const ssize_t count = read(STDIN_FILENO, chunk, sizeof(chunk));
    if (count >= 0) {
      bytes.append(chunk, static_cast<std::size_t>(count));
      return count > 0;
    }
    if (errno == EINTR || errno == EAGAIN) continue;
    return Unreadable(errno);
  }
  return false;
}

}  // namespace

Result<std::string> ReadStdin() {
  std::string all;
  for (;;) {
    const auto more = ReadSome(all);
    if (!more.ok()) return more.status();
    if (!*more) return all;
  }
}

Result<bool> InputLines::Next(std::string& line) {
  std::size_t end = bytes_.find('\n', begin_);
  while (end == std::string::npos && !is_over_) {
    bytes_.erase(0, begin_);
    begin_ = 0;
    const std::size_t searched = bytes_.size();
    const auto more = ReadSome(bytes_);
    if (!more.ok()) return more.status();
    is_over_ = !*more;
    end = bytes_.find('\n', searched);
  }
  if (SignalsCaught() > 0) return false;
  if (end == std::string::npos) {
    if (begin_ == bytes_.size()) return false;
    end = bytes_.size();
  }
  line.assign(bytes_, begin_, end - begin_);
  begin_ = std::min(end + 1, bytes_.size());
  return true;
}

}  // namespace sluice::cli
