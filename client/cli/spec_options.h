// SPDX-License-Identifier: Apache-2.0
// Options that the specs of several kinds have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "invocation.h"
#include "numbers.h"

namespace sluice::cli {

template <class Spec>
void AddRoomOptions(CLI::App& verb, Spec& spec, const std::string& capacity) {
  AddWhole(verb, "--capacity", spec.capacity, capacity);
  AddWhole(verb, "--bytes-max", spec.bytes_max, "Bytes retained at most (0: the daemon's default)");
  AddWhole(verb, "--message-bytes-max", spec.message_bytes_max, "Bytes of one message at most");
}

template <class Spec>
void AddLifetimeOptions(CLI::App& verb, Invocation& invocation, Spec& spec) {
  AddChoice(verb, invocation, "--lifetime", spec.lifetime,
            {{"standing", Lifetime::kStanding}, {"tied", Lifetime::kTied}},
            "standing, or tied to its producers");
  AddChoice(verb, invocation, "--durability", spec.durability,
            {{"memory", Durability::kMemory}, {"os", Durability::kOs}, {"disk", Durability::kDisk}},
            "memory, os or disk");
}

}  // namespace sluice::cli
