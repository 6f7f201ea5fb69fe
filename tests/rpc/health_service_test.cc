// SPDX-License-Identifier: Apache-2.0
// grpc.health.v1 and grpc.reflection over a socket, as stock tools ask.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <set>

#include "grpc/health/v1/health.pb.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"
#include "tests/rpc/rpc_fixture.h"

namespace sluice::rpc {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using ::testing::UnorderedElementsAre;

class HealthServiceTest : public RpcTest {
 protected:
  RawClient::Answer<HealthCheckResponse> Check(const std::string& service) {
    HealthCheckRequest request;
    request.set_service(service);
    return client().Ask<HealthCheckResponse>("/grpc.health.v1.Health/Check", request);
  }
  std::unique_ptr<RawCall> Watch(const std::string& service) {
    HealthCheckRequest request;
    request.set_service(service);
    auto call = client().Start("/grpc.health.v1.Health/Watch");
    call->Write(request);
    call->HalfClose();
    return call;
  }
  static HealthCheckResponse::ServingStatus Next(RawCall& watch) {
    const auto frame = watch.Read<HealthCheckResponse>();
    EXPECT_TRUE(frame.has_value());
    return frame.has_value() ? frame->status() : HealthCheckResponse::UNKNOWN;
  }
};

TEST_F(HealthServiceTest, CheckAnswersForTheDaemonAndItsServices) {
  for (const char* service :
       {"", "sluice.v1.QueueService", "sluice.v1.SessionService", "sluice.v1.AdminService"}) {
    const auto answer = Check(service);
    EXPECT_TRUE(answer.ok());
    EXPECT_EQ(answer->status(), HealthCheckResponse::SERVING) << service;
  }
  const Fault fault = Check("sluice.v1.NoService").fault();
  EXPECT_EQ(fault.code, grpc::StatusCode::NOT_FOUND);
  server_->StopReadiness();
  EXPECT_EQ(Check("")->status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(Check("sluice.v1.QueueService")->status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(Check("liveness")->status(), HealthCheckResponse::SERVING);
  server_->SetAlive(false);
  EXPECT_EQ(Check("liveness")->status(), HealthCheckResponse::NOT_SERVING);
}

TEST_F(HealthServiceTest, WatchTellsTheStateAndEachChange) {
  const auto daemon = Watch("");
  const auto service = Watch("sluice.v1.QueueService");
  const auto unknown = Watch("sluice.v1.NoService");
  EXPECT_EQ(Next(*daemon), HealthCheckResponse::SERVING);
  EXPECT_EQ(Next(*service), HealthCheckResponse::SERVING);
  EXPECT_EQ(Next(*unknown), HealthCheckResponse::SERVICE_UNKNOWN);
  server_->StopReadiness();
  EXPECT_EQ(Next(*daemon), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(Next(*service), HealthCheckResponse::NOT_SERVING);
  Declare("orders");  // not ready is not closed: everything is still served
  server_->EndStreams();
  EXPECT_EQ(unknown->EndFault().reason, "DRAINING");  // nothing had changed for it
  EXPECT_EQ(daemon->EndFault().code, grpc::StatusCode::UNAVAILABLE);
}

TEST_F(HealthServiceTest, WatchThatAsksNothingIsRefused) {
  const auto silent = client().Start("/grpc.health.v1.Health/Watch");
  silent->HalfClose();
  EXPECT_EQ(silent->EndFault().reason, "OUT_OF_ORDER");
  const auto garbage = client().Start("/grpc.health.v1.Health/Watch");
  garbage->Write("\xff");
  EXPECT_EQ(garbage->EndFault().reason, "MALFORMED");
}

template <class RequestType, class ResponseType>
struct Version {
  using Request = RequestType;
  using Response = ResponseType;
};
using V1 = Version<grpc::reflection::v1::ServerReflectionRequest,
                   grpc::reflection::v1::ServerReflectionResponse>;
using V1Alpha = Version<grpc::reflection::v1alpha::ServerReflectionRequest,
                        grpc::reflection::v1alpha::ServerReflectionResponse>;

template <class V>
class ReflectionTest : public RpcTest {
 protected:
  using Request = typename V::Request;
  using Response = typename V::Response;

  void SetUp() override {
    options_.reflection = true;
    RpcTest::SetUp();
    const std::string name = Request::descriptor()->file()->package();
    stream_ = client().Start("/" + name + ".ServerReflection/ServerReflectionInfo");
  }
  Response Ask(const Request& request) {
    stream_->Write(request);
    const auto response = stream_->template Read<Response>();
    EXPECT_TRUE(response.has_value());
    return response.value_or(Response());
  }
  Response AskFor(const std::string& symbol) {
    Request request;
    request.set_file_containing_symbol(symbol);
    return Ask(request);
  }
  std::vector<std::string> Services() {
    Request request;
    request.set_list_services("*");
    std::vector<std::string> names;
    const Response response = Ask(request);
    for (const auto& service : response.list_services_response().service()) {
      names.push_back(service.name());
    }
    return names;
  }
  // A pool that knows only what was answered, as a stock tool has it.
  void Learn(const Response& response, google::protobuf::DescriptorPool& pool) {
    const auto& files = response.file_descriptor_response().file_descriptor_proto();
    EXPECT_GT(files.size(), 0);
    for (int i = files.size() - 1; i >= 0; --i) {  // imports stand behind who imports them
      google::protobuf::FileDescriptorProto file;
      ASSERT_TRUE(file.ParseFromString(files[i]));
      if (pool.FindFileByName(file.name()) == nullptr) {
        EXPECT_NE(pool.BuildFile(file), nullptr) << file.name();
      }
    }
  }

  std::unique_ptr<RawCall> stream_;
};
using Versions = ::testing::Types<V1, V1Alpha>;
TYPED_TEST_SUITE(ReflectionTest, Versions);

TYPED_TEST(ReflectionTest, ListsWhatIsServed) {
  EXPECT_THAT(this->Services(),
              UnorderedElementsAre("grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                                   "grpc.reflection.v1alpha.ServerReflection",
                                   "sluice.v1.AdminService", "sluice.v1.QueueService",
                                   "sluice.v1.RequestService", "sluice.v1.TopicService",
                                   "sluice.v1.ConfigService", "sluice.v1.SessionService"));
}

// A method in the descriptors that the table does not know would be UNIMPLEMENTED.
TYPED_TEST(ReflectionTest, EveryMethodThatItTellsOfIsServed) {
  int methods = 0;
  for (const std::string& name : this->Services()) {
    google::protobuf::DescriptorPool pool;
    this->Learn(this->AskFor(name), pool);
    const auto* service = pool.FindServiceByName(name);
    ASSERT_NE(service, nullptr) << name;
    for (int i = 0; i < service->method_count(); ++i) {
      const auto call = this->client().Start("/" + name + "/" + service->method(i)->name());
      call->HalfClose();
      const Fault fault = call->EndFault();
      EXPECT_NE(fault.code, grpc::StatusCode::UNIMPLEMENTED) << service->method(i)->full_name();
      if (!service->method(i)->client_streaming()) {
        EXPECT_EQ(fault.reason, "OUT_OF_ORDER") << service->method(i)->full_name();
      }
      ++methods;
    }
  }
  EXPECT_EQ(methods, 12 + 9 + 8 + 5 + 1 + 3 + 2 + 2);
}

TYPED_TEST(ReflectionTest, AnswersQuestionAfterQuestion) {
  typename TypeParam::Request request;
  request.set_host("here");
  request.set_file_by_filename("sluice/v1/queue.proto");
  const auto by_name = this->Ask(request);
  EXPECT_EQ(by_name.valid_host(), "here");
  EXPECT_EQ(by_name.original_request().file_by_filename(), "sluice/v1/queue.proto");
  EXPECT_EQ(by_name.file_descriptor_response().file_descriptor_proto_size(), 2);  // and its import
  google::protobuf::DescriptorPool pool;
  this->Learn(this->AskFor("sluice.v1.Message.payload"), pool);
  EXPECT_NE(pool.FindMessageTypeByName("sluice.v1.Message"), nullptr);
  const auto unknown = this->AskFor("sluice.v1.Nothing");
  EXPECT_EQ(unknown.error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  request.Clear();
  request.mutable_file_containing_extension()->set_containing_type("sluice.v1.Message");
  EXPECT_EQ(this->Ask(request).error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  request.Clear();
  EXPECT_EQ(this->Ask(request).error_response().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  this->stream_->HalfClose();
  EXPECT_TRUE(this->stream_->End().ok());
}

TYPED_TEST(ReflectionTest, IsNotServedUnlessAskedFor) {
  this->stream_.reset();
  this->options_.reflection = false;
  this->Serve();
  const std::string name = TypeParam::Request::descriptor()->file()->package();
  const auto stream = this->client().Start("/" + name + ".ServerReflection/ServerReflectionInfo");
  EXPECT_EQ(stream->EndFault().code, grpc::StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace sluice::rpc
