# SPDX-License-Identifier: Apache-2.0
"""Header blocks that are too long, wrong, or without end."""

import itertools
import random
import unittest

from attack_case import AttackCase
from http2 import (ACK, CONTINUATION, END_HEADERS, END_STREAM, FRAME_BYTES_MAX, HEADERS, SETTINGS,
                   block, call_fields, data, frame, headers, integer, message)

INFO = "/sluice.v1.AdminService/ServerInfo"
KIB = 1 << 10
# Above what the daemon says it takes.
METADATA_BYTES_MAX = 16 * KIB
# Of 1,000 bad headers, 8 MB together.
LOG_BYTES_MAX = 16 * KIB
SEED = 20_260_101


class Headers(AttackCase):

    def greeted(self, is_acking):
        peer = self.peer()
        return peer.greet() if is_acking else peer

    def call_with(self, fields, is_acking):
        """A call with these fields, to its end: the peer."""
        peer = self.greeted(is_acking)
        peer.pour(headers(1, fields) + data(1, message(b""), END_STREAM))
        self.assertTrue(peer.wait_answer(1), f"no answer to {str(fields)[:200]}")
        return peer

    def test_long_headers_before_and_after_the_settings_are_acknowledged(self):
        with self.attack(peak_mib=48):
            for size, is_acking in itertools.product(
                    (9 * KIB, 17 * KIB, 64 * KIB, 1024 * KIB), (False, True)):
                peer = self.call_with(call_fields(INFO, ("filler", "x" * size)), is_acking)
                if size > METADATA_BYTES_MAX and is_acking:
                    self.assertFalse(peer.says(b"version"), f"{size} bytes of metadata were served")

    def test_known_aborts_are_none(self):
        """A wrong te, :scheme or grpclb_client_stats in more than 8 KiB (CVE-2023-1428)."""
        wrong = (call_fields(INFO, te="gzip"), call_fields(INFO, _scheme="gopher"),
                 call_fields(INFO, ("grpclb_client_stats", "\x01\x02")),
                 call_fields(INFO, ("grpclb_client_stats", "x" * 100), te="", _scheme=""))
        with self.attack():
            for fields, size, is_acking, is_first in itertools.product(
                    wrong, (0, 9 * KIB), (False, True), (False, True)):
                filler = [("filler", "y" * size)]
                ordered = fields + filler if is_first else fields[:4] + filler + fields[4:]
                self.call_with(ordered, is_acking)

    def test_fields_that_no_call_has(self):
        rng = random.Random(SEED)
        wrong = [call_fields(INFO, **{changed: value}) for changed in
                 ("_method", "_scheme", "_path", "_authority", "te", "content-type")
                 for value in (None, "", "GET", "\x00", "x" * 300, b"\xff\xfe")]
        wrong += [call_fields(INFO, more) for more in (
            ("UPPER", "case"), ("", "no name"), (":late", "pseudo"), ("connection", "close"),
            ("grpc-timeout", "never"), ("grpc-timeout", "99999999999999H"),
            ("grpc-encoding", "nonsense"), ("grpc-status", "0"), ("a-bin", "&not base64&"),
            ("content-length", "-1"), ("host", "a\r\nb: c"), ("name\r\n", "value"),
            ("transfer-encoding", "chunked"), ("user-agent", "\x7f" * 1000))]
        wrong += [[], [(":path", INFO)] * 5, call_fields(INFO) * 2, call_fields("no slash"),
                  call_fields("/" + "x" * 5000), call_fields("/sluice.v1.AdminService/No")]
        wrong += [[(rng.randbytes(rng.randrange(1, 20)), rng.randbytes(rng.randrange(50)))
                   for _ in range(10)] for _ in range(20)]
        with self.attack():
            for fields in wrong:
                self.peer().pour(headers(1, fields) + data(1, message(b""), END_STREAM))
            for peer in self.peers:
                self.assertTrue(peer.wait_answer(1))

    def test_a_table_that_is_never_there(self):
        """Indices of nothing, tables too large, and strings that end nowhere."""
        wrong = {
            "an index beyond the table": integer(5000, 7, 0x80),
            "index 0": b"\x80",
            "a table of 4 GiB": integer(0xFFFFFFFF, 5, 0x20) + block(*call_fields(INFO)),
            "a number beyond 64 bits": b"\xff" + b"\xff" * 12 + b"\x7f",
            "a string beyond the block": b"\x00\x03abc\x7f" + b"x",
            "a string of 4 GiB": b"\x00\x03abc" + integer(0xFFFFFFF0, 7) + b"x" * 100,
            "Huffman code that is none": b"\x00\x84" + b"\xff" * 4 + b"\x01x",
            "a table written to 20,000 times": b"\x40\x01a\x01b" * 20_000,
        }
        with self.attack():
            for what, content in wrong.items():
                peer = self.greeted(is_acking=True)
                peer.pour(headers(1, content))
                self.assertTrue(peer.wait_answer(1), what)

    def test_numbers_padded_without_end(self):
        """A length whose encoding goes on and on (CVE-2023-33953)."""
        padding = b"\x80" * FRAME_BYTES_MAX
        more = frame(CONTINUATION, 0, 1, padding) * 512
        with self.attack():
            for first in (b"\x7f", b"\x1f", b"\x00\x7f", b"\xff", b"\x0f"):
                for _ in range(3):
                    peer = self.peer()
                    peer.pour(frame(HEADERS, 0, 1, block(*call_fields(INFO)) + first + padding))
                    peer.pour(more)

    def test_continuation_without_end(self):
        """Small fields and empty frames, of which each costs far more than its bytes."""
        contents = {"fields": frame(CONTINUATION, 0, 1, block(("a", "b")) * 3000) * 2000,
                    "nothing": frame(CONTINUATION, 0, 1) * 500_000}
        with self.attack(peak_mib=1024):  # 160 MB poured took 2,400
            for what, content in contents.items():
                for is_acking in (False, True):
                    peer = self.greeted(is_acking)
                    peer.pour(frame(HEADERS, 0, 1, block(*call_fields(INFO))))
                    taken = peer.pour(content)
                    print(f"\n  {what}: {taken >> 10} KiB taken, cut: {peer.is_cut}", end="")

    def test_the_log_is_not_the_peers_to_fill(self):
        """What is wrong in a header is told to its sender, and may be logged: within bounds."""
        before = len(self.daemon.log())
        wrong = headers(1, call_fields(INFO, te=b"\xff\n" * 4000))
        with self.attack():
            for _ in range(1000):
                peer = self.peer()
                peer.pour(wrong)
                peer.wait_answer(1)
                peer.close()
        self.assertLess(len(self.daemon.log()) - before, LOG_BYTES_MAX)

    def test_a_block_in_single_bytes(self):
        content = block(*call_fields(INFO, ("filler", "x" * 2000)))
        pieces = [content[i:i + 1] for i in range(len(content))]
        with self.attack():
            peer = self.greeted(is_acking=True)
            peer.pour(frame(HEADERS, 0, 1, pieces[0])
                      + b"".join(frame(CONTINUATION, 0, 1, piece) for piece in pieces[1:-1])
                      + frame(CONTINUATION, END_HEADERS, 1, pieces[-1])
                      + data(1, message(b""), END_STREAM))
            self.assertTrue(peer.wait_answer(1))

    def test_other_frames_in_the_middle_of_a_block(self):
        with self.attack():
            for between in (frame(SETTINGS, ACK, 0), frame(SETTINGS, 0, 0),
                            headers(3, call_fields(INFO)), data(1, b"x"),
                            frame(CONTINUATION, 0, 3, b"x"), frame(0xee, 0, 1, b"x")):
                peer = self.peer()
                peer.pour(frame(HEADERS, 0, 1, block(*call_fields(INFO)[:3])) + between)
                self.assertTrue(peer.wait_cut())
            peer = self.peer()
            peer.pour(frame(CONTINUATION, END_HEADERS, 1, block(*call_fields(INFO))))
            self.assertTrue(peer.wait_cut())


if __name__ == "__main__":
    unittest.main()
