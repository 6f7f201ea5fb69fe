// SPDX-License-Identifier: Apache-2.0
// What a completion queue hands back: its tags are pointers to this. Owned by whoever started the
// operation.
#pragma once

namespace sluice {
inline namespace abi1 {

class Completion {
 public:
  virtual void Complete(bool ok) = 0;

 protected:
  ~Completion() = default;
};

}  // namespace abi1
}  // namespace sluice
