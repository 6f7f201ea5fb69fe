// SPDX-License-Identifier: Apache-2.0
// Our enumerators carry the numbers of the protocol's, so that they are converted by a cast.
#pragma once

namespace sluice {
inline namespace abi1 {

template <class Ours, class Theirs>
constexpr bool Same(Ours ours, Theirs theirs) {
  return static_cast<int>(ours) == static_cast<int>(theirs);
}

}  // namespace abi1
}  // namespace sluice
