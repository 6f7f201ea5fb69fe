// SPDX-License-Identifier: Apache-2.0
// Received frames with messages, read in place.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <string>

#include "sluice/message.h"

namespace sluice {
inline namespace abi1 {

class BatchReader {
 public:
  // Takes the frame into `batch`, the memory of which is used again, and puts the encoded fields
  // beside messages and runs into `other`. False: this is not a frame, or its runs do not tell of
  // each message once. `lease` is that of the deliveries.
  static bool Read(grpc::ByteBuffer& frame, Batch& batch, std::string& other,
                   std::uint64_t lease = 0);
  static void SetLease(Batch& batch, std::uint64_t lease);
};

}  // namespace abi1
}  // namespace sluice
