# SPDX-License-Identifier: Apache-2.0
"""Sessions: what is tied to them lives as long as they do."""

import os
import re
import unittest

import grpc

from support import wire
from support.case import DaemonCase
from support.eventually import eventually
from support.http import get

OK, CLOSED = wire.OUTCOME_OK, wire.OUTCOME_CLOSED
GONE = (grpc.StatusCode.FAILED_PRECONDITION, "SESSION_GONE")


class Sessions(DaemonCase):

    OPTIONS = ("--http", "127.0.0.1:0")

    def tearDown(self):
        super().tearDown()
        self.client.close()
        watcher = self.new_client()
        eventually(lambda: watcher.info().live.sessions == 0, what="the end of all sessions")

    # Clauses: N3
    def test_half_close_ends_a_session_at_once(self):
        self.client.declare(self.name)
        keeper = self.client.keep(linger_ms=60_000)
        kept = keeper.wait_kept()
        self.assertEqual(len(kept.session_id), 16)
        self.assertFalse(kept.resumed)
        self.assertGreater(kept.fence, 0)
        self.assertEqual(self.client.info().live.sessions, 1)
        self.assertEqual(self.outcomes(
            self.client.send(self.name, "a", session_id=kept.session_id)), [OK])
        keeper.half_close()
        self.assertEqual(keeper.end(), wire.CLOSED_REASON_FINISHED)
        # The transport takes its last frame first.
        eventually(lambda: self.client.info().live.sessions == 0, what="the end of the session")
        for call in (lambda: self.client.send(self.name, "b", session_id=kept.session_id),
                     lambda: self.client.receive(self.name, session_id=kept.session_id),
                     self.client.sender(self.name, session_id=kept.session_id).end()):
            self.assert_fault(call, *GONE)
        self.assertEqual(self.client.describe(self.name).accepted, 1)

    # Clauses: N1
    def test_a_session_is_a_producer_from_its_first_send(self):
        self.client.declare(self.name, lifetime=wire.LIFETIME_TIED)
        keeper = self.client.keep()
        session = keeper.wait_kept().session_id
        self.assertEqual(self.client.describe(self.name).producers, 0)
        self.client.send(self.name, "a", session_id=session)
        self.client.send(self.name, "b", session_id=session)
        self.assertEqual(self.client.describe(self.name).producers, 1)
        keeper.half_close()
        keeper.end()
        description = self.eventually_describes(self.name, state=wire.QUEUE_STATE_CLOSED)
        self.assertEqual((description.closed_reason, description.producers),
                         (wire.CLOSED_REASON_PRODUCERS_GONE, 0))
        self.assertEqual(self.client.take(self.name, max_messages=3), [b"a", b"b"])

    # Clauses: N3 N17
    def test_the_end_cancels_sends_and_gives_leases_back(self):
        self.client.declare(self.name, capacity=1)
        keeper = self.client.keep()
        session = keeper.wait_kept().session_id
        self.fill(self.name, 1)
        held = self.client.receive(self.name, session_id=session)
        self.fill(self.name, 1, first=2)
        waiting = self.client.send_later(self.name, "waiting", session_id=session)
        stream = self.client.sender(self.name, session_id=session)
        stream.send("waiting too")
        self.eventually_describes(self.name, waiting_sends=2)
        keeper.cancel()  # a loss; linger is 0
        self.eventually_describes(self.name, waiting_sends=0, in_flight=0, depth=2, producers=0)
        self.assert_fault(stream.end(), *GONE)
        self.assertFalse(self.answers_ok(waiting))
        self.assertEqual(self.client.settle(self.name, held.lease, 1).outcome, wire.OUTCOME_STALE)
        self.assertEqual(self.client.take(self.name, max_messages=9), [b"1", b"2"])

    def answers_ok(self, call):
        """Whether any message of a Send was accepted; a status is an answer, too."""
        try:
            return OK in self.outcomes(call.result())
        except grpc.RpcError:
            return False

    # Clauses: N3
    def test_linger_and_resume(self):
        self.client.declare(self.name, lifetime=wire.LIFETIME_TIED)
        keeper = self.client.keep(linger_ms=60_000)
        kept = keeper.wait_kept()
        self.client.send(self.name, "a", session_id=kept.session_id)
        keeper.cancel()
        keeper.end()
        again = self.new_client().keep(session_id=kept.session_id)
        resumed = again.wait_kept()
        self.assertEqual((resumed.session_id, resumed.resumed), (kept.session_id, True))
        self.assertGreater(resumed.fence, kept.fence)
        self.assertEqual(self.client.describe(self.name).state, wire.QUEUE_STATE_OPEN)
        again.cancel()  # its frame said linger 0
        self.eventually_describes(self.name, state=wire.QUEUE_STATE_CLOSED)
        late = self.client.keep(session_id=kept.session_id)
        fresh = late.wait_kept()
        self.assertFalse(fresh.resumed)
        self.assertNotEqual(fresh.session_id, kept.session_id)

    # Clauses: N3
    def test_linger_runs_out_and_can_be_changed(self):
        self.client.declare(self.name, lifetime=wire.LIFETIME_TIED)
        keeper = self.client.keep(linger_ms=3_600_000)
        session = keeper.wait_kept().session_id
        self.client.send(self.name, "a", session_id=session)
        read = self.frames_read()
        keeper.write(wire.KeepRequest(linger_ms=300, session_id=session))
        keeper.write(wire.KeepRequest(linger_ms=200))
        # They get no answer, and a cancel overtakes what was not read.
        eventually(lambda: self.frames_read() == read + 2, what="both frames")
        keeper.cancel()
        self.eventually_describes(self.name, state=wire.QUEUE_STATE_CLOSED)

    def frames_read(self):
        """Of all streams that keep a session."""
        _, _, page = get(self.daemon.http_address, "/metrics")
        return int(re.search(r'^grpc_server_msg_received_total{.*"Keep".*} (\d+)$', page,
                             re.MULTILINE)[1])

    # Clauses: N18 N20
    def test_a_session_is_taken_over(self):
        keeper = self.client.keep()
        kept = keeper.wait_kept()
        taker = self.new_client().keep(session_id=kept.session_id)
        taken = taker.wait_kept()
        self.assertTrue(taken.resumed)
        fault = self.assert_fault(keeper.end(), grpc.StatusCode.ABORTED, "SUPERSEDED")
        self.assertEqual(fault.details["fence"], str(taken.fence))
        self.assertEqual(self.client.info().live.sessions, 1)
        taker.half_close()
        self.assertEqual(taker.end(), wire.CLOSED_REASON_FINISHED)

    # Clauses: N3 N19
    def test_a_killed_client_loses_its_session(self):
        self.client.declare(self.name, lifetime=wire.LIFETIME_TIED)
        proxy = self.new_proxy()
        session = self.new_client(proxy.address).keep().wait_kept().session_id
        self.client.send(self.name, "a", session_id=session)
        proxy.reset()
        self.eventually_describes(self.name, state=wire.QUEUE_STATE_CLOSED)
        self.assert_fault(lambda: self.client.send(self.name, "b", session_id=session), *GONE)

    def test_an_invented_session_is_gone(self):
        self.client.declare(self.name)
        self.assert_fault(lambda: self.client.send(self.name, 1, session_id=os.urandom(16)), *GONE)
        self.assertEqual(self.client.describe(self.name).accepted, 0)
        keeper = self.client.keep(session_id=os.urandom(16))
        self.assertFalse(keeper.wait_kept().resumed)


class SessionBounds(DaemonCase):
    OPTIONS = ("--max-sessions", "2")

    def test_too_many_sessions(self):
        keepers = [self.client.keep(), self.client.keep()]
        for keeper in keepers:
            keeper.wait_kept()
        refused = self.client.keep()
        self.assert_fault(refused.end(), grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_SESSIONS",
                          limit=2)
        keepers[0].half_close()
        keepers[0].end()
        eventually(lambda: self.client.info().live.sessions == 1, what="a place")
        self.client.keep().wait_kept()


if __name__ == "__main__":
    unittest.main()
