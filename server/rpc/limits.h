// SPDX-License-Identifier: Apache-2.0
// Bounds of what travels. ServerInfo answers them; docs/wire.md explains them.
#pragma once

#include <cstdint>

namespace sluice::rpc {

inline constexpr std::uint32_t kRequestFrameBytesMax = 4u << 20;
// gRPC's own limit lies above ours, so that the refusal is ours and typed; beyond it gRPC answers a
// bare RESOURCE_EXHAUSTED.
inline constexpr int kTransportFrameBytesMax = 16 << 20;
// Of a call, counted as HTTP/2 counts a header list: 32 bytes a field beside its name and value.
// gRPC's own limit is likewise above ours; and it binds only clients that acknowledged it.
inline constexpr std::uint32_t kMetadataBytesMax = 16u << 10;
inline constexpr int kTransportMetadataBytesMax = 32 << 10;
inline constexpr std::uint32_t kHeadersMax = 64;
inline constexpr std::uint32_t kHeaderBytesMax = 8u << 10;
inline constexpr std::uint32_t kFrameMessagesMax = 65'536;
inline constexpr std::uint32_t kSettlementsMax = 10'000;  // in one frame
inline constexpr std::uint32_t kStreamCallsMax = 1'024;  // open on one CallStream, and in one frame
inline constexpr std::uint32_t kPageSizeDefault = 100;
inline constexpr std::uint32_t kPageSizeMax = 1'000;
// A unary answer stays under a stock client's limit of 4 MiB.
inline constexpr std::uint64_t kUnaryDeliveryBytesMax = (4u << 20) - (64u << 10);

}  // namespace sluice::rpc
