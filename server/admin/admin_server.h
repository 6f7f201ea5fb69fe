// SPDX-License-Identifier: Apache-2.0
// The HTTP port of the daemon, for people and machines that look after it. GET and HEAD, plaintext,
// HTTP/1.0 and 1.1 with keep-alive and pipelining; what the pages are is the router's.
//
// Threads    one of its own, of lower priority than the workers'; every handler runs on it.
// Neighbours a slow or hostile client costs its connection and nobody else's: connections, bytes
//            read and not yet sent, and the time of everything are bounded (http_limits.h), pages
//            are made for at most a quarter of the time (pace.h), and no worker waits for this
//            thread.
// Browsers   on a loopback address only requests that name a loopback host are answered.
// Failing    out of descriptors it waits and goes on; a malformed request ends its connection.
#pragma once

#include <memory>
#include <string>

#include "admin/http_counts.h"
#include "admin/http_limits.h"
#include "admin/router.h"
#include "base/clock.h"
#include "base/status.h"

namespace sluice::admin {

struct AdminOptions {
  std::string listen;  // HOST:PORT; port 0 takes a free one
  HttpLimits limits;
};

class AdminServer {
 public:
  // All outlive it. Only it writes `counts`.
  AdminServer(AdminOptions options, const Router& router, const Clock& clock, HttpCounts& counts);
  ~AdminServer();

  // UNAVAILABLE, reason CANNOT_LISTEN, in one sentence.
  Status Start();
  int port() const noexcept;
  const HttpLimits& limits() const noexcept;
  // Cuts every connection and joins the thread; a page that is being made is finished first.
  // Idempotent.
  void Stop();

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace sluice::admin
