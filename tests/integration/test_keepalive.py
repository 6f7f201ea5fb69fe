# SPDX-License-Identifier: Apache-2.0
"""A host that vanishes: nothing arrives any more, and no reset says so."""

import time
import unittest

from support import wire
from support.case import DaemonCase
from support.eventually import eventually

# A ping every second, and four for its answer: a busy machine may need some of them.
BOUND = 5.0
GENEROUS = 20.0


class Vanished(DaemonCase):
    OPTIONS = ("--keepalive-time-ms", "1000", "--keepalive-timeout-ms", "4000")

    # Clauses: N19 N15 N3
    def test_X23_what_a_vanished_client_held_is_released(self):
        self.client.declare(self.name, capacity=3)
        tied, full = self.name + ".tied", self.name + ".full"
        self.client.declare(tied, lifetime=wire.LIFETIME_TIED)
        self.client.declare(full, capacity=1)
        self.fill(full, 1)
        baseline = self.client.info().live
        self.fill(self.name, 3)
        proxy = self.new_proxy()
        vanishing = self.new_client(proxy.address)
        receiver = vanishing.receiver(self.name, credit=2)
        receiver.wait_messages(2)
        self.fill(self.name, 2, first=4)
        session = vanishing.keep().wait_kept().session_id
        vanishing.send(tied, "a", session_id=session)
        self.assertEqual(vanishing.receive(tied, session_id=session, lease_ms=3_600_000).outcome,
                         wire.OUTCOME_OK)  # leased for as long as the session lives
        sender = vanishing.sender(full)
        sender.send("waiting")
        receive = vanishing.receive_later(tied, wait_ms=60_000)
        self.eventually_describes(tied, waiting_receives=1)
        self.eventually_describes(full, waiting_sends=1)
        standby = self.client.receiver(self.name, mode=wire.ATTACH_MODE_STANDBY)
        standby.until(lambda: standby.waiting)
        self.assertIsNone(standby.attached)

        proxy.fall_silent()
        began = time.monotonic()
        standby.until(lambda: standby.attached, GENEROUS, "the seat")
        took = time.monotonic() - began
        print(f"seat of a vanished consumer released after {took:.2f} s, bound {BOUND} s")
        received = standby.wait_messages(5)
        self.assertEqual([(one.position, one.attempts, one.failures) for one in received[:3]],
                         [(1, 2, 1), (2, 2, 1), (3, 1, 0)])
        self.eventually_describes(full, GENEROUS, waiting_sends=0, producers=0, accepted=1)
        self.eventually_describes(tied, GENEROUS, state=wire.QUEUE_STATE_CLOSED, producers=0)
        standby.ack(1, 5)
        standby.finish()
        self.assertEqual(standby.end(), wire.CLOSED_REASON_FINISHED)

        def at_baseline():
            live = self.client.info().live
            return all(getattr(live, field) == getattr(baseline, field) for field in (
                "streams", "sessions", "waiting_sends", "waiting_receives", "leases", "in_flight",
                "producers", "consumers"))
        eventually(at_baseline, GENEROUS, "the baseline")
        receive.cancel()

    # Clauses: N19
    def test_a_silent_client_that_lives_is_kept(self):
        self.client.declare(self.name)
        receiver = self.client.receiver(self.name)
        receiver.wait_attached()
        self.assertFalse(receiver.ends_within(6.5))  # several pings, all answered by the transport
        self.fill(self.name, 1)
        receiver.wait_messages(1)


if __name__ == "__main__":
    unittest.main()
