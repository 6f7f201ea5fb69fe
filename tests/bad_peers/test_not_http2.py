# SPDX-License-Identifier: Apache-2.0
"""Connections that never become HTTP/2: other protocols, garbage, silence, one byte at a time."""

import random
import select
import ssl
import time
import unittest

from attack_case import AttackCase
from http2 import BOUND, PREFACE, abort, connect, frame, settings

SEED = 20_260_102
SILENT = 2_000
SLOW = 50
# One byte of a slow handshake; a whole one takes far longer than the daemon waits for it.
PAUSE_S = 0.5


def client_hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


class NotHttp2(AttackCase):

    def test_other_protocols_and_garbage(self):
        rng = random.Random(SEED)
        first = {"TLS": client_hello(), "HTTP/1.1": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                 "a proxy's": b"PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n",
                 "zeros": b"\0" * 100_000, "half a preface": PREFACE[:12] + b"no" * 10,
                 "no SETTINGS": PREFACE + frame(6, 0, 0, b"12345678") * 3,
                 "a frame of 16 MiB": PREFACE + b"\xff\xff\xff\4\0\0\0\0\0" + b"x" * 100_000,
                 "SETTINGS of 5 bytes": PREFACE + frame(4, 0, 0, b"12345"),
                 "SETTINGS of a stream": PREFACE + frame(4, 0, 1)}
        for i in range(100):
            first[f"garbage {i}"] = rng.randbytes(1 << rng.randrange(1, 14))
        with self.attack():
            for content in first.values():
                self.peer(greeting=content)
            for i in range(100):
                content = PREFACE + settings() + b"".join(
                    frame(rng.randrange(11), rng.randrange(256), rng.randrange(4),
                          rng.randbytes(rng.choice((0, 4, 5, 8, 40)))) for _ in range(50))
                self.peer(greeting=content)
            for what, peer in zip(first, self.peers):
                if not what.startswith("garbage"):
                    self.assertTrue(peer.wait_cut(), f"{what} is not cut")

    def test_silence_and_single_bytes(self):
        """Thousands that say nothing, and some that say it slowly: the daemon ends them itself."""
        slow_greeting = PREFACE + settings()
        with self.attack(peak_mib=96):
            silent = [connect(self.daemon.port) for _ in range(SILENT)]
            slow = [connect(self.daemon.port) for _ in range(SLOW)]
            try:
                deadline, sent = time.monotonic() + BOUND, 0
                left = {sock.fileno(): sock for sock in silent + slow}
                poll = select.poll()
                for number in left:
                    poll.register(number, select.POLLIN)
                while left and time.monotonic() < deadline:
                    for number, _ in poll.poll(PAUSE_S * 1000):
                        if is_over(left[number]):
                            poll.unregister(number)
                            del left[number]
                    if sent < len(slow_greeting) - 1:
                        for sock in slow:
                            if sock.fileno() in left:
                                send(sock, slow_greeting[sent:sent + 1])
                        sent += 1
                self.assertFalse(left, f"{len(left)} are still there after {BOUND} s")
            finally:
                for sock in silent + slow:
                    abort(sock)


def is_over(sock):
    """What came is the end."""
    try:
        return not sock.recv(4096)
    except OSError:
        return True


def send(sock, content):
    try:
        sock.sendall(content)
    except OSError:
        pass  # it is over: the next read tells


if __name__ == "__main__":
    unittest.main()
