// SPDX-License-Identifier: Apache-2.0
#include "broker/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "broker/limits.h"

namespace sluice::broker {

std::string RandomBytes(std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t filled = 0;
  while (filled < count) {
    const ssize_t n = getrandom(bytes.data() + filled, count - filled, 0);
    SLUICE_CHECK(n > 0 || errno == EINTR);
    if (n > 0) filled += static_cast<std::size_t>(n);
  }
  return bytes;
}

std::uint64_t RandomNumber() {
  std::uint64_t number = 0;
  do {
    const std::string bytes = RandomBytes(sizeof number);
    std::memcpy(&number, bytes.data(), sizeof number);
    number &= kDrawnMax;
  } while (number == 0);
  return number;
}

}  // namespace sluice::broker
