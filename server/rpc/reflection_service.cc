// SPDX-License-Identifier: Apache-2.0
// grpc.reflection.v1 and v1alpha: what this daemon serves, from the generated descriptors.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <array>
#include <set>

#include "broker/refusals.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"
#include "rpc/services.h"
#include "rpc/unary.h"

namespace sluice::rpc {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;

constexpr std::array<const char*, 9> kServed = {
    "grpc.health.v1.Health",    "grpc.reflection.v1.ServerReflection",
    "sluice.v1.AdminService",   "grpc.reflection.v1alpha.ServerReflection",
    "sluice.v1.QueueService",   "sluice.v1.TopicService",
    "sluice.v1.RequestService", "sluice.v1.SessionService",
    "sluice.v1.ConfigService"};

// A file and all that it imports, each once.
template <class Files>
void AddWithImports(const FileDescriptor& file, std::set<const FileDescriptor*>& seen, Files& out) {
  if (!seen.insert(&file).second) return;
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  out.add_file_descriptor_proto(proto.SerializeAsString());
  for (int i = 0; i < file.dependency_count(); ++i) AddWithImports(*file.dependency(i), seen, out);
}

template <class Response>
void AnswerWithFile(const FileDescriptor* file, const std::string& asked, Response& response) {
  if (file == nullptr) {
    response.mutable_error_response()->set_error_code(static_cast<int>(Code::kNotFound));
    response.mutable_error_response()->set_error_message("nothing is known of " + asked);
    return;
  }
  std::set<const FileDescriptor*> seen;
  AddWithImports(*file, seen, *response.mutable_file_descriptor_response());
}

template <class Request, class Response>
Response Answer(const Request& request) {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  Response response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case Request::kFileByFilename:
      AnswerWithFile(pool.FindFileByName(request.file_by_filename()), request.file_by_filename(),
                     response);
      break;
    case Request::kFileContainingSymbol:
      AnswerWithFile(pool.FindFileContainingSymbol(request.file_containing_symbol()),
                     request.file_containing_symbol(), response);
      break;
    case Request::kListServices:
      for (const char* name : kServed) {
        response.mutable_list_services_response()->add_service()->set_name(name);
      }
      break;
    case Request::kAllExtensionNumbersOfType:
    case Request::kFileContainingExtension:
      // proto3 has no extensions.
      AnswerWithFile<Response>(nullptr, "extensions", response);
      break;
    case Request::MESSAGE_REQUEST_NOT_SET:
      response.mutable_error_response()->set_error_code(static_cast<int>(Code::kInvalidArgument));
      response.mutable_error_response()->set_error_message("the request asks nothing");
      break;
  }
  return response;
}

// One answer a question, in order; the next question is read when the answer is out.
template <class Request, class Response>
class ReflectionHandler final : public Handler {
 public:
  using Handler::Handler;

  void OnFrame(const grpc::ByteBuffer& frame) override {
    Request request;
    if (Status parsed = Parse(frame, request); !parsed.ok()) return call().Finish(parsed);
    call().Write(Serialize(Answer<Request, Response>(request)));
  }
  void OnHalfClose() override { call().Finish(Status()); }
  void OnWritten(bool ok) override {
    if (ok) call().Read();
  }
  void OnDrain(bool is_final) override {
    if (is_final) call().Finish(broker::Draining());
  }
};

template <class Request, class Response>
void AddReflection(MethodTable& methods, const char* service) {
  methods.Add(
      std::string("/") + service + "/ServerReflectionInfo",
      {.make =
           [](Call& call) { return std::make_unique<ReflectionHandler<Request, Response>>(call); },
       .is_stream = true,
       .is_served_while_draining = true});
}

}  // namespace

void AddReflectionService(MethodTable& methods) {
  AddReflection<grpc::reflection::v1::ServerReflectionRequest,
                grpc::reflection::v1::ServerReflectionResponse>(
      methods, "grpc.reflection.v1.ServerReflection");
  AddReflection<grpc::reflection::v1alpha::ServerReflectionRequest,
                grpc::reflection::v1alpha::ServerReflectionResponse>(
      methods, "grpc.reflection.v1alpha.ServerReflection");
}

}  // namespace sluice::rpc
