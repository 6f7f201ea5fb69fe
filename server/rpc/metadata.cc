// SPDX-License-Identifier: Apache-2.0
#include "rpc/metadata.h"

#include <string_view>

namespace sluice::rpc {
namespace {

constexpr std::uint64_t kFieldOverheadBytes = 32;

std::uint64_t FieldBytes(std::string_view name, std::uint64_t value_bytes) {
  // Binary values travel in base64, unpadded.
  if (name.ends_with("-bin")) value_bytes = (value_bytes * 4 + 2) / 3;
  return kFieldOverheadBytes + name.size() + value_bytes;
}

}  // namespace

std::uint64_t MetadataBytes(const grpc::GenericServerContext& context) {
  std::uint64_t bytes = FieldBytes(":path", context.method().size()) +
                        FieldBytes(":authority", context.host().size());
  for (const auto& [name, value] : context.client_metadata()) {
    bytes += FieldBytes(std::string_view(name.data(), name.size()), value.size());
  }
  return bytes;
}

}  // namespace sluice::rpc
