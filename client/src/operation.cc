// SPDX-License-Identifier: Apache-2.0
#include "sluice/operation.h"

#include <cstdio>
#include <cstdlib>

namespace sluice {
inline namespace abi1 {

void DieOfMisuse(const char* what) {
  std::fprintf(stderr, "sluice: %s\n", what);
  std::abort();
}

}  // namespace abi1
}  // namespace sluice
