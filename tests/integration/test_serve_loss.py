# SPDX-License-Identifier: Apache-2.0
"""Calls that find another worker: released, or retried when theirs is lost."""

import unittest

from support import wire
from support.eventually import eventually
from support.request_case import LONGER_MS, RequestCase

OK, GONE, NO_RESPONDER = wire.OUTCOME_OK, wire.OUTCOME_RESPONDER_GONE, wire.OUTCOME_NO_RESPONDER
TIMED_OUT = wire.OUTCOME_TIMED_OUT
RETRY = {"retry_on_responder_loss": True}
WAIT = {"wait_for_responder": True}


class TwoWorkers(RequestCase):

    FIRST = {}  # how the first opens

    def setUp(self):
        super().setUp()
        self.requests.declare(self.name)
        self.first = self.new_client().requests.serve(self.name, **self.FIRST)
        self.first.wait_attached()

    def second(self, **fields):
        worker = self.requests.serve(self.name, **fields)
        worker.wait_attached()
        return worker


class Release(TwoWorkers):

    def test_it_goes_to_another_and_never_back(self):
        call = self.requests.call_later(self.name, "x", **WAIT)
        assignment = self.first.wait_assignments(1)[0]
        self.assertEqual(assignment.attempts, 1)
        self.first.release(assignment.call_id)
        self.assertEqual(self.first.wait_results(1), [OK])
        self.eventually_responds(self.name, depth=1, in_flight=0)  # the first may not have it
        other = self.requests.call_later(self.name, "y")
        self.assertEqual(self.first.wait_assignments(2)[1].request.payload, b"y")
        self.first.reply(self.first.assignments[1].call_id, "y")
        self.assert_reply(other.result(), b"y")
        second = self.second()
        again = second.wait_assignments(1)[0]
        self.assertEqual((again.request.payload, again.attempts), (b"x", 2))
        second.reply(again.call_id, "done")
        self.assert_reply(call.result(), b"done")
        self.assertEqual(len(self.first.assignments), 2)
        self.eventually_responds(self.name, redelivered=1, answered=2)

    def test_it_keeps_its_place(self):
        stream = self.requests.stream()
        stream.start_all([(self.name, i, WAIT) for i in range(3)])
        self.first.wait_assignments(3)
        self.first.set_credit(0)
        for i in (2, 0, 1):
            self.first.release(self.first.assignments[i].call_id)
        self.first.wait_results(3)
        stream.start(self.name, 3, **WAIT)
        self.eventually_responds(self.name, depth=4)
        second = self.second()
        second.wait_assignments(4)
        self.assertEqual([(one.request.payload, one.attempts) for one in second.assignments],
                         [(b"0", 2), (b"1", 2), (b"2", 2), (b"3", 1)])

    # Clauses: N26
    def test_with_nobody_else_it_fails_fast(self):
        call = self.requests.call_later(self.name, "x")
        self.first.write(wire.ServeRequest(replies=[wire.WorkerReply(  # last or not
            call_id=self.first.wait_assignments(1)[0].call_id, release=wire.Release())]))
        self.assert_ended(call.result(), NO_RESPONDER, False)
        self.eventually_responds(self.name, no_responder=1, workers=1, depth=0)
        # A new call may have this worker as before.
        call = self.requests.call_later(self.name, "y")
        self.first.reply(self.first.wait_assignments(2)[1].call_id, "z")
        self.assert_reply(call.result(), b"z")

    # Clauses: N26
    def test_released_by_all_who_are_there(self):
        second = self.second()
        call = self.requests.call_later(self.name, "x")
        eventually(lambda: self.first.assignments or second.assignments, what="an assignment")
        one, other = ((self.first, second) if self.first.assignments else (second, self.first))
        one.release(one.wait_assignments(1)[0].call_id)
        other.release(other.wait_assignments(1)[0].call_id)
        self.assert_ended(call.result(), NO_RESPONDER, False)
        self.assertEqual((len(one.assignments), len(other.assignments)), (1, 1))
        self.eventually_responds(self.name, no_responder=1, redelivered=1)

    def test_its_time_goes_on(self):
        self.first.finish()
        self.first.end()
        worker = self.second(answer=lambda worker, one: worker.release(one.call_id))
        for count, timeout_ms in enumerate(LONGER_MS, 1):
            reply = self.requests.call(self.name, "x", timeout_ms=timeout_ms, **WAIT)
            if OK in worker.wait_results(0) and not reply.handed_out:
                break
        self.assertEqual((reply.outcome, reply.handed_out), (TIMED_OUT, False))
        self.assertIn(OK, worker.wait_results(1))
        self.eventually_responds(self.name, timed_out=count, depth=0)


class Retry(TwoWorkers):

    # Clauses: N23
    def test_lost_with_the_call_in_hand_another_gets_it(self):
        call = self.requests.call_later(self.name, "x", **RETRY)
        plain = self.requests.call_later(self.name, "y")
        self.first.wait_assignments(2)
        second = self.second()
        self.first.cancel()
        self.assert_ended(plain.result(), GONE, True)
        again = second.wait_assignments(1)[0]
        self.assertEqual((again.request.payload, again.attempts), (b"x", 2))
        second.reply(again.call_id, "done")
        self.assert_reply(call.result(), b"done")
        self.eventually_responds(self.name, redelivered=1, answered=1, responder_gone=1)

    # Clauses: N23 N26
    def test_with_nobody_else_it_waits_or_fails_fast(self):
        waits = self.requests.call_later(self.name, "waits", **RETRY, **WAIT)
        hasty = self.requests.call_later(self.name, "hasty", **RETRY)
        self.first.wait_assignments(2)
        self.first.cancel()
        self.assert_ended(hasty.result(), NO_RESPONDER, True)
        self.eventually_responds(self.name, depth=1, no_responder=1)
        second = self.second()
        again = second.wait_assignments(1)[0]
        self.assertEqual((again.request.payload, again.attempts), (b"waits", 2))
        second.reply(again.call_id, "done")
        self.assert_reply(waits.result(), b"done")

    # Clauses: N23
    def test_on_a_stream_with_parts_only_while_none_went_out(self):
        stream = self.requests.stream()
        begun = stream.start(self.name, "begun", parts=True, **RETRY)
        fresh = stream.start(self.name, "fresh", parts=True, **RETRY)
        gathered = stream.start(self.name, "gathered", **RETRY)
        held = list(self.first.wait_assignments(3))
        self.first.reply(held[0].call_id, "a part", last=False)
        self.first.reply(held[2].call_id, "a part that stays here", last=False)
        stream.wait_parts(begun, 1)
        self.first.wait_results(2)
        second = self.second()
        self.first.cancel()
        self.assert_ended(stream.wait_last(begun), GONE, True)
        second.wait_assignments(2)
        self.assertEqual(second.requests(), [b"fresh", b"gathered"])
        for one in second.assignments:
            second.reply(one.call_id, one.request)
        self.assert_reply(stream.wait_last(fresh), b"fresh")
        self.assert_reply(stream.wait_last(gathered), b"gathered")  # nothing of the lost one's

    # Clauses: N23 N24
    def test_a_caller_that_has_gone_is_not_retried(self):
        call = self.requests.call_later(self.name, "x", **RETRY)
        self.first.wait_assignments(1)
        second = self.second()
        call.cancel()
        self.first.wait_cancelled()
        self.first.cancel()
        self.eventually_responds(self.name, workers=1, depth=0, in_flight=0, cancelled=1,
                                 redelivered=0)
        self.assertEqual(second.assignments, [])


class RetryOfAFew(TwoWorkers):

    FIRST = {"credit": 2}

    # Clauses: N23
    def test_it_goes_back_by_its_place(self):
        stream = self.requests.stream()
        stream.start_all([(self.name, i, RETRY) for i in range(5)])
        self.first.wait_assignments(2)
        self.eventually_responds(self.name, depth=3, in_flight=2)
        second = self.second(credit=0)
        self.first.cancel()
        self.eventually_responds(self.name, depth=5, in_flight=0)
        second.set_credit(10)
        second.wait_assignments(5)
        self.assertEqual([(one.request.payload, one.attempts) for one in second.assignments],
                         [(b"0", 2), (b"1", 2), (b"2", 1), (b"3", 1), (b"4", 1)])


if __name__ == "__main__":
    unittest.main()
