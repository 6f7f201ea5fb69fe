// SPDX-License-Identifier: Apache-2.0
// A pipeline of three over two bounded channels: one makes words, one measures them, one prints.
// The text does not know whether its channels are in this process or at a daemon: Ends says so.
//
//   Ends::Sender, Ends::Receiver   of std::string: Send and Recv, to be awaited; the last sender
//                                  that goes ends the channel
#pragma once

#include <coroutine>
#include <cstdio>
#include <exception>
#include <future>
#include <string>
#include <utility>

namespace both_ways {

// A coroutine that runs by itself, resumed by whatever it awaited.
struct Task {
  struct promise_type {
    Task get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() { std::terminate(); }
  };
};

template <class Ends>
Task MakeWords(typename Ends::Sender words) {
  for (const char* const word : {"a", "channel", "is", "a", "channel"}) {
    const auto sent = co_await words.Send(word);
    if (!sent.ok()) co_return;  // nobody will read it
  }
}

template <class Ends>
Task Measure(typename Ends::Receiver words, typename Ends::Sender lines) {
  while (auto word = co_await words.Recv()) {
    const std::string line = *word + " has " + std::to_string(word->size()) + " letters";
    const auto sent = co_await lines.Send(line);
    if (!sent.ok()) co_return;
  }
}

template <class Ends>
Task Print(typename Ends::Receiver lines, std::promise<int> printed) {
  int count = 0;
  while (auto line = co_await lines.Recv()) {
    std::printf("%s\n", line->c_str());
    ++count;
  }
  std::printf("the end, after %d lines\n", count);
  printed.set_value(count);
}

// Blocks until the end has come through.
template <class Ends>
int Run(typename Ends::Sender words_in, typename Ends::Receiver words_out,
        typename Ends::Sender lines_in, typename Ends::Receiver lines_out) {
  std::promise<int> printed;
  std::future<int> count = printed.get_future();
  Print<Ends>(std::move(lines_out), std::move(printed));
  Measure<Ends>(std::move(words_out), std::move(lines_in));
  MakeWords<Ends>(std::move(words_in));
  return count.get();
}

}  // namespace both_ways
