// SPDX-License-Identifier: Apache-2.0
#include "rpc/method_names.h"

#include <google/protobuf/descriptor.h>

#include <string>

#include "rpc/method_table.h"

namespace sluice::rpc {
namespace {

MethodName NameOf(const std::string& path, bool is_stream) {
  const std::size_t slash = path.rfind('/');
  MethodName name;
  name.service = path.substr(1, slash - 1);
  name.method = path.substr(slash + 1);
  name.type = is_stream ? CallType::kBidiStream : CallType::kUnary;
  const auto* method = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
      name.service + "." + name.method);
  if (method == nullptr) return name;
  const bool sends = method->client_streaming();
  const bool gets = method->server_streaming();
  name.type = sends && gets ? CallType::kBidiStream
              : sends       ? CallType::kClientStream
              : gets        ? CallType::kServerStream
                            : CallType::kUnary;
  return name;
}

}  // namespace

std::vector<MethodName> MethodNames(const MethodTable& methods) {
  std::vector<MethodName> names(methods.all().size() + 1);
  names.front() = {"unknown", "unknown", CallType::kUnary};
  for (const auto& [path, method] : methods.all()) {
    names[method.index] = NameOf(path, method.is_stream);
  }
  return names;
}

}  // namespace sluice::rpc
