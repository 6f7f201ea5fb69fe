# SPDX-License-Identifier: Apache-2.0
"""Messages of gRPC that are none: lengths that lie, compression that is not there or explodes."""

import gzip
import unittest
import zlib

from attack_case import MIB, AttackCase
from http2 import END_STREAM, call_fields, data, headers, message
from support import wire

INFO = "/sluice.v1.AdminService/ServerInfo"
SEND = "/sluice.v1.QueueService/Send"
SEND_STREAM = "/sluice.v1.QueueService/SendStream"
KEEP = "/sluice.v1.SessionService/Keep"
# More than any machine here has, in four bytes; and the most that the transport takes.
LONGEST, TRANSPORT_FRAME_BYTES_MAX = 0xFFFFFFFF, 16 * MIB


def bomb(size):
    """Zeros, packed a thousand times smaller."""
    packer, chunk = zlib.compressobj(9, zlib.DEFLATED, 31), b"\0" * MIB
    return b"".join(packer.compress(chunk) for _ in range(size // MIB)) + packer.flush()


class Messages(AttackCase):

    def call(self, path, content, *more, flags=END_STREAM):
        """A call with this content: the peer."""
        peer = self.peer().greet()
        peer.pour(headers(1, call_fields(path, *more)))
        peer.pour_data(1, content)
        peer.pour(data(1, b"", flags))
        return peer

    def test_a_length_of_4_gib_that_is_sent(self):
        """256 MiB of it: what is too long is refused before it takes memory."""
        content = message(b"", length=LONGEST) + b"x" * (256 * MIB)
        with self.attack(peak_mib=512):
            for path in (SEND, KEEP):
                peer = self.peer().greet()
                peer.pour(headers(1, call_fields(path)))
                taken = peer.pour_data(1, content)
                print(f"\n  {path}: {taken >> 20} MiB taken, cut: {peer.is_cut}, "
                      f"refused: {peer.is_over(1)}", end="")
                self.assertTrue(taken < TRANSPORT_FRAME_BYTES_MAX or peer.is_over(1) or
                                peer.wait_cut())

    def test_a_length_that_is_never_reached(self):
        """Announced, and not sent: what was not sent takes no memory."""
        with self.attack():
            for length in (LONGEST, TRANSPORT_FRAME_BYTES_MAX + 1, TRANSPORT_FRAME_BYTES_MAX):
                for path in (INFO, SEND, SEND_STREAM, KEEP):
                    for _ in range(20):
                        self.peer().pour(b"".join(
                            headers(stream, call_fields(path)) +
                            data(stream, message(b"x" * 100, length=length))
                            for stream in (1, 3, 5)))

    def test_a_length_that_is_cut_short(self):
        with self.attack():
            for path in (INFO, SEND, SEND_STREAM, KEEP):
                for content in (b"\0", b"\0\0\0\0", message(b"x" * 10, length=11), b""):
                    self.assertTrue(self.call(path, content).wait_answer(1))

    def test_more_messages_than_a_call_has(self):
        with self.attack():
            for path in (INFO, SEND, SEND_STREAM, KEEP):
                self.assertTrue(self.call(path, message(b"") * 50_000).wait_answer(1))
                self.assertTrue(self.call(path, message(b"\xff") * 50).wait_answer(1))

    def test_compressed_by_name_only(self):
        garbage = b"\x1f\x8b" + b"garbage" * 100
        cut_off = gzip.compress(b"x" * 10_000)[:-20]
        with self.attack():
            for encoding in (None, "gzip", "deflate", "identity", "brotli", ""):
                more = [("grpc-encoding", encoding)] if encoding is not None else []
                for content in (garbage, cut_off, b""):
                    for flag in (1, 2, 255):
                        peer = self.call(SEND, message(content, compressed=flag), *more)
                        self.assertTrue(peer.wait_answer(1), f"{encoding}, flag {flag}")

    def test_a_message_that_explodes(self):
        """1 GiB of zeros in 1 MiB: what is too large is refused before it takes memory."""
        content = message(bomb(1024 * MIB), compressed=1)
        with self.attack(peak_mib=64):
            for path in (INFO, SEND, SEND_STREAM):
                peer = self.call(path, content, ("grpc-encoding", "gzip"))
                self.assertTrue(peer.wait_answer(1))

    def test_honest_compression(self):
        """Beside all that: a client that compresses is served, or told that it is not."""
        request = wire.ListQueuesRequest(page_size=1).SerializeToString()
        with self.attack():
            peer = self.call("/sluice.v1.QueueService/ListQueues",
                             message(gzip.compress(request), compressed=1),
                             ("grpc-encoding", "gzip"))
            self.assertTrue(peer.wait_answer(1))
            self.assertFalse(peer.is_cut)
            self.assertTrue(peer.says(b"grpc-status"))


if __name__ == "__main__":
    unittest.main()
