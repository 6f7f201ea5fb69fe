// SPDX-License-Identifier: Apache-2.0
// ConfigService: the methods that are answered at once. Those that may wait or stream are handlers
// of their own (get_key_handler.cc, watch_handler.cc).
#include <utility>

#include "broker/config.h"
#include "broker/limits.h"
#include "rpc/channel_service.h"
#include "rpc/config_convert.h"
#include "rpc/config_handlers.h"
#include "rpc/unary.h"
#include "wire/frame_writer.h"

namespace sluice::rpc {
namespace {

const std::string kService = "/sluice.v1.ConfigService/";

Result<grpc::ByteBuffer> Set(broker::Broker& broker, v1::SetKeyRequest& request) {
  Result<broker::SetOptions> options = FromWire(request);
  if (!options) return options.error();
  broker::Sessions& sessions = broker.sessions();
  const std::string session = options->session_id;
  if (!session.empty()) {
    if (Status tied = sessions.Tie(session, broker.config()); !tied.ok()) return tied;
  }
  Result<broker::KeyAnswer> answer = broker.config()->Set(*std::move(options));
  // The session may have ended between being tied and being used.
  if (!session.empty() && sessions.fence(session) == 0) broker.config()->SessionEnded(session);
  if (!answer) return answer.error();
  return ToFrame(*answer, answer->outcome != broker::Outcome::kOk);
}

Result<grpc::ByteBuffer> Delete(broker::Broker& broker, v1::DeleteKeyRequest& request) {
  Result<broker::KeyAnswer> answer =
      broker.config()->Delete(request.key(), VersionOf(request.has_expect(), request.expect()));
  if (!answer) return answer.error();
  return ToFrame(*answer, true);
}

Result<grpc::ByteBuffer> List(broker::Broker& broker, v1::ListKeysRequest& request) {
  if (!request.page_token().empty()) {
    Status token = broker::CheckName("page_token", request.page_token());
    if (!token.ok()) return token;
  }
  const bool with_values = !request.without_values();
  const broker::KeyPage page =
      broker.config()->List(request.prefix(), request.page_token(), PageSize(request.page_size()),
                            broker::kDeliveryBytesMax, with_values);
  EntryFrame frame;
  for (const broker::EntryPtr& entry : page.entries) {
    frame.Add(v1::ListKeysResponse::kEntriesFieldNumber, entry, with_values);
  }
  if (page.has_more) {
    wire::AppendBytes(frame.text(), v1::ListKeysResponse::kNextPageTokenFieldNumber,
                      page.entries.back()->key);
  }
  return frame.Finish();
}

// Not a UnaryHandler: the answer carries stored bytes as they are.
template <class Request, class Response>
class FrameHandler final : public Handler {
 public:
  using Function = Result<grpc::ByteBuffer> (*)(broker::Broker&, Request&);
  FrameHandler(Call& call, broker::Broker& broker, Function answer)
      : Handler(call), broker_(broker), answer_(answer) {}

  void OnFrame(const grpc::ByteBuffer& frame) override {
    Request request;
    if (Status parsed = Parse(frame, request); !parsed.ok()) return call().Finish(parsed);
    Result<grpc::ByteBuffer> response = answer_(broker_, request);
    if (!response) return call().Finish(response.error());
    call().WriteAndFinish(*response);
  }
  void OnHalfClose() override { call().Finish(UnaryHandler<Request, Response>::NoRequest()); }

 private:
  broker::Broker& broker_;
  const Function answer_;
};

template <class Request, class Response>
void AddFrame(const Services& services, MethodTable& methods, const char* verb,
              bool is_served_while_draining,
              Result<grpc::ByteBuffer> (*answer)(broker::Broker&, Request&)) {
  methods.Add(kService + verb, {.make =
                                    [&services, answer](Call& call) {
                                      return std::make_unique<FrameHandler<Request, Response>>(
                                          call, services.broker, answer);
                                    },
                                .is_stream = false,
                                .is_served_while_draining = is_served_while_draining});
}

}  // namespace

void AddConfigService(const Services& services, MethodTable& methods) {
  AddFrame<v1::SetKeyRequest, v1::SetKeyResponse>(services, methods, "SetKey", false, Set);
  AddHandler<GetKeyHandler>(services, methods, kService + "GetKey", false, false);
  AddFrame<v1::DeleteKeyRequest, v1::DeleteKeyResponse>(services, methods, "DeleteKey", false,
                                                        Delete);
  AddFrame<v1::ListKeysRequest, v1::ListKeysResponse>(services, methods, "ListKeys", true, List);
  AddHandler<WatchHandler>(services, methods, kService + "Watch", true, false);
}

}  // namespace sluice::rpc
