// SPDX-License-Identifier: Apache-2.0
// ConfigService over a socket: short forms of its calls, and a watch stream.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sluice/v1/config.pb.h"
#include "sluice/v1/session.pb.h"
#include "tests/rpc/rpc_fixture.h"

namespace sluice::rpc {

inline constexpr char kSetKey[] = "/sluice.v1.ConfigService/SetKey";
inline constexpr char kGetKey[] = "/sluice.v1.ConfigService/GetKey";
inline constexpr char kDeleteKey[] = "/sluice.v1.ConfigService/DeleteKey";
inline constexpr char kListKeys[] = "/sluice.v1.ConfigService/ListKeys";
inline constexpr char kWatch[] = "/sluice.v1.ConfigService/Watch";

inline v1::WatchRequest Watching(const std::vector<std::string>& keys,
                                 const std::vector<std::string>& prefixes = {}) {
  v1::WatchRequest request;
  for (const std::string& key : keys) request.add_keys(key);
  for (const std::string& prefix : prefixes) request.add_prefixes(prefix);
  return request;
}

class ConfigTest : public RpcTest {
 protected:
  static v1::SetKeyRequest Setting(const std::string& key, const std::string& value = "") {
    v1::SetKeyRequest request;
    request.set_key(key);
    request.set_value(value);
    return request;
  }
  v1::SetKeyResponse Set(const v1::SetKeyRequest& request) {
    const auto answer = client().Ask<v1::SetKeyResponse>(kSetKey, request);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return answer.response;
  }
  v1::SetKeyResponse Set(const std::string& key, const std::string& value) {
    const v1::SetKeyResponse response = Set(Setting(key, value));
    EXPECT_EQ(response.outcome(), v1::OUTCOME_OK);
    return response;
  }
  v1::GetKeyResponse Get(const std::string& key) {
    v1::GetKeyRequest request;
    request.set_key(key);
    const auto answer = client().Ask<v1::GetKeyResponse>(kGetKey, request);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return answer.response;
  }
  v1::DeleteKeyResponse Delete(const std::string& key) {
    v1::DeleteKeyRequest request;
    request.set_key(key);
    const auto answer = client().Ask<v1::DeleteKeyResponse>(kDeleteKey, request);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return answer.response;
  }
  static v1::KeyVersion VersionOf(const v1::Entry& entry) {
    v1::KeyVersion version;
    version.set_epoch(entry.epoch());
    version.set_version(entry.version());
    return version;
  }

  std::unique_ptr<RawCall> Start(const std::string& method,
                                 const google::protobuf::MessageLite& request) {
    auto call = client().Start(method);
    call->Write(request);
    call->HalfClose();
    return call;
  }
  std::unique_ptr<RawCall> StartWatching(const v1::WatchRequest& request) {
    return Start(kWatch, request);
  }
  // Reads entries until the end of the snapshot, which it returns.
  static v1::EndOfSnapshot ReadSnapshot(RawCall& watch, std::vector<v1::Entry>& entries) {
    for (;;) {
      const auto frame = watch.Read<v1::WatchResponse>();
      if (!frame.has_value()) {
        ADD_FAILURE() << watch.End().error_message();
        return v1::EndOfSnapshot();
      }
      entries.insert(entries.end(), frame->entries().begin(), frame->entries().end());
      if (frame->has_end_of_snapshot()) return frame->end_of_snapshot();
    }
  }
  static v1::EndOfSnapshot ReadSnapshot(RawCall& watch) {
    std::vector<v1::Entry> entries;
    return ReadSnapshot(watch, entries);
  }
  // The one entry of the next frame.
  static v1::Entry ReadEntry(RawCall& watch) {
    const auto frame = watch.Read<v1::WatchResponse>();
    EXPECT_TRUE(frame.has_value() && frame->entries_size() == 1);
    return frame.has_value() && frame->entries_size() == 1 ? frame->entries(0) : v1::Entry();
  }

  // "REASON field" of a refusal, which must be INVALID_ARGUMENT.
  std::string RefusalOf(const std::string& method, const google::protobuf::MessageLite& request) {
    const Fault fault = Start(method, request)->EndFault();
    EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT) << fault.message;
    const auto field = fault.details.find("field");
    return fault.reason + " " + (field == fault.details.end() ? "" : field->second);
  }
  void EventuallyTotals(const std::function<bool(const broker::Broker::Totals&)>& holds) {
    Eventually([&, this] { return holds(broker_->totals()); });
  }
  void EventuallyWaiting(std::uint64_t gets) {
    EventuallyTotals([=](const auto& totals) { return totals.waiting_gets == gets; });
  }
  void StartDrain() {
    server_->StopReadiness();
    broker_->StartDrain();
    server_->StartDrain();
  }
};

}  // namespace sluice::rpc
