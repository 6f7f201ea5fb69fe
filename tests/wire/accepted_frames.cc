// SPDX-License-Identifier: Apache-2.0
// Writes random frames that the scanner accepts, for the parsers of other languages to judge
// (stock_parsers.py): `accepted_frames <file>`. Of each frame: three numbers of 32 bits, lowest
// byte first (bytes of its message records, number of messages, bytes of their content), the
// records, and the content: for each message payload, id, content type, and headers by rising key,
// each as
// "<bytes>:<text>".
#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>

#include "tests/fuzz/reference_scanner.h"
#include "tests/support/seed.h"
#include "tests/wire/random_frame.h"
#include "wire/frame_scanner.h"

namespace sluice::wire {
namespace {

constexpr int kRounds = 30'000;

void AppendCounted(std::string& out, std::string_view text) {
  out.append(std::to_string(text.size())).append(":").append(text);
}

std::string Content(const reference::Judgement& judgement) {
  std::string content;
  for (const reference::Message& message : judgement.messages) {
    AppendCounted(content, message.payload);
    AppendCounted(content, message.id);
    AppendCounted(content, message.content_type);
    for (const auto& [key, value] : message.headers) {
      AppendCounted(content, key);
      AppendCounted(content, value);
    }
  }
  return content;
}

void WriteNumber(std::ostream& out, std::size_t number) {
  for (int shift = 0; shift < 32; shift += 8) out.put(static_cast<char>((number >> shift) & 0xff));
}

// The number of frames written.
int WriteFrames(std::ostream& out) {
  RandomFrame random(testing::Seed("accepted_frames"));
  ScannedFrame scanned;
  int written = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::string frame = random.Valid();
    if (round % 3 != 0) random.Damage(frame);
    if (ScanFrame(frame, ScanLimits{}, scanned).has_value()) continue;
    if (scanned.messages.empty()) continue;
    // What is handed on: the records, without the fields beside them.
    std::string records;
    for (const MessageSpan& span : scanned.messages) {
      records += frame.substr(span.offset, span.size);
    }
    const std::string content = Content(reference::Judge(frame, ScanLimits{}));
    WriteNumber(out, records.size());
    WriteNumber(out, scanned.messages.size());
    WriteNumber(out, content.size());
    out << records << content;
    ++written;
  }
  return written;
}

}  // namespace
}  // namespace sluice::wire

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s <file>\n", argv[0]);
    return 2;
  }
  std::ofstream out(argv[1], std::ios::binary);
  const int written = sluice::wire::WriteFrames(out);
  out.flush();
  std::printf("%d frames written\n", written);
  return out.good() && written > 0 ? 0 : 1;
}
