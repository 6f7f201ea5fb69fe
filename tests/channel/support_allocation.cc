// SPDX-License-Identifier: Apache-2.0
// Counts what is allocated, for the tests that promise not to.
#include <cstddef>
#include <cstdlib>
#include <new>

#include "tests/channel/support.h"

namespace {

thread_local std::size_t allocated_bytes = 0;

}  // namespace

namespace sluice::channel::testing {

std::size_t AllocatedBytes() { return allocated_bytes; }

}  // namespace sluice::channel::testing

void* operator new(std::size_t bytes) {
  allocated_bytes += bytes;
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
