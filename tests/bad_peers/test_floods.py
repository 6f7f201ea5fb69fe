# SPDX-License-Identifier: Apache-2.0
"""Frames that cost their sender little, and connections, in great numbers."""

import itertools
import struct
import unittest

from attack_case import AttackCase
from http2 import (ACK, GOAWAY, PING, PREFACE, PRIORITY, PUSH_PROMISE, SETTINGS, abort, call_fields,
                   connect, data, frame, headers, message, settings, window_update)

KEEP = "/sluice.v1.SessionService/Keep"
INFO = "/sluice.v1.AdminService/ServerInfo"
OPEN_STREAM = headers(1, call_fields(KEEP)) + data(1, message(b""))
ENHANCE_YOUR_CALM = 11


class Floods(AttackCase):

    def flood(self, content, count, is_reading, opening=OPEN_STREAM):
        """The frame, again and again: the peer."""
        peer = self.peer().greet()
        peer.pour(opening)
        taken, burst = 0, content * max(1, (1 << 20) // len(content))
        while taken < count * len(content) and not peer.is_cut:
            sent = peer.pour(burst, is_reading)
            taken += sent
            if sent < len(burst):
                break
        print(f"\n  {taken // len(content)} of {count} frames taken, cut: {peer.is_cut}", end="")
        return peer

    def test_pings(self):
        with self.attack(peak_mib=384):
            for is_reading in (True, False):
                for opening in (OPEN_STREAM, b""):
                    peer = self.flood(frame(PING, 0, 0, b"12345678"), 300_000, is_reading, opening)
                    self.assertTrue(peer.wait_cut())
                    if peer.goaway():
                        self.assertEqual(peer.goaway()[0], ENHANCE_YOUR_CALM)

    def test_acknowledgements_of_nothing(self):
        with self.attack():
            for content in (frame(PING, ACK, 0, b"12345678"), frame(SETTINGS, ACK, 0)):
                self.flood(content, 300_000, True)

    def test_settings(self):
        """Each asks for an acknowledgement, which nobody reads (CVE-2019-9515)."""
        every = settings(**{f"_{number}": 100_000 for number in (1, 3, 4, 5, 6)})
        with self.attack():
            for content, is_reading in itertools.product((frame(SETTINGS, 0, 0), every),
                                                         (True, False)):
                self.flood(content, 300_000, is_reading)

    def test_window_updates(self):
        with self.attack():
            for content in (window_update(0, 1), window_update(1, 1), window_update(77, 1)):
                self.flood(content, 500_000, True)

    def test_frames_without_meaning(self):
        """Priorities, unknown kinds, promises, goodbyes, and data without any (CVE-2019-9518)."""
        with self.attack():
            for content, count in ((frame(PRIORITY, 0, 1, struct.pack(">IB", 3, 1)), 300_000),
                                   (frame(PRIORITY, 0, 1, struct.pack(">IB", 1, 1)), 300_000),
                                   (frame(0xFE, 0xFF, 0, b"x" * 1000), 20_000),
                                   (frame(PUSH_PROMISE, 4, 1, b"\0\0\0\2"), 100_000),
                                   (frame(GOAWAY, 0, 0, b"\0" * 8), 100_000),
                                   (frame(0, 0, 1), 500_000)):
                self.flood(content, count, True)

    def test_10_000_connections_that_come_and_go(self):
        """Some say nothing, some begin and leave, some make a call and leave in the middle."""
        call = PREFACE + settings() + OPEN_STREAM
        with self.attack(peak_mib=64):
            for i in range(10_000):
                sock = connect(self.daemon.port)
                try:
                    if i % 4 == 1:
                        sock.sendall(PREFACE[:i % 24])
                    elif i % 4 == 2:
                        sock.sendall(PREFACE + settings())
                    elif i % 4 == 3:
                        sock.sendall(call)
                except OSError:
                    pass  # it was refused, which is an answer
                abort(sock)


if __name__ == "__main__":
    unittest.main()
