// SPDX-License-Identifier: Apache-2.0
// The room of a bounded channel, counted in slots, and the fair line of those who wait for it.
//
// A slot is free, or issued: to a queued value, or to a permit. Requests are served strictly from
// the head of the line (M7): while somebody waits nothing is free for anybody else (M8, M10), and a
// large request at the head holds back a small one behind it (M9). So `capacity` reads 0 while the
// line is not empty.
//
// Threads: none of its own; the channel's lock guards it.
#pragma once

#include <cstddef>

#include "base/check.h"
#include "base/intrusive_list.h"

namespace sluice::channel {

template <class Request>
class SlotLine {
 public:
  explicit SlotLine(std::size_t slots) : slots_(slots) {}

  std::size_t max_capacity() const noexcept { return slots_; }
  std::size_t capacity() const noexcept { return line_.empty() ? free() : 0; }  // M25
  std::size_t issued() const noexcept { return issued_; }
  bool is_idle() const noexcept { return issued_ == 0; }  // every slot came back (M31)
  bool has_line() const noexcept { return !line_.empty(); }
  std::size_t waiting() const noexcept { return line_.size(); }
  Request* head() const noexcept { return line_.front(); }

  // Issues n slots, or none: somebody is in line, or fewer are free.
  bool TryIssue(std::size_t n) noexcept {
    if (has_line() || n > free()) return false;
    issued_ += n;
    return true;
  }

  // Issues up to n slots to the head of the line, which alone may call this while a line stands.
  std::size_t IssueUpTo(std::size_t n) noexcept {
    const std::size_t k = n < free() ? n : free();
    issued_ += k;
    return k;
  }

  // Gives slots back. The caller then serves the line.
  void Return(std::size_t n) noexcept {
    SLUICE_CHECK(n <= issued_);
    issued_ -= n;
  }

  void Join(Request& request) noexcept { line_.PushBack(request); }
  // Leaves the line, from wherever it stands in it (M15). The caller then serves the line.
  void Leave(Request& request) noexcept { line_.Erase(request); }

  // Serves the line: `serve(head)` takes what it can by IssueUpTo and says whether the request is
  // satisfied; a satisfied one has left the line when `done(request)` is called.
  template <class Serve, class Done>
  void Advance(Serve&& serve, Done&& done) {
    while (Request* head = line_.front()) {
      if (!serve(*head)) return;
      line_.Erase(*head);
      done(*head);
    }
  }

  std::size_t free() const noexcept { return slots_ - issued_; }

 private:
  const std::size_t slots_;
  std::size_t issued_ = 0;
  IntrusiveList<Request> line_;
};

}  // namespace sluice::channel
