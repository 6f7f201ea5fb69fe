// SPDX-License-Identifier: Apache-2.0
// Request/reply: a question, and the one answer to it; or the fact that there will be none.
//
// Usage: example_request [ADDRESS]
#include <algorithm>
#include <cstdio>
#include <string>

#include "sluice/client.h"

using namespace std::chrono_literals;

namespace {

constexpr char kResponder[] = "example/upper";

int Fail(const sluice::Status& status) {
  std::fprintf(stderr, "example_request: %s\n", status.ToString().c_str());
  return 1;
}

// An answer is a value, whatever it is; a status says that nothing was asked.
void Print(const char* question, const sluice::Result<sluice::CallReply>& reply) {
  if (!reply) {
    std::printf("%s: %s\n", question, reply.status().ToString().c_str());
    return;
  }
  std::printf("%s: %s", question, ToString(reply->outcome).c_str());
  if (reply->ok()) std::printf(", \"%s\"", reply->message.payload.c_str());
  if (!reply->failure.code.empty()) std::printf(", code %s", reply->failure.code.c_str());
  std::printf("\n");
}

// Runs on a thread of the worker's own. What it does not answer fails by itself.
void Upper(sluice::Request& request, sluice::Reply reply) {
  std::string text(request.payload());
  if (text.empty()) {
    (void)reply.Fail("EMPTY", "there is nothing to make upper case");
    return;
  }
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  (void)reply.Send(text);  // false: the caller has gone, and nobody wants it
}

int Run(const std::string& address) {
  sluice::ClientOptions where;
  where.address = address;
  auto client = sluice::Client::Connect(where);
  if (!client) return Fail(client.status());
  if (auto declared = client->DeclareResponder(kResponder, {}, 5s); !declared) {
    return Fail(declared.status());
  }

  sluice::CallerOptions calling;
  calling.responder = kResponder;
  auto caller = client->OpenCaller(calling, 5s);
  if (!caller) return Fail(caller.status());

  // Nobody serves: that is an answer, at once, and not a timeout.
  Print("hello", caller->Call("hello").Wait(5s));

  sluice::ResponderOptions serving;
  serving.responder = kResponder;
  serving.worker = "example";
  serving.handler = Upper;
  auto responder = client->OpenResponder(serving, 5s);
  if (!responder) return Fail(responder.status());

  Print("hello", caller->Call("hello").Wait(5s));
  Print("nothing", caller->Call("").Wait(5s));

  // Many calls are on their way at once, and answered in any order.
  auto first = caller->Call("one");
  auto second = caller->Call("two");
  std::string joined;
  second.Start([&joined](const sluice::Result<sluice::CallReply>& reply) {
    if (reply) joined = reply->message.payload;
  });
  const auto one = first.Wait(5s);
  if (!one) return Fail(one.status());
  if (auto end = caller->Close(5s); !end) return Fail(end.status());  // waits for both
  std::printf("together: %s and %s\n", one->message.payload.c_str(), joined.c_str());

  if (auto end = responder->Close(5s); !end) return Fail(end.status());
  const auto deleted = client->DeleteResponder(kResponder, 5s);
  return deleted.ok() && joined == "TWO" ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) { return Run(argc > 1 ? argv[1] : "127.0.0.1:7400"); }
