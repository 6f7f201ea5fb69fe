// SPDX-License-Identifier: Apache-2.0
// The pipeline within one process, on the primitives that the daemon is made of.
#include "channel/awaitable.h"
#include "channel/mpsc.h"
#include "pipeline.h"

namespace {

struct Local {
  using Sender = sluice::channel::mpsc::Sender<std::string>;
  using Receiver = sluice::channel::mpsc::Receiver<std::string>;
};

}  // namespace

int main() {
  auto [words_in, words_out] = sluice::channel::mpsc::Bounded<std::string>(2);
  auto [lines_in, lines_out] = sluice::channel::mpsc::Bounded<std::string>(2);
  const int count = both_ways::Run<Local>(std::move(words_in), std::move(words_out),
                                          std::move(lines_in), std::move(lines_out));
  return count == 5 ? 0 : 1;
}
