// SPDX-License-Identifier: Apache-2.0
// The calls of ConfigService that are unary.
#include "config_calls.h"

#include "config_convert.h"
#include "queue_convert.h"
#include "sluice/client.h"
#include "transport.h"
#include "unary.h"

namespace sluice {
inline namespace abi1 {
namespace {

const char* const kSet = "/sluice.v1.ConfigService/SetKey";
const char* const kGet = "/sluice.v1.ConfigService/GetKey";
const char* const kDelete = "/sluice.v1.ConfigService/DeleteKey";
const char* const kList = "/sluice.v1.ConfigService/ListKeys";

// The outcome, the entry if there is one, and the watchers.
template <class To, class Wire>
To TakeAnswer(Wire& from) {
  To to;
  to.outcome = FromWire(from.outcome());
  if (from.has_entry()) to.entry = TakeFromWire(*from.mutable_entry());
  to.watchers = from.watchers();
  return to;
}

}  // namespace

Result<SetKeyReply> CallSetKey(Transport& transport, const SetKeyRequest& request,
                               Deadline deadline, Connecting connecting) {
  auto reply =
      UnaryCall<v1::SetKeyResponse>(transport.stub(), kSet, ToWire(request), deadline, connecting);
  if (!reply.ok()) return reply.status();
  SetKeyReply to = TakeAnswer<SetKeyReply>(*reply);
  to.full_reason = static_cast<FullReason>(reply->full_reason());
  return to;
}

Result<GetKeyReply> CallGetKey(Transport& transport, const GetKeyRequest& request,
                               Deadline deadline) {
  auto reply = UnaryCall<v1::GetKeyResponse>(transport.stub(), kGet, ToWire(request), deadline);
  if (!reply.ok()) return reply.status();
  GetKeyReply to = TakeAnswer<GetKeyReply>(*reply);
  to.reason = FromWire(reply->reason());
  return to;
}

Result<DeleteKeyReply> CallDeleteKey(Transport& transport, const std::string& key,
                                     std::optional<KeyVersion> expect, Deadline deadline,
                                     Connecting connecting) {
  v1::DeleteKeyRequest request;
  request.set_key(key);
  if (expect) *request.mutable_expect() = ToWire(*expect);
  auto reply =
      UnaryCall<v1::DeleteKeyResponse>(transport.stub(), kDelete, request, deadline, connecting);
  if (!reply.ok()) return reply.status();
  return TakeAnswer<DeleteKeyReply>(*reply);
}

Result<SetKeyReply> Client::SetKey(const SetKeyRequest& request, Deadline deadline) {
  return CallSetKey(*transport_, request, deadline);
}

Result<GetKeyReply> Client::GetKey(const GetKeyRequest& request, Deadline deadline) {
  return CallGetKey(*transport_, request, deadline);
}

Result<DeleteKeyReply> Client::DeleteKey(const std::string& key, Deadline deadline,
                                         std::optional<KeyVersion> expect) {
  return CallDeleteKey(*transport_, key, expect, deadline);
}

Result<ListKeysReply> Client::ListKeys(const std::string& prefix, Deadline deadline,
                                       std::uint32_t page_size, const std::string& page_token,
                                       bool without_values) {
  v1::ListKeysRequest request;
  request.set_prefix(prefix);
  request.set_page_size(page_size);
  request.set_page_token(page_token);
  request.set_without_values(without_values);
  auto reply = UnaryCall<v1::ListKeysResponse>(transport_->stub(), kList, request, deadline);
  if (!reply.ok()) return reply.status();
  ListKeysReply list;
  for (v1::Entry& entry : *reply->mutable_entries()) list.entries.push_back(TakeFromWire(entry));
  list.next_page_token = reply->next_page_token();
  return list;
}

}  // namespace abi1
}  // namespace sluice
