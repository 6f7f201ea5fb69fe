// SPDX-License-Identifier: Apache-2.0
// Why an address cannot be listened on, as one sentence for whoever started the daemon.
#pragma once

#include <string>

namespace sluice {

// `error` is the errno of bind or listen; `address` as it was given. No full stop: it is printed
// behind a name, and in front of nothing.
std::string WhyCannotListen(int error, const std::string& address);

}  // namespace sluice
