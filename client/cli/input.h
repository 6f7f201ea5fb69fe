// SPDX-License-Identifier: Apache-2.0
// stdin, read past the C++ streams: they take one that cannot be read for one that is empty, and do
// not stop for a signal. What cannot be read is BAD_OPTION, field stdin. One thread.
#pragma once

#include <string>

#include "sluice/status.h"

namespace sluice::cli {

// All of it.
Result<std::string> ReadStdin();

class InputLines {
 public:
  // False: there are no more, or a signal was caught (signals.h). The last one needs no line feed.
  Result<bool> Next(std::string& line);

 private:
  std::string bytes_;
  std::size_t begin_ = 0;  // Of the next line.
  bool is_over_ = false;
};

}  // namespace sluice::cli
