// SPDX-License-Identifier: Apache-2.0
// grpc.health.v1: Check and Watch.
#include "broker/refusals.h"
#include "grpc/health/v1/health.pb.h"
#include "rpc/services.h"
#include "rpc/unary.h"

namespace sluice::rpc {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

HealthCheckResponse Answer(const Health& health, const std::string& service) {
  HealthCheckResponse response;
  response.set_status(!Health::IsKnown(service)    ? HealthCheckResponse::SERVICE_UNKNOWN
                      : health.is_serving(service) ? HealthCheckResponse::SERVING
                                                   : HealthCheckResponse::NOT_SERVING);
  return response;
}

// Tells the state at once, then each change. An unknown service is an answer, not an end.
class HealthWatchHandler final : public Handler {
 public:
  HealthWatchHandler(Call& call, Health& health) : Handler(call), health_(health) {}

  void OnFrame(const grpc::ByteBuffer& frame) override {
    HealthCheckRequest request;
    if (Status parsed = Parse(frame, request); !parsed.ok()) return call().Finish(parsed);
    service_ = request.service();
    is_watching_ = true;
    health_.Watch(call().notifier());
    Tell();
  }
  void OnHalfClose() override {
    if (!is_watching_) {
      call().Finish(UnaryHandler<HealthCheckRequest, HealthCheckResponse>::NoRequest());
    }
  }
  void OnNotice() override { Tell(); }
  void OnWritten(bool ok) override {
    if (ok) Tell();
  }
  void OnDrain(bool is_final) override {
    if (is_final) call().Finish(broker::Draining());
  }

 private:
  void Tell() {
    if (!is_watching_ || call().is_writing()) return;
    const HealthCheckResponse response = Answer(health_, service_);
    if (response.status() == told_) return;
    told_ = response.status();
    call().Write(Serialize(response));
  }

  Health& health_;
  std::string service_;
  bool is_watching_ = false;
  HealthCheckResponse::ServingStatus told_ = HealthCheckResponse::UNKNOWN;
};

}  // namespace

void AddHealthService(const Services& services, MethodTable& methods) {
  AddUnary<HealthCheckRequest, HealthCheckResponse>(
      methods, "/grpc.health.v1.Health/Check", /*is_served_while_draining=*/true,
      [&services](const HealthCheckRequest& request, Call&) -> Result<HealthCheckResponse> {
        if (!Health::IsKnown(request.service())) {
          return Status(Code::kNotFound, "SERVICE_NOT_FOUND",
                        "no service is named " + request.service());
        }
        return Answer(services.health, request.service());
      });
  methods.Add("/grpc.health.v1.Health/Watch", {.make =
                                                   [&services](Call& call) {
                                                     return std::make_unique<HealthWatchHandler>(
                                                         call, services.health);
                                                   },
                                               .is_stream = true,
                                               .is_served_while_draining = true});
}

}  // namespace sluice::rpc
