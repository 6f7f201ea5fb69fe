# SPDX-License-Identifier: Apache-2.0
"""Windows: kept shut with deliveries under way, opened beyond the end, and not kept to."""

import unittest

from attack_case import MIB, AttackCase
from http2 import (INITIAL_WINDOW_SIZE, PREFACE, WINDOW_MAX, call_fields, data, frame, headers,
                   message, settings, window_update)
from support import wire
from support.eventually import eventually

RECEIVE = "/sluice.v1.QueueService/ReceiveStream"
SUBSCRIBE = "/sluice.v1.TopicService/Subscribe"
KEEP = "/sluice.v1.SessionService/Keep"
SEND = "/sluice.v1.QueueService/SendStream"
FLOW_CONTROL_ERROR = 3
SHUT = settings(**{f"_{INITIAL_WINDOW_SIZE}": 0})
# Of each queue and topic here.
RETAINED = 4 * MIB


class FlowControl(AttackCase):

    def setUp(self):
        super().setUp()
        self.name = self._testMethodName

    def fill(self, name):
        self.client.declare(name, capacity=10_000, bytes_max=RETAINED, max_in_flight=10_000)
        for _ in range(30):
            self.client.send(name, *[b"x" * 10_000] * 10)

    def consumer(self, peer, name, stream=1):
        """Opens a ReceiveStream that may be handed everything."""
        opening = wire.ReceiveOpen(queue=name, credit=wire.Credit(messages=10_000))
        request = wire.ReceiveStreamRequest(open=opening).SerializeToString()
        peer.pour(headers(stream, call_fields(RECEIVE)) + data(stream, message(request)))

    def wait_stalled(self, method, count):
        def stalled():
            streams = self.client.admin.ListStreams(wire.ListStreamsRequest(page_size=1000),
                                                    timeout=60).streams
            return sum(1 for one in streams if one.method == method and
                       one.write_stalled_ms > 0) >= count
        eventually(stalled, what=f"{count} stalled streams of {method}")

    # Clauses: N42 N12
    def test_a_window_of_streams_that_stays_shut(self):
        names = [f"{self.name}.{i}" for i in range(4)]
        for name in names:
            self.fill(name)
        with self.attack():
            peer = self.peer(greeting=PREFACE + SHUT).greet()
            for i, name in enumerate(names):
                self.consumer(peer, name, 2 * i + 1)
            self.wait_stalled(RECEIVE, len(names))
            self.read_pings(peer)
            self.leave()
        for name in names:
            eventually(lambda n=name: self.client.describe(n).in_flight == 0, what="handed back")
            self.assertEqual(self.client.describe(name).depth, 300)
            self.client.delete(name)

    # Clauses: N42 N12
    def test_a_window_of_the_connection_that_stays_shut(self):
        """Streams may send what they like; the connection takes 64 KiB and no more."""
        names = [f"{self.name}.{i}" for i in range(4)]
        for name in names:
            self.fill(name)
        wide = settings(**{f"_{INITIAL_WINDOW_SIZE}": WINDOW_MAX})
        with self.attack():
            peer = self.peer(greeting=PREFACE + wide).greet()
            for i, name in enumerate(names):
                self.consumer(peer, name, 2 * i + 1)
            self.wait_stalled(RECEIVE, len(names) - 1)
            self.read_pings(peer)
            self.leave()
        for name in names:
            eventually(lambda n=name: self.client.describe(n).in_flight == 0, what="handed back")
            self.client.delete(name)

    # Clauses: N27 N42
    def test_subscribers_with_windows_that_stay_shut(self):
        """A topic is read by 40 who take nothing: they fall behind, it goes on."""
        request = wire.SubscribeRequest(topic=self.name).SerializeToString()
        with self.attack():
            self.client.topics.declare(self.name, capacity=100, bytes_max=RETAINED)
            for _ in range(40):
                peer = self.peer(greeting=PREFACE + SHUT).greet()
                peer.pour(headers(1, call_fields(SUBSCRIBE)) + data(1, message(request), flags=1))
            eventually(lambda: self.client.topics.describe(self.name).subscribers == 40,
                       what="subscribers")
            for _ in range(100):
                reply = self.client.topics.publish(self.name, *[b"y" * 10_000] * 20)
                self.assertEqual(reply.acks[0].outcome, wire.OUTCOME_OK)
            self.leave()
            eventually(lambda: self.client.topics.describe(self.name).subscribers == 0,
                       what="the end of all")
            self.client.topics.delete(self.name)

    def read_pings(self, peer):
        """A peer that lives, and answers nothing."""
        peer.read_until(lambda: False, bound=0.2)

    def test_windows_opened_in_single_bytes(self):
        self.fill(self.name)
        with self.attack():
            peer = self.peer(greeting=PREFACE + SHUT).greet()
            self.consumer(peer, self.name)
            for _ in range(3000):
                peer.pour(window_update(1, 1))
            self.leave()
        self.client.delete(self.name)

    def test_windows_beyond_their_end(self):
        """2^31 - 1 is the largest (RFC 9113, 6.9.1); an increment of 0 is none."""
        begin = headers(1, call_fields(KEEP)) + data(1, message(b""))
        widened = settings(**{f"_{INITIAL_WINDOW_SIZE}": 0xFFFFFFFF})
        wrong = {
            "the connection's": window_update(0, WINDOW_MAX) * 2,
            "a stream's": begin + window_update(1, WINDOW_MAX) * 2,
            "by settings": widened,
            "by settings, with a stream":
                begin + window_update(1, WINDOW_MAX) + settings(**{
                    f"_{INITIAL_WINDOW_SIZE}": WINDOW_MAX}),
            "by 0": window_update(0, 0), "a stream's by 0": begin + window_update(1, 0),
            "a short frame": frame(8, 0, 0, b"\0\0"), "of no stream": window_update(99, 1)}
        with self.attack():
            for what, content in wrong.items():
                peer = self.peer().greet()
                peer.pour(content * 2)
                peer.read_until(lambda p=peer: p.goaway() or p.over(), bound=0.5)
                print(f"\n  {what}: cut: {peer.is_cut}, goaway: {peer.goaway()}, "
                      f"streams over: {peer.over()}", end="")

    def test_more_data_than_the_window_has(self):
        """32 MiB into streams whose windows are far smaller, half of them of no use to anybody."""
        opening = wire.SendStreamRequest(open=wire.SendOpen(queue=self.name)).SerializeToString()
        self.client.declare(self.name, capacity=1)
        self.client.send(self.name, b"the only one")
        frames = data(1, message(wire.SendStreamRequest(first_sequence=1, messages=[
            wire.Message(payload=b"z" * 1_000_000)]).SerializeToString()))
        with self.attack(peak_mib=48):
            for path, first in ((SEND, message(opening)), (KEEP, b"")):
                peer = self.peer().greet()
                peer.pour(headers(1, call_fields(path)) + (data(1, first) if first else b""))
                taken = sum(peer.pour(frames) for _ in range(32))
                print(f"\n  {taken >> 20} MiB taken, cut: {peer.is_cut}, goaway: {peer.goaway()}",
                      end="")
                self.assertTrue(peer.is_cut or peer.wait_answer(1))
            self.leave()
        self.client.delete(self.name)


if __name__ == "__main__":
    unittest.main()
