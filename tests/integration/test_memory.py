# SPDX-License-Identifier: Apache-2.0
"""A daemon whose memory is used up: every kind says so, nothing is lost, and draining helps."""

import json
import unittest

from support import wire
from support.client import Client
from support.daemon import SANITIZERS
from support.eventually import BOUND, eventually
from support.topic_case import TopicCase

OK, FULL, TIMED_OUT = wire.OUTCOME_OK, wire.OUTCOME_FULL, wire.OUTCOME_TIMED_OUT
OWN, MEMORY = wire.FULL_REASON_UNSPECIFIED, wire.FULL_REASON_SERVER_MEMORY
WAIT = wire.SEND_MODE_WAIT
MIB = 1 << 20
LIMIT = 64 * MIB
BLOCK = 256 * 1024
# Beside what channels retain: frames that wait (8 MiB), frames and answers on their way, and what
# the allocator keeps.
ALLOWANCE = 48 * MIB


def payload(number):
    """Of BLOCK bytes, each another."""
    return (b"%08d" % number) * (BLOCK // 8)


class Memory(TopicCase):

    OPTIONS = ("--memory-max", "64MiB")

    def setUp(self):
        super().setUp()
        self.plain = Client(self.daemon.address)  # tens of MiB need not be recorded
        self.addCleanup(self.plain.close)
        self.outsiders = None

    def used(self):
        return self.plain.info().live.memory_bytes_used

    def fill(self, name, count=10_000, first=0):
        """Sends until it is FULL: how many were accepted, and why no more."""
        for number in range(first, first + count):
            ack = self.plain.send(name, payload(number)).acks[0]
            if ack.outcome != OK:
                self.assertEqual(ack.outcome, FULL)
                return number - first, ack.full_reason
        return count, None

    def drain(self, name, count):
        """Takes and settles so many: the payloads."""
        taken = []
        while len(taken) < count:
            taken += self.plain.take(name, max_messages=8, max_bytes=4 * MIB)
        return taken

    # Clauses: N14
    def test_the_bounds_in_force(self):
        bounds = self.client.info().bounds
        self.assertEqual(bounds.memory_bytes_max, LIMIT)
        self.assertEqual(bounds.waiting_bytes_max, LIMIT // 8)
        self.assertEqual(bounds.channel_bytes_default, LIMIT // 2)
        told = [json.loads(line) for line in self.daemon.log().splitlines()]
        effective = [line for line in told if line.get("event") == "memory"]
        self.assertEqual([line["memory_bytes_max"] for line in effective], [LIMIT])

    # Clauses: N7 N8 N14 N22 N35
    def test_every_kind_says_so_and_draining_helps(self):
        one, two = self.name + ".1", self.name + ".2"
        before = self.daemon.rss_bytes()
        self.plain.declare(one)
        self.plain.declare(two, bytes_max=LIMIT)
        self.plain.requests.declare(self.name)
        self.plain.topics.declare(self.name)
        reader = self.plain.topics.subscriber(self.name, is_reading=False)
        eventually(lambda: self.plain.topics.describe(self.name).subscribers == 1,
                   what="the subscriber")
        # One that does not say how much may have half.
        first, why = self.fill(one)
        self.assertEqual((first, why), (LIMIT // 2 // (BLOCK + 80), OWN))
        second, why = self.fill(two, first=10_000)
        self.assertEqual(why, MEMORY)
        self.assertLessEqual(self.used(), LIMIT)
        self.assertGreater(self.used(), LIMIT - 2 * BLOCK)
        self.say_that_memory_is_used_up(two)
        self.assertLessEqual(self.used(), LIMIT)
        # Those that wait are served when something is settled on another channel.
        waiting = [self.plain.send_later(two, payload(20_000 + i)) for i in range(4)]
        stream = self.plain.sender(two, mode=WAIT)
        stream.send(payload(30_000))
        eventually(lambda: self.plain.info().live.waiting_sends == 5, what="five in line")
        self.assertGreaterEqual(self.plain.info().live.waiting_bytes, 5 * BLOCK)
        if not SANITIZERS:
            self.assertLess(self.daemon.rss_bytes() - before, LIMIT + ALLOWANCE)
        self.assertEqual(self.drain(one, first), [payload(i) for i in range(first)])
        for answer in waiting:
            self.assertEqual(self.outcomes(answer.result(BOUND)), [OK])
        self.assertEqual(stream.wait_told(1)[0].outcome, OK)
        self.assertEqual(self.plain.info().live.waiting_bytes, 0)
        # What was acknowledged is all there.
        rest = self.drain(two, second + 5)
        self.assertEqual(rest[:second], [payload(10_000 + i) for i in range(second)])
        self.assertEqual(sorted(rest[second:]),
                         sorted([payload(20_000 + i) for i in range(4)] + [payload(30_000)]))
        for name in (one, two):
            self.assert_conserved(self.plain.describe(name))
        stream.half_close()
        reader.cancel()
        eventually(lambda: self.plain.topics.describe(self.name).subscribers == 0)
        self.plain.topics.delete(self.name)
        self.plain.requests.delete(self.name)
        eventually(lambda: self.used() == 0, what="nothing retained")

    def say_that_memory_is_used_up(self, queue):
        sent = self.plain.send(queue, payload(0), mode=WAIT, wait_ms=50).acks[0]
        self.assertEqual((sent.outcome, sent.full_reason), (TIMED_OUT, MEMORY))
        stream = self.plain.sender(queue, mode=wire.SEND_MODE_TRY)
        stream.send(payload(0))
        self.assertEqual(stream.wait_told(1)[0].outcome, FULL)
        ack = stream.frames[-1].acks[0]
        self.assertEqual(ack.full_reason, MEMORY)
        stream.half_close()
        published = self.plain.topics.publish(self.name, payload(0), mode=wire.SEND_MODE_TRY)
        self.assertEqual([(ack.outcome, ack.full_reason) for ack in published.acks],
                         [(FULL, MEMORY)])
        called = self.plain.requests.call(self.name, payload(0), wait_for_responder=True)
        self.assertEqual((called.outcome, called.full_reason), (FULL, MEMORY))
        calls = self.plain.requests.stream()
        calls.start(self.name, payload(0), wait_for_responder=True)
        calls.until(lambda: any(frame.replies for frame in calls.frames), what="a reply")
        reply = calls.frames[-1].replies[0]
        self.assertEqual((reply.outcome, reply.full_reason, reply.handed_out),
                         (FULL, MEMORY, False))
        calls.half_close()
        answered = self.plain.config.set(self.name, payload(0))
        self.assertEqual((answered.outcome, answered.full_reason), (FULL, MEMORY))
        self.assertEqual(self.plain.config.get(self.name).outcome, wire.OUTCOME_ABSENT)

    # Clauses: N14 B27
    def test_a_topic_goes_on_with_what_it_has(self):
        queue = self.name + ".q"
        self.plain.declare(queue, bytes_max=2 * LIMIT)
        self.plain.topics.declare(self.name)
        reader = self.plain.topics.subscriber(self.name, is_reading=False)
        eventually(lambda: self.plain.topics.describe(self.name).subscribers == 1)
        for number in range(16):
            self.plain.topics.publish(self.name, payload(number))
        _, why = self.fill(queue)
        self.assertEqual(why, MEMORY)
        depth = self.plain.topics.describe(self.name).depth
        for number in range(32):
            ack = self.plain.topics.publish(self.name, payload(number)).acks[0]
            self.assertEqual(ack.outcome, OK)
        described = self.plain.topics.describe(self.name)
        self.assertEqual(described.depth, depth)
        self.assertLessEqual(self.used(), LIMIT)
        reader.cancel()
        self.plain.delete(queue)
        self.plain.topics.delete(self.name)

    # Clauses: N12 N14
    def test_what_waits_is_bounded(self):
        """Senders that wait for a full queue, each with a frame: beyond the bound they are told."""
        self.plain.declare(self.name, capacity=1)
        self.plain.send(self.name, b"x")
        frame = [payload(i) for i in range(3)]
        waiting = [self.plain.send_later(self.name, *frame, atomic=False) for _ in range(16)]
        refused = eventually(lambda: [one for one in waiting if one.done()], what="a refusal")
        for one in refused:
            self.assertEqual({(ack.outcome, ack.full_reason) for ack in one.result().acks},
                             {(FULL, MEMORY)})
        self.assertLessEqual(self.plain.info().live.waiting_bytes, LIMIT // 8)
        eventually(lambda: len([one for one in waiting if not one.done()]) == 10,
                   what="ten in line")
        self.plain.delete(self.name)
        for one in waiting:
            one.result(BOUND)
        eventually(lambda: self.plain.info().live.waiting_bytes == 0)


if __name__ == "__main__":
    unittest.main()
