// SPDX-License-Identifier: Apache-2.0
#include "base/listen_error.h"

#include <cerrno>
#include <system_error>

namespace sluice {
namespace {

std::string Reason(int error) {
  switch (error) {
    case EADDRINUSE:
      return "the address is in use: another daemon listens there";
    case EADDRNOTAVAIL:
      return "it is not an address of this machine";
    case EACCES:
    case EPERM:
      return "this user may not: a port below 1024 needs CAP_NET_BIND_SERVICE";
    case EMFILE:
    case ENFILE:
      return "no file descriptor is left: raise the limit (ulimit -n, LimitNOFILE)";
    default:
      return std::generic_category().message(error);
  }
}

}  // namespace

std::string WhyCannotListen(int error, const std::string& address) {
  return "cannot listen on " + address + ": " + Reason(error);
}

}  // namespace sluice
