# SPDX-License-Identifier: Apache-2.0
"""The seat of an exclusive queue: refused, standing by, taking over, and unary receivers on it."""

import unittest

import grpc

from support import wire
from support.case import DaemonCase
from support.eventually import eventually
from support.faults import fault_of

OK, STALE = wire.OUTCOME_OK, wire.OUTCOME_STALE
STANDBY, TAKE_OVER = wire.ATTACH_MODE_STANDBY, wire.ATTACH_MODE_TAKE_OVER
PRESENT = (grpc.StatusCode.FAILED_PRECONDITION, "CONSUMER_PRESENT")


class Seat(DaemonCase):

    # Clauses: N18
    def test_X13_a_second_consumer_is_refused(self):
        self.client.declare(self.name)
        proxy = self.new_proxy()
        first = self.new_client(proxy.address).receiver(self.name)
        first.wait_attached()
        self.assert_fault(self.client.receiver(self.name).end(), *PRESENT)
        self.fill(self.name, 1)
        first.wait_messages(1)
        first.ack(1)
        first.wait_settled(1)
        first.finish()
        self.assertEqual(first.end(), wire.CLOSED_REASON_FINISHED)
        second = self.seat(self.name, self.new_client(proxy.address))
        self.assertGreater(second.attached.fence, first.attached.fence)
        self.assertNotEqual(second.attached.lease, first.attached.lease)
        proxy.reset()
        self.seat(self.name)

    # Clauses: N18
    def test_standby_is_in_order(self):
        self.client.declare(self.name)
        first = self.client.receiver(self.name)
        first.wait_attached()
        line = []
        for i in range(3):
            line.append(self.new_client().receiver(self.name, mode=STANDBY))
            line[i].until(lambda i=i: line[i].waiting, what="waiting")
            self.assertEqual(line[i].waiting.place, i + 1)
            self.eventually_describes(self.name, standby=i + 1)
        line[1].cancel()
        self.eventually_describes(self.name, standby=2)
        self.fill(self.name, 1)
        first.wait_messages(1)
        first.cancel()
        line[0].wait_attached()
        received = line[0].wait_messages(1)[0]
        self.assertEqual((received.position, received.attempts, received.failures), (1, 2, 1))
        self.assertIsNone(line[2].attached)
        line[0].ack(1)
        line[0].finish()
        self.assertEqual(line[0].end(), wire.CLOSED_REASON_FINISHED)
        line[2].wait_attached()
        self.assertGreater(line[2].attached.fence, line[0].attached.fence)
        self.assertGreater(line[0].attached.fence, first.attached.fence)
        self.eventually_describes(self.name, standby=0, consumers=1, settled=1)

    # Clauses: N18 N20
    def test_take_over(self):
        self.client.declare(self.name)
        self.fill(self.name, 3)
        first = self.client.receiver(self.name, credit=2)
        first.wait_messages(2)
        second = self.new_client().receiver(self.name, mode=TAKE_OVER)
        fault = self.assert_fault(first.end(), grpc.StatusCode.ABORTED, "SUPERSEDED")
        attached = second.wait_attached()
        self.assertEqual(fault.details["fence"], str(attached.fence))
        self.assertGreater(attached.fence, first.attached.fence)
        received = second.wait_messages(3)
        self.assertEqual([(one.position, one.attempts, one.failures) for one in received],
                         [(1, 2, 0), (2, 2, 0), (3, 1, 0)])
        stale = self.client.settle(self.name, first.attached.lease, 1)
        self.assertEqual((stale.settled, stale.outcome), (0, STALE))
        by_lease = self.client.settle(self.name, attached.lease, 1)
        self.assertEqual((by_lease.settled, by_lease.outcome), (1, OK))
        second.ack(1, 3)
        result = second.wait_settled(1)[0]
        self.assertEqual((result.settled, result.not_held), (2, 1))

    # Clauses: N18
    def test_take_over_goes_before_those_standing_by(self):
        self.client.declare(self.name)
        self.client.receiver(self.name).wait_attached()
        standby = self.client.receiver(self.name, mode=STANDBY)
        standby.until(lambda: standby.waiting)
        taker = self.client.receiver(self.name, mode=TAKE_OVER)
        taker.wait_attached()
        self.assertIsNone(standby.attached)
        taker.cancel()
        standby.wait_attached()

    # Clauses: N17 N18
    def test_unary_receives_of_one_consumer_share_the_seat(self):
        self.client.declare(self.name)
        self.fill(self.name, 2)
        held = self.client.receive(self.name, consumer="a")
        also = self.client.receive(self.name, consumer="a")
        self.assert_fault(lambda: self.client.receive(self.name, consumer="b"), *PRESENT)
        self.assert_fault(lambda: self.client.receive(self.name), *PRESENT)
        self.assert_fault(self.client.receiver(self.name).end(), *PRESENT)
        self.client.settle(self.name, held.lease, 1)
        self.assert_fault(lambda: self.client.receive(self.name, consumer="b"), *PRESENT)
        self.client.settle(self.name, also.lease, 2)
        self.assertEqual(self.client.receive(self.name, consumer="b").outcome, wire.OUTCOME_EMPTY)
        waiting = self.client.receive_later(self.name, consumer="b", wait_ms=60_000)
        self.eventually_describes(self.name, waiting_receives=1, consumers=1)
        self.assert_fault(lambda: self.client.receive(self.name, consumer="a"), *PRESENT)
        waiting.cancel()
        self.eventually_describes(self.name, waiting_receives=0, consumers=0)
        receiver = self.client.receiver(self.name)
        receiver.wait_attached()
        self.assert_fault(lambda: self.client.receive(self.name), *PRESENT)

    # Clauses: N18
    def test_standby_gets_the_seat_of_a_lease_that_ends(self):
        self.client.declare(self.name)
        self.fill(self.name, 1)
        held = self.client.receive(self.name)
        standby = self.client.receiver(self.name, mode=STANDBY)
        standby.until(lambda: standby.waiting)
        self.client.settle(self.name, held.lease, 1, action=wire.SETTLE_ACTION_RELEASE)
        self.assertEqual(standby.wait_messages(1)[0].attempts, 2)

    # Clauses: N18
    def test_take_over_of_a_unary_seat_gives_its_leases_back(self):
        self.client.declare(self.name)
        self.fill(self.name, 1)
        held = self.client.receive(self.name)
        taker = self.client.receiver(self.name, mode=TAKE_OVER)
        self.assertEqual(taker.wait_messages(1)[0].position, 1)
        self.assertEqual(self.client.settle(self.name, held.lease, 1).outcome, STALE)
        taker.ack(1)
        self.assertEqual(taker.wait_settled(1)[0].outcome, OK)

    # Clauses: N18
    def test_of_many_that_take_over_at_once_one_stays(self):
        self.client.declare(self.name)
        self.fill(self.name, 10)
        takers = [self.new_client().receiver(self.name, mode=TAKE_OVER) for _ in range(8)]
        for taker in takers:
            taker.until(lambda taker=taker: taker.attached or taker.is_over)
        eventually(lambda: sum(not taker.is_over for taker in takers) == 1, what="one taker")
        for taker in takers:
            if taker.is_over:
                self.assertEqual(fault_of(taker.call).reason, "SUPERSEDED")
            else:
                self.assertEqual([one.position for one in taker.wait_messages(10)],
                                 list(range(1, 11)))
        self.eventually_describes(self.name, consumers=1, standby=0, in_flight=10, failures=0)


if __name__ == "__main__":
    unittest.main()
