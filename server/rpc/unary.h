// SPDX-License-Identifier: Apache-2.0
// Methods that take one request and can answer it at once.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/result.h"
#include "rpc/byte_buffer.h"
#include "rpc/call.h"
#include "rpc/method_table.h"

namespace sluice::rpc {

template <class Request, class Response>
class UnaryHandler final : public Handler {
 public:
  using Function = std::function<Result<Response>(const Request&, Call&)>;
  UnaryHandler(Call& call, const Function& answer) : Handler(call), answer_(answer) {}

  void OnFrame(const grpc::ByteBuffer& frame) override {
    Request request;
    if (Status parsed = Parse(frame, request); !parsed.ok()) return call().Finish(parsed);
    Result<Response> response = answer_(request, call());
    if (!response) return call().Finish(response.error());
    call().WriteAndFinish(Serialize(*response));
  }
  void OnHalfClose() override { call().Finish(NoRequest()); }

  static Status NoRequest() {
    return Status(Code::kInvalidArgument, "OUT_OF_ORDER", "the call ended without a request")
        .With("field", "frame");
  }

 private:
  const Function& answer_;
};

// `answer` outlives every call: it lives in the table.
template <class Request, class Response>
void AddUnary(MethodTable& methods, const std::string& name, bool is_served_while_draining,
              std::function<Result<Response>(const Request&, Call&)> answer) {
  auto shared = std::make_shared<const decltype(answer)>(std::move(answer));
  methods.Add(name, {.make =
                         [shared](Call& call) {
                           return std::make_unique<UnaryHandler<Request, Response>>(call, *shared);
                         },
                     .is_stream = false,
                     .is_served_while_draining = is_served_while_draining});
}

}  // namespace sluice::rpc
