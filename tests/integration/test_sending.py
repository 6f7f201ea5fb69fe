# SPDX-License-Identifier: Apache-2.0
"""Sending to a queue: outcomes, order, half-close, batches, sending again without duplicates."""

import os
import unittest

import grpc

from support import wire
from support.case import DaemonCase

OK, FULL = wire.OUTCOME_OK, wire.OUTCOME_FULL
TRY, WAIT = wire.SEND_MODE_TRY, wire.SEND_MODE_WAIT


class Sending(DaemonCase):

    # Clauses: M5 N10
    def test_X01_a_thousand_in_order(self):
        self.client.declare(self.name, capacity=100)
        receiver = self.client.receiver(self.name)
        receiver.wait_attached()
        sender = self.new_client().sender(self.name)
        expected = [str(i).encode() for i in range(1, 1001)]
        for i in range(0, 1000, 10):
            sender.send(*expected[i:i + 10])
        acked = 0
        while acked < 1000:
            receiver.wait_messages(acked + 1)
            count = len(receiver.messages) - acked
            receiver.ack(receiver.messages[acked].position, count)
            acked += count
        self.assertEqual(receiver.payloads(), expected)
        told = sender.wait_told(1000)
        self.assertEqual([one.sequence for one in told], list(range(1, 1001)))
        self.assertEqual({one.outcome for one in told}, {OK})
        self.assertEqual([one.position for one in told], list(range(1, 1001)))
        self.eventually_describes(self.name, accepted=1000, settled=1000, depth=0, in_flight=0)

    # Clauses: N7 N8 G15
    def test_X06_full_is_typed_and_named(self):
        self.client.declare(self.name, capacity=2)
        outcomes = [self.outcomes(self.client.send(self.name, i)) for i in range(3)]
        self.assertEqual(outcomes, [[OK], [OK], [FULL]])

        stream_queue = self.name + ".stream"
        self.client.declare(stream_queue, capacity=2)
        sender = self.client.sender(stream_queue, mode=TRY)
        sender.send(*range(1, 6))
        told = sender.wait_told(5)
        self.assertEqual([(one.sequence, one.outcome) for one in told],
                         [(1, OK), (2, OK), (3, FULL), (4, FULL), (5, FULL)])
        self.assertEqual([one.position for one in told], [1, 2, 0, 0, 0])
        self.assertEqual(self.client.take(stream_queue), [b"1"])
        sender.send(6)
        self.assertEqual(sender.wait_told(6)[5].outcome, OK)
        self.assertEqual(self.client.take(stream_queue), [b"2"])
        self.assertEqual(self.client.take(stream_queue), [b"6"])
        self.assertEqual(self.client.receive(stream_queue).outcome, wire.OUTCOME_EMPTY)
        self.assertEqual(self.client.describe(stream_queue).refused_full, 3)

    # Clauses: N8
    def test_try_refuses_exactly_what_does_not_fit(self):
        self.client.declare(self.name, capacity=3)
        reply = self.client.send(self.name, *range(5), mode=TRY, atomic=False, first_sequence=11)
        self.assertEqual([(ack.first_sequence, ack.count, ack.outcome) for ack in reply.acks],
                         [(11, 3, OK), (14, 2, FULL)])
        self.assertEqual(reply.capacity, 3)
        self.assertEqual(reply.epoch, self.client.describe(self.name).epoch)

    # Clauses: N8
    def test_atomic_is_all_or_nothing(self):
        self.client.declare(self.name, capacity=3)
        self.fill(self.name, 2)
        self.assertEqual(self.outcomes(self.client.send(self.name, 8, 9)), [FULL, FULL])
        sender = self.client.sender(self.name, mode=TRY)
        sender.send(8, 9, atomic=True)
        self.assertEqual([one.outcome for one in sender.wait_told(2)], [FULL, FULL])
        waiting = self.client.send_later(self.name, "a", "b")  # one slot is free: it takes neither
        self.eventually_describes(self.name, waiting_sends=1, depth=2)
        self.assertEqual(self.client.take(self.name), [b"1"])
        self.assertEqual(self.outcomes(waiting.result()), [OK, OK])
        self.assertEqual(self.client.take(self.name, max_messages=9), [b"2", b"a", b"b"])

    # Clauses: N8 N14
    def test_atomic_that_never_fits_is_a_fault_that_states_both_bounds(self):
        self.client.declare(self.name, capacity=2, bytes_max=8192)
        fault = self.assert_fault(lambda: self.client.send(self.name, 1, 2, 3),
                                  grpc.StatusCode.INVALID_ARGUMENT, "OUT_OF_BOUNDS")
        self.assertIn("2", fault.text)
        self.assertIn("8192", fault.text)
        fault = self.assert_fault(lambda: self.client.send(self.name, b"x" * 5000, b"x" * 5000),
                                  grpc.StatusCode.INVALID_ARGUMENT, "OUT_OF_BOUNDS")
        self.assertIn("8192", fault.text)
        sender = self.client.sender(self.name)
        sender.send(0)
        sender.wait_told(1)
        sender.send(1, 2, 3, atomic=True)
        fault = self.assert_fault(sender.end(), grpc.StatusCode.INVALID_ARGUMENT, "OUT_OF_BOUNDS")
        self.assertEqual(self.client.describe(self.name).accepted, 1)

    # Clauses: N14
    def test_X19_too_large_changes_nothing_and_a_byte_budget_is_full(self):
        self.client.declare(self.name, capacity=100, message_bytes_max=2048)
        other = self.client.sender(self.name)
        other.send("before")
        other.wait_told(1)
        big = wire.Message(payload=b"x" * 3000)
        self.assert_fault(lambda: self.client.send(self.name, big),
                          grpc.StatusCode.INVALID_ARGUMENT, "OUT_OF_BOUNDS",
                          limit=2048, value=big.ByteSize())
        sender = self.client.sender(self.name)
        sender.send("first")
        sender.wait_told(1)
        sender.send("good", big)  # a frame is refused whole
        self.assert_fault(sender.end(), grpc.StatusCode.INVALID_ARGUMENT, "OUT_OF_BOUNDS",
                          limit=2048, value=big.ByteSize(), index=1)
        other.send("after")
        self.assertEqual([one.outcome for one in other.wait_told(2)], [OK, OK])
        self.assertEqual(self.client.describe(self.name).depth, 3)

        budget = self.name + ".budget"
        self.client.declare(budget, capacity=1000, bytes_max=20_000)
        # Effective: a message may be as large as the budget can hold (N14).
        self.assertLessEqual(self.client.describe(budget).spec.message_bytes_max, 20_000)
        accepted = 0
        while self.outcomes(self.client.send(budget, b"y" * 4000)) == [OK]:
            accepted += 1
        self.assertEqual(accepted, 4)  # 4,000 + 64 and the encoding, five times, are above it
        description = self.client.describe(budget)
        self.assertLessEqual(description.retained_bytes, 20_000)
        self.client.take(budget)
        self.assertEqual(self.outcomes(self.client.send(budget, b"y" * 4000)), [OK])

    # Clauses: N3
    def test_X20_half_close_is_after_what_was_sent(self):
        self.client.declare(self.name, capacity=10)
        sender = self.client.sender(self.name)
        for i in range(100):
            sender.send(i)
        sender.half_close()
        self.eventually_describes(self.name, depth=10)
        receiver = self.new_client().receiver(self.name)
        acked = 0
        while acked < 100:
            receiver.wait_messages(acked + 1)
            count = len(receiver.messages) - acked
            receiver.ack(receiver.messages[acked].position, count)
            acked += count
        self.assertEqual(sender.end(), wire.CLOSED_REASON_FINISHED)
        self.assertEqual(sender.outcomes(), [OK] * 100)
        self.assertEqual(receiver.payloads(), [str(i).encode() for i in range(100)])

    # Clauses: N6 N7
    def test_opened_tells_the_life_of_the_queue(self):
        declared = self.client.declare(self.name, capacity=7).description
        sender = self.client.sender(self.name)
        opened = sender.wait_opened()
        self.assertEqual((opened.epoch, opened.last_sequence, opened.capacity, opened.durability),
                         (declared.epoch, 0, 7, wire.DURABILITY_MEMORY))
        self.assertNotEqual(declared.epoch, 0)
        sender.half_close()
        self.assertEqual(sender.end(), wire.CLOSED_REASON_FINISHED)

    # Clauses: N5
    def test_a_spec_in_the_open_declares(self):
        sender = self.client.sender(self.name, spec=wire.QueueSpec(capacity=3))
        self.assertEqual(sender.wait_opened().capacity, 3)
        receiver = self.client.receiver(self.name, spec=wire.QueueSpec(capacity=3))
        receiver.wait_attached()
        other = self.client.sender(self.name, spec=wire.QueueSpec(capacity=4))
        self.assert_fault(other.end(), grpc.StatusCode.FAILED_PRECONDITION, "DECLARED_OTHERWISE")
        self.assertEqual(self.outcomes(self.client.send(
            self.name, "x", spec=wire.QueueSpec(capacity=3))), [OK])


class SendingAgain(DaemonCase):

    def setUp(self):
        super().setUp()
        self.producer = os.urandom(16)

    def send(self, payload, sequence, **fields):
        """One message under its sequence: the Ack."""
        reply = self.client.send(self.name, payload, producer_id=self.producer,
                                 first_sequence=sequence, **fields)
        self.assertEqual(len(reply.acks), 1)
        return reply.acks[0]

    # Clauses: N9
    def test_a_repeat_gets_the_same_outcome_and_is_not_stored_twice(self):
        self.client.declare(self.name, capacity=1)
        first = self.send("a", 1)
        self.assertEqual((first.outcome, first.first_position, first.duplicate), (OK, 1, False))
        again = self.send("a", 1)
        self.assertEqual((again.outcome, again.first_position, again.duplicate), (OK, 0, True))
        self.assertEqual(self.send("b", 5).outcome, FULL)
        self.assertEqual(self.client.take(self.name), [b"a"])
        again = self.send("b", 5)  # there is room now, but FULL has spent the sequence
        self.assertEqual((again.outcome, again.duplicate), (FULL, True))
        self.assertEqual(self.send("b", 6).outcome, OK)
        timed_out = self.send("c", 7, mode=WAIT, wait_ms=50)
        self.assertEqual(timed_out.outcome, wire.OUTCOME_TIMED_OUT)
        self.assertEqual(self.client.take(self.name), [b"b"])
        again = self.send("c", 7, mode=WAIT, wait_ms=50)
        self.assertEqual((again.outcome, again.duplicate), (wire.OUTCOME_TIMED_OUT, True))
        description = self.client.describe(self.name)
        self.assertEqual((description.accepted, description.duplicates), (2, 3))

    # Clauses: N9
    def test_closed_spends_nothing(self):
        self.client.declare(self.name, capacity=1)
        self.client.close_queue(self.name)
        self.assertEqual(self.send("a", 1).outcome, wire.OUTCOME_CLOSED)
        again = self.send("a", 1)
        self.assertEqual((again.outcome, again.duplicate), (wire.OUTCOME_CLOSED, False))

    # Clauses: N9
    def test_the_last_64_ranges_are_remembered(self):
        self.client.declare(self.name, capacity=1)
        for i in range(40):  # OK and FULL in turn: 80 ranges
            self.assertEqual(self.send("in", 2 * i + 1).outcome, OK)
            self.assertEqual(self.send("out", 2 * i + 2).outcome, FULL)
            self.client.take(self.name)
        for sequence, outcome in ((80, FULL), (79, OK), (17, OK)):
            again = self.send("again", sequence)
            self.assertEqual((again.outcome, again.duplicate), (outcome, True), sequence)
        self.assertEqual(self.send("again", 16).outcome, wire.OUTCOME_UNKNOWN)
        self.assertEqual(self.client.describe(self.name).accepted, 40)

    # Clauses: N9
    def test_a_batch_is_judged_message_by_message(self):
        self.client.declare(self.name, capacity=10)
        self.client.send(self.name, 1, 2, 3, producer_id=self.producer, first_sequence=1)
        reply = self.client.send(self.name, 2, 3, 4, 5, producer_id=self.producer, first_sequence=2,
                                 atomic=False)
        self.assertEqual([(ack.first_sequence, ack.count, ack.outcome, ack.duplicate)
                          for ack in reply.acks], [(2, 2, OK, True), (4, 2, OK, False)])
        self.assertEqual(self.client.take(self.name, max_messages=10),
                         [b"1", b"2", b"3", b"4", b"5"])

    # Clauses: N9 N18
    def test_a_second_stream_ends_the_first_and_goes_on_after_it(self):
        self.client.declare(self.name, capacity=2)
        first = self.client.sender(self.name, producer_id=self.producer)
        first.send("a", "b", "waiting")
        first.wait_told(2)
        self.eventually_describes(self.name, waiting_sends=1)
        second = self.new_client().sender(self.name, producer_id=self.producer)
        self.assertEqual(second.wait_opened().last_sequence, 2)
        self.assert_fault(first.end(), grpc.StatusCode.ABORTED, "SUPERSEDED")
        self.eventually_describes(self.name, waiting_sends=0, producers=1)
        self.assertEqual(self.client.take(self.name, max_messages=2), [b"a", b"b"])
        second.send("waiting", first_sequence=3)
        self.assertEqual([one.outcome for one in second.wait_told(1)], [OK])
        self.assertEqual(self.client.take(self.name, max_messages=3), [b"waiting"])

    # Clauses: N9 N3
    def test_after_a_loss_the_producer_sends_everything_again(self):
        self.client.declare(self.name, capacity=1000)
        proxy = self.new_proxy()
        lost = self.new_client(proxy.address).sender(self.name, producer_id=self.producer)
        for i in range(1, 301):
            lost.send(i)
        lost.wait_told(100)
        proxy.reset()
        self.assertEqual(lost.end().code, grpc.StatusCode.UNAVAILABLE)
        again = self.client.sender(self.name, producer_id=self.producer)
        last = again.wait_opened().last_sequence
        self.assertGreaterEqual(last, 100)
        for i in range(1, 301):
            again.send(i)
        told = again.wait_told(300)
        self.assertEqual([one.outcome for one in told], [OK] * 300)
        self.assertEqual(sum(one.duplicate for one in told), last)
        self.assertEqual(self.client.take(self.name, max_messages=1000),
                         [str(i).encode() for i in range(1, 301)])

    # Clauses: N9 N6
    def test_a_new_epoch_has_forgotten(self):
        self.client.declare(self.name)
        self.send("a", 9)
        self.client.delete(self.name)
        self.client.declare(self.name)
        sender = self.client.sender(self.name, producer_id=self.producer)
        self.assertEqual(sender.wait_opened().last_sequence, 0)


if __name__ == "__main__":
    unittest.main()
