# SPDX-License-Identifier: Apache-2.0
"""Unary Receive with its leases; and auto_ack, at most once from the write on."""

import random
import time
import unittest

import grpc

from support import wire
from support.case import DaemonCase
from support.eventually import BOUND, eventually

OK, EMPTY = wire.OUTCOME_OK, wire.OUTCOME_EMPTY


class AutoAck(DaemonCase):

    # Clauses: N16
    def test_X12_the_next_consumer_gets_a_suffix(self):
        self.client.declare(self.name)
        for i in range(1, 11):
            self.client.send(self.name, str(i).encode().rjust(200_000, b"0"))
        proxy = self.new_proxy()
        lost = self.new_client(proxy.address).receiver(self.name, auto_ack=True, credit=1)
        lost.wait_messages(5)
        proxy.reset()
        self.eventually_describes(self.name, consumers=0, in_flight=0)
        read = lost.positions()
        self.assertEqual(read, list(range(1, len(read) + 1)))
        left = self.client.describe(self.name).depth
        self.assertLessEqual(left, 5)
        receiver = self.client.receiver(self.name, auto_ack=True)
        receiver.wait_messages(left)
        self.assertEqual(receiver.positions(), list(range(11 - left, 11)))
        self.eventually_describes(self.name, settled=10, in_flight=0, depth=0)

    # Clauses: N16 N21
    def test_a_write_that_is_not_taken_settles_nothing(self):
        self.client.declare(self.name)
        for _ in range(30):
            self.client.send(self.name, b"x" * 1_000_000)
        proxy = self.new_proxy()
        stalled = self.new_client(proxy.address).receiver(self.name, auto_ack=True,
                                                          is_reading=False)
        eventually(self.has_a_stalled_write, what="a stalled write")
        proxy.reset()
        left = self.eventually_describes(self.name, in_flight=0, consumers=0).depth
        self.assertGreater(left, 5)  # what windows and buffers hold is less
        receiver = self.client.receiver(self.name, auto_ack=True)
        receiver.wait_messages(left)
        self.assertEqual(receiver.positions(), list(range(31 - left, 31)))
        stalled.cancel()

    def has_a_stalled_write(self):
        streams = self.client.admin.ListStreams(wire.ListStreamsRequest(), timeout=30).streams
        return any(one.channel == self.name and one.write_stalled_ms > 300 for one in streams)

    # Clauses: N16
    def test_nothing_is_left_to_settle(self):
        self.client.declare(self.name)
        self.fill(self.name, 100)
        receiver = self.client.receiver(self.name, auto_ack=True, credit=3)
        receiver.wait_messages(100)
        self.eventually_describes(self.name, settled=100, in_flight=0)
        receiver.finish()
        self.assertEqual(receiver.end(), wire.CLOSED_REASON_FINISHED)


class UnaryReceive(DaemonCase):

    # Clauses: N17 M43
    def test_X16_waiting_ends_without_consuming(self):
        self.client.declare(self.name)
        began = time.monotonic()
        self.assertEqual(self.client.receive(self.name, wait_ms=100).outcome, EMPTY)
        self.assertGreaterEqual(time.monotonic() - began, 0.095)
        with self.assertRaises(grpc.RpcError) as raised:
            self.client.receive(self.name, wait_ms=60_000, timeout=0.1)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        self.client.send(self.name, "x")
        self.assertEqual(self.client.receive(self.name, wait_ms=20_000).messages[0].payload, b"x")

    # Clauses: N17 M43
    def test_X16_race_of_receiving_and_giving_up(self):
        self.client.declare(self.name)
        seed = random.randrange(1 << 32)
        print("seed", seed)
        rng, settled = random.Random(seed), []
        sender = self.new_client()
        for i in range(500):
            receive = self.client.receive_later(self.name, wait_ms=60_000, lease_ms=1000,
                                                timeout=rng.uniform(0.0005, 0.008))
            sent = sender.send_later(self.name, i, mode=wire.SEND_MODE_TRY)
            try:
                self.settle_all(receive.result(), settled)
            except grpc.RpcError as error:
                self.assertEqual(error.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
            self.assertEqual(self.outcomes(sent.result()), [OK])
        while self.client.describe(self.name).settled < 500:
            self.settle_all(self.client.receive(self.name, wait_ms=2000, max_messages=100), settled)
        self.assertEqual(sorted(settled), list(range(500)))

    def settle_all(self, reply, settled):
        place = 0
        for run in reply.runs:
            result = self.client.settle(self.name, reply.lease, run.first_position, run.count)
            if result.outcome == OK:  # otherwise its lease had run out: it comes again
                settled += [int(one.payload) for one in reply.messages[place:place + run.count]]
            place += run.count

    # Clauses: N17
    def test_a_batch_has_one_lease(self):
        self.client.declare(self.name)
        self.fill(self.name, 5)
        reply = self.client.receive(self.name, max_messages=3)
        self.assertEqual([one.payload for one in reply.messages], [b"1", b"2", b"3"])
        self.assertEqual(reply.lease_ms, 30_000)
        self.assertEqual(self.client.describe(self.name).leases, 1)
        other = self.new_client()  # settling needs the lease, not the connection
        self.assertEqual(other.settle(self.name, reply.lease, 1, 2).settled, 2)
        back = other.settle(self.name, reply.lease, 3, action=wire.SETTLE_ACTION_RELEASE)
        self.assertEqual(back.outcome, OK)
        again = self.client.receive(self.name, max_messages=9)
        self.assertEqual([one.payload for one in again.messages], [b"3", b"4", b"5"])
        self.assertNotEqual(again.lease, reply.lease)
        self.assertEqual([(run.first_position, run.count, run.attempts) for run in again.runs],
                         [(3, 1, 2), (4, 2, 1)])

    # Clauses: N17
    def test_a_lease_can_be_extended_and_runs_out(self):
        self.client.declare(self.name)
        self.fill(self.name, 1)
        for lease_ms in (500, 2000, 8000, 32_000):  # more, if it was over before it was extended
            reply = self.client.receive(self.name, lease_ms=lease_ms)
            extended = self.client.settle(self.name, reply.lease, 1, lease_ms=600_000,
                                          action=wire.SETTLE_ACTION_EXTEND)
            if extended.outcome == OK:
                break
        self.assertEqual(extended.outcome, OK)
        nothing = self.client.receive(self.name, wait_ms=lease_ms + 200, timeout=2 * BOUND)
        self.assertEqual(nothing.outcome, EMPTY)
        self.assertEqual(self.client.describe(self.name).in_flight, 1)
        extended = self.client.settle(self.name, reply.lease, 1, lease_ms=100,
                                      action=wire.SETTLE_ACTION_EXTEND)
        self.assertEqual(extended.outcome, OK)
        again = self.client.receive(self.name, wait_ms=20_000)
        attempts = reply.runs[0].attempts
        self.assertEqual((again.runs[0].attempts, again.runs[0].failures),
                         (attempts + 1, attempts))

    # Clauses: N17
    def test_bounds_of_a_batch(self):
        self.client.declare(self.name, capacity=100)
        for _ in range(10):
            self.client.send(self.name, b"x" * 1000)
        reply = self.client.receive(self.name, max_messages=100, max_bytes=3500)
        self.assertEqual(len(reply.messages), 3)
        reply = self.client.receive(self.name, max_messages=100, max_bytes=10)
        self.assertEqual(len(reply.messages), 1)  # one is given whatever its size
        self.assertEqual(len(self.client.receive(self.name).messages), 1)  # 0: 1

    # Clauses: N17
    def test_waiting_receives_are_served_in_order(self):
        self.client.declare(self.name)
        waiting = []
        for i in range(5):
            waiting.append(self.client.receive_later(self.name, wait_ms=60_000))
            self.eventually_describes(self.name, waiting_receives=i + 1)
        self.fill(self.name, 5)
        self.assertEqual([one.result().messages[0].payload for one in waiting],
                         [b"1", b"2", b"3", b"4", b"5"])


if __name__ == "__main__":
    unittest.main()
