// SPDX-License-Identifier: Apache-2.0
// Random request frames, and random damage to them.
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace sluice::wire {

class RandomFrame {
 public:
  explicit RandomFrame(std::uint64_t seed) : random_(seed) {}

  // A frame that the scanner accepts within the default limits: messages of all shapes (repeated
  // and unknown fields, partial header entries, padded varints), and other fields between them.
  [[nodiscard]] std::string Valid();
  // One to four small changes: bits, bytes, cuts, repetitions, and fragments that are wrong on
  // purpose.
  void Damage(std::string& frame);

 private:
  std::uint64_t Below(std::uint64_t bound) { return random_() % bound; }
  bool OneIn(std::uint64_t n) { return Below(n) == 0; }

  std::string Text();
  std::string Blob();
  std::string Number(std::uint64_t value, int bytes_max);
  std::string Bytes(std::uint64_t field, const std::string& bytes);
  std::string Unknown(std::uint64_t lowest);
  std::string Entry();
  std::string Message();
  std::string OtherField();
  std::string Fragment();

  std::mt19937_64 random_;
};

}  // namespace sluice::wire
