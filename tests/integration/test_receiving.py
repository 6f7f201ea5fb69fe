# SPDX-License-Identifier: Apache-2.0
"""Receiving on streams: credit, settling, what comes back and how it is marked, leaving."""

import time
import unittest

from support import wire
from support.case import DaemonCase

OK, FULL, STALE = wire.OUTCOME_OK, wire.OUTCOME_FULL, wire.OUTCOME_STALE
ACK, NACK = wire.SETTLE_ACTION_ACK, wire.SETTLE_ACTION_NACK
RELEASE, EXTEND = wire.SETTLE_ACTION_RELEASE, wire.SETTLE_ACTION_EXTEND


def marks(messages):
    return [(one.position, one.attempts, one.failures) for one in messages]


class Credit(DaemonCase):

    # Clauses: N21 N15
    def test_X15_credit_1(self):
        self.client.declare(self.name, capacity=5)
        receiver = self.client.receiver(self.name, credit=1)
        receiver.wait_attached()
        sender = self.client.sender(self.name)
        sender.send(*range(10))
        sender.wait_told(6)  # capacity in the queue, one in flight
        description = self.eventually_describes(self.name, depth=5, in_flight=1, waiting_sends=1)
        self.assertEqual(description.accepted, 6)
        self.assertEqual(len(receiver.wait_messages(1)), 1)
        for i in range(10):
            received = receiver.wait_messages(i + 1)
            self.assertEqual(len(received), i + 1)
            receiver.ack(received[i].position)
        self.eventually_describes(self.name, settled=10, in_flight=0, depth=0)

    # Clauses: N21
    def test_credit_is_a_window_that_can_be_moved(self):
        self.client.declare(self.name)
        receiver = self.client.receiver(self.name, credit=0)  # paused from the beginning
        receiver.wait_attached()
        self.fill(self.name, 20)
        receiver.settle(ACK, 1)  # its answer comes after whatever would have been handed out
        self.assertEqual(receiver.wait_settled(1)[0].outcome, STALE)
        self.assertEqual(receiver.messages, [])
        receiver.set_credit(3)
        receiver.wait_messages(3)
        self.eventually_describes(self.name, in_flight=3, depth=17)
        receiver.set_credit(5)
        receiver.wait_messages(5)
        receiver.set_credit(2)  # takes nothing back
        self.eventually_describes(self.name, in_flight=5, depth=15)
        receiver.ack(1, 3)
        self.assertEqual(receiver.wait_settled(2)[1].settled, 3)
        self.assertEqual(len(receiver.messages), 5)
        receiver.ack(4, 1)
        receiver.wait_messages(6)
        self.eventually_describes(self.name, in_flight=2, depth=14)

    # Clauses: N15
    def test_without_credit_in_the_open_it_is_64(self):
        self.client.declare(self.name)
        self.fill(self.name, 200)
        receiver = self.client.receiver(self.name)
        receiver.wait_messages(64)
        self.eventually_describes(self.name, in_flight=64, depth=136)

    # Clauses: N21
    def test_credit_in_bytes(self):
        self.client.declare(self.name)
        for _ in range(5):
            self.client.send(self.name, b"x" * 1000)
        receiver = self.client.receiver(self.name, credit=100, credit_bytes=2500)
        receiver.wait_messages(2)
        self.eventually_describes(self.name, in_flight=2)
        receiver.ack(1)
        receiver.wait_messages(3)
        self.eventually_describes(self.name, in_flight=2, settled=1)
        receiver.set_credit(100, 10)
        receiver.ack(2, 2)
        receiver.wait_messages(4)  # with nothing held one passes whatever its size
        self.eventually_describes(self.name, in_flight=1, settled=3, depth=1)

    # Clauses: N15
    def test_max_in_flight_bounds_all_consumers(self):
        self.client.declare(self.name, max_in_flight=10, shared=True, capacity=100)
        self.fill(self.name, 30)
        first = self.client.receiver(self.name, credit=8)
        first.wait_messages(8)
        self.assertEqual(first.attached.max_in_flight, 10)
        second = self.client.receiver(self.name, credit=8)
        second.wait_messages(2)
        self.eventually_describes(self.name, in_flight=10, depth=20, consumers=2)
        first.ack_all()
        self.eventually_describes(self.name, in_flight=10, settled=8)

    # Clauses: N21
    def test_a_delivery_is_at_most_256_kib_or_one_message(self):
        self.client.declare(self.name)
        sizes = [100_000] * 8 + [900_000] * 2
        for size in sizes:
            self.client.send(self.name, b"x" * size)
        receiver = self.client.receiver(self.name)
        receiver.wait_messages(10)
        for frame in receiver.frames:
            total = sum(one.ByteSize() for one in frame.messages)
            self.assertTrue(total <= 256 * 1024 or len(frame.messages) == 1, total)


class Settling(DaemonCase):

    # Clauses: N15
    def test_nack_comes_back_before_anything_newer_and_is_marked(self):
        self.client.declare(self.name)
        self.fill(self.name, 4)
        receiver = self.client.receiver(self.name, credit=2)
        receiver.wait_messages(2)
        receiver.settle(NACK, 1)
        receiver.wait_messages(3)
        self.assertEqual(marks(receiver.messages), [(1, 1, 0), (2, 1, 0), (1, 2, 1)])
        receiver.settle(RELEASE, 2)  # counts no failure
        receiver.wait_messages(4)
        self.assertEqual(marks(receiver.messages)[3], (2, 2, 0))
        receiver.ack(1, 2)
        receiver.wait_messages(6)
        self.assertEqual(marks(receiver.messages)[4:], [(3, 1, 0), (4, 1, 0)])
        description = self.client.describe(self.name)
        self.assertEqual((description.failures, description.redelivered), (1, 2))

    # Clauses: N15
    def test_nack_with_delay(self):
        self.client.declare(self.name)
        self.fill(self.name, 2)
        receiver = self.client.receiver(self.name, credit=1)
        receiver.wait_messages(1)
        receiver.settle(NACK, 1, delay_ms=600_000)
        receiver.wait_messages(2)  # the other one overtakes it
        self.assertEqual(receiver.messages[1].position, 2)
        self.assertEqual(self.client.describe(self.name).delayed, 1)
        began = time.monotonic()
        receiver.settle(NACK, 2, delay_ms=300)
        receiver.wait_messages(3)
        self.assertGreaterEqual(time.monotonic() - began, 0.3)
        self.assertEqual(marks(receiver.messages)[2], (2, 2, 1))
        self.assertEqual(self.client.describe(self.name).delayed, 1)

    # Clauses: N18
    def test_results_tell_what_was_held(self):
        self.client.declare(self.name)
        self.fill(self.name, 3)
        receiver = self.client.receiver(self.name)
        receiver.wait_messages(3)
        receiver.ack(1)
        receiver.ack(1, 2)
        receiver.ack(3, 5)
        receiver.settle(ACK, 2, lease=receiver.attached.lease + 1000)
        results = [(one.first_position, one.settled, one.not_held, one.expired, one.outcome)
                   for one in receiver.wait_settled(4)]
        self.assertEqual(results, [(1, 1, 0, 0, OK), (1, 1, 1, 0, STALE), (3, 1, 4, 0, STALE),
                                   (2, 0, 1, 0, STALE)])

    # Clauses: N15
    def test_ack_timeout_takes_back_and_the_stream_goes_on(self):
        self.client.declare(self.name)
        self.fill(self.name, 1)
        receiver = self.client.receiver(self.name, ack_timeout_ms=200)
        receiver.wait_messages(3)
        self.assertEqual(marks(receiver.messages)[:3], [(1, 1, 0), (1, 2, 1), (1, 3, 2)])

    # Clauses: N15
    def test_an_ack_timeout_is_moved_for_one_message(self):
        self.client.declare(self.name)
        self.fill(self.name, 2)
        receiver = self.client.receiver(self.name, ack_timeout_ms=600_000, credit=2)
        receiver.wait_messages(2)
        receiver.settle(EXTEND, 1, lease_ms=100)
        receiver.wait_messages(3)
        receiver.settle(EXTEND, 1, lease_ms=100)
        receiver.wait_messages(4)
        self.assertEqual(marks(receiver.messages)[2:], [(1, 2, 1), (1, 3, 2)])
        receiver.ack(2)  # the other one is still held
        self.assertEqual(receiver.wait_settled(3)[2].outcome, OK)

    # Clauses: N15 N18
    def test_a_late_ack_of_an_expired_lease_changes_nothing(self):
        self.client.declare(self.name)
        self.fill(self.name, 1)
        reply = self.client.receive(self.name, lease_ms=100)
        self.eventually_describes(self.name, in_flight=0, depth=1, failures=1)
        late = self.client.settle(self.name, reply.lease, 1)
        self.assertEqual((late.settled, late.expired, late.outcome), (0, 1, STALE))
        again = self.client.receive(self.name)
        self.assertEqual((again.runs[0].attempts, again.runs[0].failures), (2, 1))
        stale = self.client.settle(self.name, reply.lease, 1)
        self.assertEqual((stale.settled, stale.outcome), (0, STALE))
        self.assertEqual(self.client.settle(self.name, again.lease, 1).outcome, OK)

    # Clauses: N15 N2
    def test_lost_with_messages_in_hand_they_come_back_by_position(self):
        self.client.declare(self.name, capacity=6)
        self.fill(self.name, 6)
        proxy = self.new_proxy()
        lost = self.new_client(proxy.address).receiver(self.name, credit=4)
        lost.wait_messages(4)
        lost.ack(2)
        lost.wait_settled(1)
        lost.wait_messages(5)
        self.fill(self.name, 5, first=7)  # the queue is full again: what comes back needs no room
        self.assertEqual(self.outcomes(self.client.send(self.name, "x")), [FULL])
        proxy.reset()
        self.eventually_describes(self.name, in_flight=0, depth=10, come_back=4, failures=4)
        receiver = self.client.receiver(self.name)
        receiver.wait_messages(10)
        self.assertEqual(marks(receiver.messages),
                         [(1, 2, 1), (3, 2, 1), (4, 2, 1), (5, 2, 1)]
                         + [(position, 1, 0) for position in range(6, 12)])

    # Clauses: N15
    def test_half_close_without_finish_is_a_loss(self):
        self.client.declare(self.name)
        self.fill(self.name, 1)
        receiver = self.client.receiver(self.name)
        receiver.wait_messages(1)
        receiver.half_close()
        receiver.end()
        self.eventually_describes(self.name, in_flight=0, depth=1, failures=1, consumers=0)

    # Clauses: N15 N20
    def test_finish_then_settle_then_the_end(self):
        self.client.declare(self.name)
        self.fill(self.name, 5)
        receiver = self.client.receiver(self.name, credit=3)
        receiver.wait_messages(3)
        receiver.finish()
        receiver.ack(1)
        receiver.wait_settled(1)
        receiver.ack(2, 2)
        self.assertEqual(receiver.end(), wire.CLOSED_REASON_FINISHED)
        self.assertEqual(len(receiver.messages), 3)
        self.eventually_describes(self.name, settled=3, depth=2, in_flight=0, failures=0)

    # Clauses: N15 N20
    def test_half_close_after_finish_hands_back_without_failure(self):
        self.client.declare(self.name)
        self.fill(self.name, 3)
        receiver = self.client.receiver(self.name)
        receiver.wait_messages(3)
        receiver.finish()
        receiver.half_close()
        self.assertEqual(receiver.end(), wire.CLOSED_REASON_FINISHED)
        self.eventually_describes(self.name, depth=3, in_flight=0, failures=0)
        again = self.client.receiver(self.name)
        again.wait_messages(3)
        self.assertEqual(marks(again.messages), [(1, 2, 0), (2, 2, 0), (3, 2, 0)])

    def test_bytes_travel_verbatim(self):
        self.client.declare(self.name)
        sent = wire.Message(payload=bytes(range(256)), id="id", content_type="text/plain",
                            headers={"a": "1", "ü": "€"})
        # A field that nobody knows goes through as it came.
        unknown = wire.Message.FromString(sent.SerializeToString() + b"\xa2\x06\x03abc")
        self.client.send(self.name, sent, unknown)
        receiver = self.client.receiver(self.name)
        messages = receiver.wait_messages(2)
        self.assertEqual(messages[0].message, sent)
        self.assertEqual(messages[1].message.SerializeToString(deterministic=True),
                         unknown.SerializeToString(deterministic=True))


class Shared(DaemonCase):

    # Clauses: N18 N15
    def test_several_compete_and_a_loss_goes_to_the_others(self):
        self.client.declare(self.name, shared=True, capacity=200)
        proxy = self.new_proxy()
        lost = self.new_client(proxy.address).receiver(self.name, credit=20)
        stays = self.client.receiver(self.name, credit=20)
        lost.wait_attached()
        stays.wait_attached()
        self.fill(self.name, 60)
        lost.wait_messages(20)
        stays.wait_messages(20)
        self.eventually_describes(self.name, in_flight=40, depth=20)
        proxy.reset()
        self.eventually_describes(self.name, in_flight=20, consumers=1, failures=20)
        acked = 0
        while acked < 60:
            stays.wait_messages(acked + 1)
            for received in stays.messages[acked:]:
                stays.ack(received.position)
                acked += 1
        self.assertEqual(sorted(stays.positions()), list(range(1, 61)))
        # What came back is handed out before anything newer.
        self.assertEqual([one.position for one in stays.messages if one.attempts == 2],
                         sorted(lost.positions()))
        self.assertEqual({one.attempts for one in stays.messages
                          if one.position not in lost.positions()}, {1})


if __name__ == "__main__":
    unittest.main()
