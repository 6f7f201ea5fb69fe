# SPDX-License-Identifier: Apache-2.0
"""Calls in numbers that no honest client has: more than the bound, and reset as soon as begun."""

import unittest

from attack_case import AttackCase
from http2 import END_STREAM, SETTINGS, call_fields, data, frame, headers, message, reset
from support import wire
from support.eventually import eventually

KEEP = "/sluice.v1.SessionService/Keep"
INFO = "/sluice.v1.AdminService/ServerInfo"
SEND = "/sluice.v1.QueueService/SendStream"
BOUND = 50
TOO_MANY = b"TOO_MANY_STREAMS"


class Streams(AttackCase):
    OPTIONS = ("--max-streams-per-connection", str(BOUND))

    def open_of(self, peer):
        """Calls that the daemon has from this peer."""
        address = peer.address
        streams = self.client.admin.ListStreams(wire.ListStreamsRequest(page_size=1000),
                                                timeout=60).streams
        return sum(1 for one in streams if one.peer in (address, address.replace(":", "%3A")))

    # Clauses: N7
    def test_more_streams_than_the_bound_without_acknowledging_settings(self):
        """gRPC's own bound holds for those alone who have acknowledged it."""
        count = 8 * BOUND
        with self.attack():
            for is_acking in (False, True):
                peer = self.peer()
                if is_acking:
                    peer.greet()
                peer.pour(b"".join(headers(2 * i + 1, call_fields(KEEP)) +
                                   data(2 * i + 1, message(b"")) for i in range(count)))
                peer.read_until(lambda p=peer: len(p.over()) >= count - BOUND)
                self.assertTrue(peer.is_cut or len(peer.over()) >= count - BOUND)
                opened = self.open_of(peer)
                print(f"\n  {opened} of {count} open, {len(peer.over())} refused, "
                      f"cut: {peer.is_cut}", end="")
                self.assertLessEqual(opened, BOUND)
                if not peer.is_cut:
                    self.assertEqual(opened, BOUND)
                    self.assertTrue(peer.says(b"grpc-status"))

    def test_unknown_methods_by_who_does_not_read(self):
        """Each is refused, and is there until its peer has read so."""
        with self.attack(peak_mib=128):
            peer, stream = self.peer(), 1
            for _ in range(60):
                peer.pour(b"".join(headers(one, call_fields("/no.Such/Method"))
                                   for one in range(stream, stream + 4000, 2)), is_reading=False)
                stream += 4000
                if peer.is_cut:
                    break
            print(f"\n  {stream // 2} begun, cut: {peer.is_cut}", end="")
            self.assertLessEqual(self.open_of(peer), BOUND)

    def test_reset_as_soon_as_begun(self):
        """Rapid reset (CVE-2023-44487): in bursts, with a message, half-closed, and spread out."""
        with self.attack(peak_mib=128):
            for body, count in ((b"", 20_000), (message(b""), 20_000), (None, 10_000)):
                peer, burst = self.peer(), []
                for i in range(count):
                    stream = 2 * i + 1
                    burst.append(headers(stream, call_fields(INFO)))
                    if body is None:
                        burst.append(data(stream, message(b""), END_STREAM))
                    elif body:
                        burst.append(data(stream, body))
                    burst.append(reset(stream))
                    if len(burst) > 3000:
                        peer.pour(b"".join(burst))
                        burst.clear()
                    if peer.is_cut:
                        break
                print(f"\n  {i + 1} of {count} begun and reset, cut: {peer.is_cut}", end="")

    def test_reset_in_the_middle_of_a_stream(self):
        """Streams that were opened and have done something, reset by the hundred."""
        opening = wire.SendStreamRequest(open=wire.SendOpen(queue=self._testMethodName))
        opened = message(opening.SerializeToString())
        first = message(wire.SendStreamRequest(first_sequence=1, messages=[
            wire.Message(payload=b"x" * 100)]).SerializeToString())
        self.client.declare(self._testMethodName, capacity=10_000)
        with self.attack(peak_mib=64):  # of what a busy machine has not come to yet
            peer, stream = self.peer().greet(), 1
            for _ in range(60):
                streams = range(stream, stream + 2 * (BOUND - 10), 2)
                stream = streams[-1] + 2
                peer.pour(b"".join(headers(one, call_fields(SEND)) + data(one, opened + first)
                                   for one in streams))
                peer.pour(b"".join(reset(one) for one in streams))
                if peer.is_cut:
                    break
            print(f"\n  {stream // 2} opened and reset, cut: {peer.is_cut}", end="")
            self.leave()
            # What they sent is placed until they have ended.
            eventually(lambda: self.open_of(peer) == 0, what="the end of all streams")
            self.client.purge(self._testMethodName)
        self.client.delete(self._testMethodName)

    def test_streams_that_are_none(self):
        """Numbers of the server's, used twice, going down, and beyond the end."""
        begin = headers(1, call_fields(KEEP))
        wrong = (headers(2, call_fields(KEEP)), begin + begin,
                 headers(9, call_fields(KEEP)) + begin,
                 headers(0, call_fields(KEEP)), data(5, b"x"), data(0, b"x"), reset(7), reset(0),
                 headers(2 ** 31 - 1, call_fields(KEEP)) + begin,
                 begin + reset(1) + data(1, message(b"")) * 100, begin + reset(1) + reset(1) * 1000)
        with self.attack():
            for content in wrong:
                self.peer().pour(content)
                self.peer().greet().pour(content + frame(SETTINGS, 0, 0))


if __name__ == "__main__":
    unittest.main()
