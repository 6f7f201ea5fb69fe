// SPDX-License-Identifier: Apache-2.0
#include "rpc/self_probe.h"

#include <grpc/support/time.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/generic/generic_stub.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/host_port.h"
#include "rpc/byte_buffer.h"
#include "rpc/connections.h"
#include "rpc/own_peer.h"

#include "grpc/health/v1/health.pb.h"

namespace sluice::rpc {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr char kMethod[] = "/grpc.health.v1.Health/Check";
// How long a cancel may be overlooked while a connection is being made.
constexpr milliseconds kLook{50};

// The number of bytes of the address; 0: there is none. A wildcard is where to listen, of both
// families, and not where to go.
socklen_t Resolve(const std::string& listen, int port, sockaddr_storage& out) {
  if (listen.starts_with("unix:")) {
    auto& local = reinterpret_cast<sockaddr_un&>(out);
    const std::string path = listen.substr(5);
    if (path.size() >= sizeof(local.sun_path)) return 0;
    local.sun_family = AF_UNIX;
    path.copy(local.sun_path, path.size());
    return sizeof(sockaddr_un);
  }
  const auto parts = ParseHostPort(listen);
  if (!parts) return 0;
  const bool is_wildcard = parts->host == "0.0.0.0" || parts->host == "::";
  const std::string host = is_wildcard ? "127.0.0.1" : parts->host;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return 0;
  const socklen_t size = found->ai_addrlen;
  std::memcpy(&out, found->ai_addr, size);
  freeaddrinfo(found);
  return size;
}

// Takes a port for our end, so that it is known before the connection is made; of a unix socket the
// system makes up a name.
bool BindOurEnd(int fd, const sockaddr_storage& there, socklen_t size, OwnPeer& own) {
  // From the address that is asked to itself: it is one of this machine.
  sockaddr_storage here = there;
  if (here.ss_family == AF_UNIX) {
    here = {};
    here.ss_family = AF_UNIX;
    size = sizeof(here.ss_family);
  }
  if (here.ss_family == AF_INET) reinterpret_cast<sockaddr_in&>(here).sin_port = 0;
  if (here.ss_family == AF_INET6) reinterpret_cast<sockaddr_in6&>(here).sin6_port = 0;
  if (bind(fd, reinterpret_cast<const sockaddr*>(&here), size) != 0) return false;
  size = sizeof(here);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&here), &size) != 0) return false;
  own.Set(PeerName(here));
  return true;
}

// Of our own end: it says nothing of the other.
bool IsForLack(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
         error == EADDRINUSE || error == EADDRNOTAVAIL;  // of ports, when many were used just now
}

std::string SystemText(int error) { return std::generic_category().message(error); }

// Nobody of the other end said it.
bool IsSilence(grpc::StatusCode code) {
  return code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::DEADLINE_EXCEEDED ||
         code == grpc::StatusCode::CANCELLED;
}

}  // namespace

struct SelfProbe::Call {
  grpc::ClientContext context;
};

SelfProbe::SelfProbe(const std::string& listen, int port, const Clock& clock, OwnPeer& own)
    : clock_(clock), own_(own), name_(listen) {
  address_size_ = Resolve(listen, port, address_);
}

SelfProbe::~SelfProbe() = default;

Status SelfProbe::NoAnswer(const std::string& why) const {
  return Status(Code::kUnavailable, "NO_ANSWER", "no answer on " + name_ + ": " + why);
}

Status SelfProbe::Failed(int error) const {
  if (!IsForLack(error)) return NoAnswer(SystemText(error));
  return Status(Code::kResourceExhausted, "CANNOT_ASK",
                "no descriptor or no port is left to ask with: " + SystemText(error));
}

Status SelfProbe::Check(TimePoint deadline) {
  if (address_size_ == 0) return NoAnswer("the address cannot be resolved");
  Fd fd;
  if (Status connected = Connect(deadline, fd); !connected.ok()) return connected;
  return Ask(std::move(fd), deadline);
}

Status SelfProbe::Connect(TimePoint deadline, Fd& out) {
  out.Reset(socket(address_.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int fd = out.get();
  // Another is for the end that is accepted.
  if (const Fd theirs(fd < 0 ? -1 : dup(fd)); !theirs) return Failed(errno);
  if (!BindOurEnd(fd, address_, address_size_, own_)) return Failed(errno);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address_), address_size_) == 0) {
    return Status();
  }
  if (errno != EINPROGRESS) return Failed(errno);
  while (!is_cancelled_) {
    const auto left = duration_cast<milliseconds>(deadline - clock_.Now());
    if (left.count() <= 0) return NoAnswer("it accepts no connection");
    pollfd polled{.fd = fd, .events = POLLOUT, .revents = 0};
    if (poll(&polled, 1, static_cast<int>(std::min(left, kLook).count())) <= 0) continue;
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error == 0 ? Status() : NoAnswer(SystemText(error));
  }
  return NoAnswer("it was not waited for");
}

Status SelfProbe::Ask(Fd fd, TimePoint deadline) {
  Call call;
  const auto left = std::max(deadline - clock_.Now(), Duration::zero());
  call.context.set_deadline(gpr_time_add(
      gpr_now(GPR_CLOCK_MONOTONIC),
      gpr_time_from_nanos(duration_cast<std::chrono::nanoseconds>(left).count(), GPR_TIMESPAN)));
  grpc::GenericStub stub(grpc::CreateInsecureChannelFromFd("self", fd.Release()));
  grpc::CompletionQueue queue;
  grpc::ByteBuffer answer;
  grpc::Status status;
  const grpc::ByteBuffer request = Serialize(grpc::health::v1::HealthCheckRequest());
  const auto reader = stub.PrepareUnaryCall(&call.context, kMethod, request, &queue);
  {
    MutexLock lock(mutex_);
    call_ = &call;
  }
  if (is_cancelled_) call.context.TryCancel();
  reader->StartCall();
  reader->Finish(&answer, &status, &queue);
  queue.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) {
  }  // of one tag; the deadline brings it at the latest
  {
    MutexLock lock(mutex_);
    call_ = nullptr;
  }
  return IsSilence(status.error_code()) ? NoAnswer(status.error_message()) : Status();
}

void SelfProbe::Cancel() {
  is_cancelled_ = true;
  MutexLock lock(mutex_);
  if (call_ != nullptr) call_->context.TryCancel();
}

}  // namespace sluice::rpc
