# SPDX-License-Identifier: Apache-2.0
"""Policy BLOCK: publishing waits for slow subscribers, in one line, for a bounded time."""

import time
import unittest

import grpc

from support import wire
from support.eventually import eventually
from support.topic_case import TopicCase

OK, FULL, CLOSED = wire.OUTCOME_OK, wire.OUTCOME_FULL, wire.OUTCOME_CLOSED
TIMED_OUT = wire.OUTCOME_TIMED_OUT
TRY = wire.SEND_MODE_TRY
BIG = b"x" * 300_000  # more than a frame, and than a window, holds
LONG_MS = 60_000


class Blocking(TopicCase):

    def stall(self, block_ms=LONG_MS, name=None):
        """A subscriber that does not read, of a topic that is full of what it still wants. Returns
        it, and how many messages were accepted."""
        name = name or self.name
        self.client.topics.declare(name, capacity=4, policy=wire.SLOW_POLICY_BLOCK,
                                   block_ms=block_ms)
        stalled = self.stalled_subscriber(name)
        self.eventually_topic(name, subscribers=1)
        self.publish(name, BIG)
        self.wait_stalled("Subscribe")
        accepted = 1
        while True:
            ack = self.client.topics.publish(name, BIG, mode=TRY).acks[0]
            if ack.outcome == FULL:
                break
            accepted += 1
            self.assertEqual((ack.outcome, ack.first_position), (OK, accepted))
            self.assertLess(accepted, 20)
        self.assertEqual(ack.first_position, 0)
        # The ring, and what is under way: one frame of its own ahead of the transport.
        self.assertTrue(4 <= accepted <= 6, accepted)
        return stalled, accepted

    def assert_nothing_was_missed(self, stream, count):
        heard = stream.wait_position(count + 1)
        self.assertEqual((len(heard.messages), heard.missed), (count, 0))

    # Clauses: N11 N30
    def test_publishes_wait_in_order_of_arrival(self):
        stalled, accepted = self.stall()
        waiting = []
        for i in range(3):
            waiting.append(self.new_client().topics.publish_later(self.name, f"unary {i}"))
            self.eventually_topic(self.name, waiting_publishes=i + 1)
        stream = self.client.topics.publisher(self.name)
        stream.send("stream")
        self.eventually_topic(self.name, waiting_publishes=4, accepted=accepted)
        self.assertEqual(self.one_ack(self.client.topics.publish(self.name, "x", mode=TRY))[0],
                         FULL)  # who does not wait does not pass either
        self.assertTrue(all(not call.done() for call in waiting))
        stalled.start_reading()
        for i, call in enumerate(waiting):
            ack = call.result().acks[0]
            self.assertEqual((ack.outcome, ack.first_position, ack.delivered_to),
                             (OK, accepted + 1 + i, 1))
        self.assertEqual(stream.wait_told(1)[0].position, accepted + 4)
        self.assert_nothing_was_missed(stalled, accepted + 4)
        told = self.client.topics.describe(self.name)
        self.assertEqual((told.refused_full, told.waiting_publishes, told.missed), (2, 0, 0))

    # Clauses: N30
    def test_a_slow_subscriber_misses_nothing(self):
        self.client.topics.declare(self.name, capacity=4, policy=wire.SLOW_POLICY_BLOCK,
                                   block_ms=LONG_MS)
        slow = self.stalled_subscriber(self.name)
        self.eventually_topic(self.name, subscribers=1)
        fast = self.client.topics.subscriber(self.name).wait_ready()
        publisher = self.client.topics.publisher(self.name)
        for i in range(60):
            publisher.send(b"%03d" % i + b"x" * 50_000)
        self.eventually_topic(self.name, waiting_publishes=1)
        slow.start_reading()
        for stream in (slow, fast):
            self.assert_nothing_was_missed(stream, 60)
            self.assertEqual([int(payload[:3]) for payload in stream.heard.payloads()],
                             list(range(60)))
        self.assertEqual({told.outcome for told in publisher.wait_told(60)}, {OK})

    # Clauses: N30
    def test_after_block_ms_the_oldest_is_overwritten(self):
        stalled, accepted = self.stall(block_ms=300)
        began = time.monotonic()
        self.assertEqual(self.publish(self.name, BIG), ([accepted + 1], 1))
        self.assertGreaterEqual(time.monotonic() - began, 0.29)
        # It is waited for no more, until it has its Lagged.
        for i in range(6):
            self.assertEqual(self.publish(self.name, BIG, mode=TRY), ([accepted + 2 + i], 1))
        stalled.start_reading()
        heard = stalled.wait_position(accepted + 8)
        self.assertGreaterEqual(heard.missed, 7)
        # From then on it is waited for again.
        stalled.pause()
        outcomes = []
        for _ in range(20):
            outcomes += self.outcomes(self.client.topics.publish(self.name, BIG, mode=TRY))
        self.assertIn(FULL, outcomes)
        stalled.resume()

    # Clauses: N9 M14
    def test_wait_ms_runs_out_first(self):
        stalled, accepted = self.stall()
        producer = b"p" * 16
        fields = {"producer_id": producer, "first_sequence": 1, "wait_ms": 100}
        began = time.monotonic()
        reply = self.client.topics.publish(self.name, "late", **fields)
        self.assertGreaterEqual(time.monotonic() - began, 0.09)
        self.assertEqual(self.one_ack(reply), (TIMED_OUT, False, 0))
        full = {"producer_id": producer, "first_sequence": 2, "mode": TRY}
        self.assertEqual(self.one_ack(self.client.topics.publish(self.name, "x", **full))[0], FULL)
        stream = self.client.topics.publisher(self.name, wait_ms=100)
        stream.send("a", "b")
        self.assertEqual([told.outcome for told in stream.wait_told(2)], [TIMED_OUT] * 2)
        stalled.start_reading()
        stalled.wait_position(accepted + 1)
        # There is room now, but both have spent their sequence (N9).
        for again, outcome in ((fields, TIMED_OUT), (full, FULL)):
            self.assertEqual(self.one_ack(self.client.topics.publish(self.name, "late", **again)),
                             (outcome, True, 0))
        self.publish(self.name, "end")
        self.assertEqual(stalled.wait_position(accepted + 2).payloads()[-1], b"end")
        told = self.client.topics.describe(self.name)
        self.assertEqual((told.timed_out, told.accepted), (3, accepted + 1))

    # Clauses: N9 M14 N3
    def test_who_gives_up_is_out_of_the_line(self):
        stalled, accepted = self.stall()
        keeper = self.client.keep()
        session = keeper.wait_kept().session_id
        proxy = self.new_proxy()
        cancelled = self.client.topics.publish_later(self.name, "cancelled")
        dead = self.client.topics.publish_later(self.name, "deadline", timeout=0.2)
        tied = self.client.topics.publish_later(self.name, "tied", session_id=session)
        killed = self.new_client(proxy.address).topics.publisher(self.name)
        killed.send("killed")
        stays = self.client.topics.publish_later(self.name, "stays")
        eventually(dead.done, what="the deadline")
        self.assertEqual(dead.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        self.eventually_topic(self.name, waiting_publishes=4)
        cancelled.cancel()
        self.eventually_topic(self.name, waiting_publishes=3)
        keeper.half_close()
        self.eventually_topic(self.name, waiting_publishes=2)
        eventually(tied.done, what="the end of a wait of an ended session")
        proxy.reset()
        self.eventually_topic(self.name, waiting_publishes=1, accepted=accepted)
        stalled.start_reading()
        self.assertEqual(stays.result().acks[0].first_position, accepted + 1)
        self.assert_nothing_was_missed(stalled, accepted + 1)
        self.assertEqual(stalled.heard.payloads()[-1], b"stays")

    # Clauses: N30
    def test_who_has_left_is_not_waited_for(self):
        stalled, accepted = self.stall()
        waiting = self.client.topics.publish_later(self.name, "waiting")
        self.eventually_topic(self.name, waiting_publishes=1)
        stalled.cancel()
        ack = waiting.result().acks[0]
        self.assertEqual((ack.outcome, ack.first_position), (OK, accepted + 1))
        for i in range(8):
            self.assertEqual(self.publish(self.name, BIG, mode=TRY), ([accepted + 2 + i], 0))

    # Clauses: N4 N8
    def test_close_and_delete_refuse_those_in_line(self):
        for end, reason in ((self.client.topics.close, wire.CLOSED_REASON_REQUESTED),
                            (self.client.topics.delete, wire.CLOSED_REASON_DELETED)):
            name = f"{self.name}.{reason}"
            stalled, accepted = self.stall(name=name)
            unary = self.client.topics.publish_later(name, "a", "b")
            stream = self.client.topics.publisher(name)
            stream.send("c", "d")
            self.eventually_topic(name, waiting_publishes=2)
            end(name)
            self.assertEqual(self.one_ack(unary.result()), (CLOSED, False, reason))
            self.assertEqual([(told.outcome, told.reason) for told in stream.wait_told(2)],
                             [(CLOSED, reason)] * 2)
            stalled.start_reading()
            self.assertEqual(stalled.end(), reason)
            if reason == wire.CLOSED_REASON_REQUESTED:
                self.assertEqual(len(stalled.heard.messages), accepted)

    # Clauses: N8
    def test_a_batch_of_two_minds(self):
        stalled, accepted = self.stall()
        atomic = self.client.topics.publish_later(self.name, "a", "b", "c")
        self.eventually_topic(self.name, waiting_publishes=1)
        stalled.start_reading()
        ack, = atomic.result().acks
        self.assertEqual((ack.outcome, ack.count, ack.first_position), (OK, 3, accepted + 1))
        self.assert_nothing_was_missed(stalled, accepted + 3)
        self.assertEqual(len({run.accepted_unix_us for frame in stalled.frames
                              for run in frame.runs if run.first_position > accepted}), 1)
        stalled.pause()
        reply = self.client.topics.publish(self.name, *[BIG] * 13, mode=TRY, atomic=False)
        outcomes = self.outcomes(reply)
        taken = outcomes.count(OK)
        self.assertEqual(outcomes, [OK] * taken + [FULL] * (13 - taken))
        self.assertTrue(4 <= taken < 13, taken)
        stalled.resume()

    # Clauses: N12 N42
    def test_a_stream_of_many_topics_never_waits(self):
        stalled, _ = self.stall()
        other = self.name + ".other"
        self.client.topics.declare(other)
        reader = self.client.topics.subscriber(other).wait_ready()
        many = self.client.topics.publisher(mode=wire.SEND_MODE_WAIT)
        many.send("full", topic=self.name)
        many.send("fine", topic=other)
        self.assertEqual([told.outcome for told in many.wait_told(2)], [FULL, OK])
        reader.wait_messages(1)
        stalled.cancel()

    # Clauses: N9 N18
    def test_a_second_stream_cancels_what_waits_on_the_first(self):
        stalled, accepted = self.stall()
        producer = b"q" * 16
        first = self.client.topics.publisher(self.name, producer_id=producer)
        first.send("waiting")
        self.eventually_topic(self.name, waiting_publishes=1)
        second = self.new_client().topics.publisher(self.name, producer_id=producer)
        self.assertEqual(second.wait_opened().last_sequence, 0)
        self.assert_fault(first.end(), grpc.StatusCode.ABORTED, "SUPERSEDED")
        self.eventually_topic(self.name, waiting_publishes=0)
        second.send("once")
        stalled.start_reading()
        self.assertEqual(second.wait_told(1)[0].position, accepted + 1)
        self.assert_nothing_was_missed(stalled, accepted + 1)
        self.assertEqual(stalled.heard.payloads()[-1], b"once")


if __name__ == "__main__":
    unittest.main()
