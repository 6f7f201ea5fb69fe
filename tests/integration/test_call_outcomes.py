# SPDX-License-Identifier: Apache-2.0
"""One call, one outcome: every way that a call on a responder ends, and how it is counted."""

import unittest

import grpc

from support import wire
from support.request_case import LONGER_MS, RequestCase

FAILED, FULL, TIMED_OUT = wire.OUTCOME_FAILED, wire.OUTCOME_FULL, wire.OUTCOME_TIMED_OUT
NO_RESPONDER, GONE = wire.OUTCOME_NO_RESPONDER, wire.OUTCOME_RESPONDER_GONE
CLOSED, TOO_LARGE = wire.OUTCOME_CLOSED, wire.OUTCOME_REPLY_TOO_LARGE
OK = wire.OUTCOME_OK
REQUESTED, DELETED = wire.CLOSED_REASON_REQUESTED, wire.CLOSED_REASON_DELETED


class Answered(RequestCase):

    # Clauses: N22 N25
    def test_a_call_gets_its_reply(self):
        self.requests.declare(self.name)
        self.requests.echo(self.name)
        for payload in (b"one", b"", bytes(range(256))):
            self.assert_reply(self.requests.call(self.name, payload), payload)
        self.eventually_responds(self.name, accepted=3, answered=3, depth=0, in_flight=0,
                                 retained_bytes=0, workers=1)

    def test_messages_travel_verbatim_both_ways(self):
        self.requests.declare(self.name)
        sent = wire.Message(payload=bytes(range(256)), id="id", content_type="text/plain",
                            headers={"a": "1", "ü": "€"})
        # A field that nobody knows goes through as it came.
        sent = wire.Message.FromString(sent.SerializeToString() + b"\xa2\x06\x03abc")
        self.requests.serve(self.name, answer=lambda worker, one: worker.reply(
            one.call_id, one.request)).wait_attached()
        reply = self.requests.call(self.name, sent)
        self.assertEqual(reply.message.SerializeToString(deterministic=True),
                         sent.SerializeToString(deterministic=True))

    def test_no_request_is_an_empty_message_and_a_reply_may_have_none(self):
        self.requests.declare(self.name)
        worker = self.requests.serve(self.name, answer=lambda worker, one: worker.reply(
            one.call_id))
        worker.wait_attached()
        self.assert_reply(self.requests.call(self.name, None), None)
        self.assertEqual(worker.requests(), [b""])
        self.eventually_responds(self.name, answered=1)

    # Clauses: N25
    def test_a_failure_is_the_workers_answer(self):
        self.requests.declare(self.name)
        failure = wire.Failure(code="c" * 255, text="t" * 8192)
        worker = self.requests.serve(self.name, answer=lambda worker, one: worker.reply(
            one.call_id, failure=failure, last=one.request.payload == b"last"))
        worker.wait_attached()
        for payload in (b"last", b"it ends the call, last or not"):
            reply = self.requests.call(self.name, payload)
            self.assert_ended(reply, FAILED, True)
            self.assertEqual(reply.failure, failure)
        self.assertEqual(worker.wait_results(2), [OK, OK])
        self.eventually_responds(self.name, failed=2, answered=0)


class Refused(RequestCase):

    # Clauses: N26
    def test_nobody_serves(self):
        self.requests.declare(self.name)
        self.assert_ended(self.requests.call(self.name), NO_RESPONDER, False)
        worker = self.requests.echo(self.name)
        self.assert_reply(self.requests.call(self.name, b"x"), b"x")
        worker.finish()
        worker.end()
        self.assert_ended(self.requests.call(self.name), NO_RESPONDER, False)
        self.eventually_responds(self.name, refused_no_responder=2, no_responder=0, accepted=1)

    # Clauses: N26
    def test_the_last_worker_leaves_while_calls_are_queued(self):
        self.requests.declare(self.name)
        worker = self.requests.serve(self.name, credit=0)
        worker.wait_attached()
        waits = self.requests.call_later(self.name, b"waits", wait_for_responder=True)
        self.eventually_responds(self.name, depth=1)
        hasty = self.requests.call_later(self.name, b"hasty")
        self.eventually_responds(self.name, depth=2)
        worker.cancel()
        self.assert_ended(hasty.result(), NO_RESPONDER, False)
        self.eventually_responds(self.name, depth=1, no_responder=1, refused_no_responder=0)
        self.requests.echo(self.name)
        self.assert_reply(waits.result(), b"waits")

    # Clauses: N26 N7
    def test_full_is_told_at_once(self):
        self.requests.declare(self.name, capacity=2)
        queued = [self.requests.call_later(self.name, i, wait_for_responder=True)
                  for i in range(2)]
        self.eventually_responds(self.name, depth=2)
        self.assert_ended(self.requests.call(self.name, wait_for_responder=True), FULL, False)
        worker = self.requests.serve(self.name, credit=1)
        worker.wait_assignments(1)
        third = self.requests.call_later(self.name, 2)  # what is in flight takes no place
        self.eventually_responds(self.name, depth=2, in_flight=1)
        self.assert_ended(self.requests.call(self.name), FULL, False)
        for i in range(3):
            worker.reply(worker.wait_assignments(i + 1)[i].call_id, i)
        for i, call in enumerate([*queued, third]):
            self.assert_reply(call.result(), str(i).encode())
        self.eventually_responds(self.name, refused_full=2, accepted=3, answered=3)

    # Clauses: N14 N26
    def test_full_by_bytes(self):
        self.requests.declare(self.name, bytes_max=4096)
        payload = b"x" * 1200
        calls = [self.requests.call_later(self.name, payload, wait_for_responder=True)
                 for _ in range(3)]
        description = self.eventually_responds(self.name, depth=3)
        each = wire.Message(payload=payload).ByteSize() + 64
        self.assertEqual(description.retained_bytes, 3 * each)
        self.assert_ended(self.requests.call(self.name, payload, wait_for_responder=True), FULL,
                          False)
        worker = self.requests.serve(self.name, credit=9)
        worker.wait_assignments(3)
        # What is in flight is retained, too.
        self.assert_ended(self.requests.call(self.name, payload), FULL, False)
        for one in worker.assignments:
            worker.reply(one.call_id, b"")
        for call in calls:
            self.assert_reply(call.result(), b"")
        self.eventually_responds(self.name, refused_full=2, retained_bytes=0)

    def test_a_call_that_timed_out_in_the_queue(self):
        self.requests.declare(self.name)
        reply = self.requests.call(self.name, b"x", timeout_ms=80, wait_for_responder=True)
        self.assert_ended(reply, TIMED_OUT, False)
        self.eventually_responds(self.name, timed_out=1, depth=0, retained_bytes=0)

    # Clauses: N24
    def test_a_call_that_timed_out_at_the_worker(self):
        self.requests.declare(self.name)
        worker = self.requests.serve(self.name)
        worker.wait_attached()
        for count, timeout_ms in enumerate(LONGER_MS, 1):
            reply = self.requests.call(self.name, b"x", timeout_ms=timeout_ms)
            if reply.handed_out:
                break
        self.assert_ended(reply, TIMED_OUT, True)
        assignment = worker.wait_assignments(1)[0]
        self.assertEqual(worker.wait_cancelled(), [assignment.call_id])
        worker.reply(assignment.call_id, "late")
        self.assertEqual(worker.wait_results(1), [CLOSED])
        self.eventually_responds(self.name, timed_out=count, late_replies=1, answered=0,
                                 in_flight=0)


class Lost(RequestCase):

    # Clauses: N23
    def test_a_worker_lost_with_the_call_in_hand_is_told_at_once(self):
        self.requests.declare(self.name)
        proxy = self.new_proxy()
        ways = {"cancel": lambda worker: worker.cancel(),
                "half-close without finish": lambda worker: worker.half_close(),
                "a fault of its own": lambda worker: worker.write(
                    wire.ServeRequest(open=wire.ServeOpen(responder=self.name))),
                "its connection": lambda worker: proxy.reset()}
        for count, (what, lose) in enumerate(ways.items(), 1):
            with self.subTest(what):
                worker = self.new_client(proxy.address).requests.serve(self.name)
                worker.wait_attached()
                call = self.requests.call_later(self.name, what)  # no time limit to speak of
                worker.wait_assignments(1)
                lose(worker)
                self.assert_ended(call.result(), GONE, True)
                worker.end()
                self.eventually_responds(self.name, responder_gone=count, in_flight=0, workers=0)

    # Clauses: N25
    def test_a_reply_that_is_too_large(self):
        self.requests.declare(self.name, message_bytes_max=1000)
        worker = self.requests.serve(self.name, answer=lambda worker, one: worker.reply(
            one.call_id, b"x" * int(one.request.payload)))
        worker.wait_attached()
        overhead = wire.Message(payload=b"x" * 900).ByteSize() - 900
        fits = 1000 - overhead
        self.assertEqual(len(self.requests.call(self.name, fits).message.payload), fits)
        self.assert_ended(self.requests.call(self.name, fits + 1), TOO_LARGE, True)
        self.assertEqual(worker.wait_results(2), [OK, TOO_LARGE])
        self.assert_reply(self.requests.call(self.name, 1), b"x")  # the worker goes on
        self.eventually_responds(self.name, answered=2, too_large=1)


class Ended(RequestCase):

    # Clauses: N25 N4
    def test_X36_close_ends_what_is_queued_and_lets_the_rest_be_answered(self):
        self.requests.declare(self.name)
        worker = self.requests.serve(self.name, credit=1)
        worker.wait_attached()
        dispatched = self.requests.call_later(self.name, "dispatched")
        worker.wait_assignments(1)
        queued = [self.requests.call_later(self.name, i) for i in range(3)]
        self.eventually_responds(self.name, depth=3, in_flight=1)
        self.requests.close(self.name)
        for call in queued:
            self.assert_ended(call.result(), CLOSED, False, REQUESTED)
        self.assert_ended(self.requests.call(self.name), CLOSED, False, REQUESTED)
        description = self.requests.describe(self.name)
        self.assertEqual((description.state, description.closed_reason, description.closed,
                          description.refused_closed, description.in_flight),
                         (wire.RESPONDER_STATE_CLOSED, REQUESTED, 3, 1, 1))
        self.requests.close(self.name)  # changes nothing
        self.assertFalse(worker.is_over)
        worker.reply(worker.assignments[0].call_id, "answered")
        self.assert_reply(dispatched.result(), b"answered")
        self.assertEqual(worker.end(), REQUESTED)
        self.eventually_responds(self.name, state=wire.RESPONDER_STATE_ENDED, answered=1,
                                 workers=0)
        self.assert_ended(self.requests.call(self.name), CLOSED, False, REQUESTED)

    # Clauses: N4 N25
    def test_delete_ends_all_at_once(self):
        epoch = self.requests.declare(self.name).description.epoch
        worker = self.requests.serve(self.name, credit=1)
        worker.wait_attached()
        dispatched = self.requests.call_later(self.name, "dispatched")
        worker.wait_assignments(1)
        queued = self.requests.call_later(self.name, "queued")
        self.eventually_responds(self.name, depth=1, in_flight=1)
        self.assertEqual(self.requests.delete(self.name), 2)
        self.assert_ended(dispatched.result(), CLOSED, True, DELETED)
        self.assert_ended(queued.result(), CLOSED, False, DELETED)
        self.assertEqual(worker.end(), DELETED)
        self.assert_fault(lambda: self.requests.call(self.name), grpc.StatusCode.NOT_FOUND,
                          "RESPONDER_NOT_FOUND")
        again = self.requests.declare(self.name)  # the name is free at once
        self.assertTrue(again.created)
        self.assertNotEqual(again.description.epoch, epoch)
        self.assertEqual(again.description.accepted, 0)


if __name__ == "__main__":
    unittest.main()
