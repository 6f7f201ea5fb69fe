# SPDX-License-Identifier: Apache-2.0
"""Serve, step by step: attached, assignments within the credit, replies and their results."""

import unittest

import grpc

from support import wire
from support.request_case import RequestCase

OK, CLOSED = wire.OUTCOME_OK, wire.OUTCOME_CLOSED
DONE, UNKNOWN = wire.OUTCOME_ALREADY_DONE, wire.OUTCOME_UNKNOWN_CALL
GONE, NO_RESPONDER = wire.OUTCOME_RESPONDER_GONE, wire.OUTCOME_NO_RESPONDER
FINISHED = wire.CLOSED_REASON_FINISHED


class Replies(RequestCase):

    def setUp(self):
        super().setUp()
        self.requests.declare(self.name)
        self.worker = self.requests.serve(self.name)
        self.worker.wait_attached()

    # Clauses: N25
    def test_X34_a_second_reply_and_an_invented_call(self):
        call = self.requests.call_later(self.name, "x")
        call_id = self.worker.wait_assignments(1)[0].call_id
        self.worker.reply(call_id, "first")
        self.worker.reply(call_id, "second")
        self.worker.reply(call_id + 1000, "invented")
        self.worker.reply(0, "invented")
        self.worker.fail(call_id)
        self.worker.release(call_id)
        self.assertEqual(self.worker.wait_results(6), [OK, DONE, UNKNOWN, UNKNOWN, DONE, DONE])
        self.assertEqual([one.call_id for one in self.worker.results],
                         [call_id, call_id, call_id + 1000, 0, call_id, call_id])
        self.assert_reply(call.result(), b"first")
        again = self.requests.call_later(self.name, "y")  # the stream is unharmed
        self.worker.reply(self.worker.wait_assignments(2)[1].call_id, "z")
        self.assert_reply(again.result(), b"z")
        self.eventually_responds(self.name, answered=2, failed=0, accepted=2)

    # Clauses: N25
    def test_call_ids_mean_something_on_their_stream_only(self):
        call = self.requests.call_later(self.name, "x")
        call_id = self.worker.wait_assignments(1)[0].call_id
        other = self.requests.serve(self.name)
        other.wait_attached()
        other.reply(call_id, "not mine")
        self.assertEqual(other.wait_results(1), [UNKNOWN])
        self.worker.reply(call_id, "mine")
        self.assert_reply(call.result(), b"mine")

    def test_one_result_for_each_reply_in_order(self):
        calls = [self.requests.call_later(self.name, i) for i in range(50)]
        ids = [one.call_id for one in self.worker.wait_assignments(50)]
        ids.reverse()
        self.worker.write(wire.ServeRequest(replies=[
            wire.WorkerReply(call_id=call_id, message=wire.Message(payload=b"r"), last=True)
            for call_id in ids]))
        self.assertEqual(self.worker.wait_results(50), [OK] * 50)
        self.assertEqual([one.call_id for one in self.worker.results], ids)
        for call in calls:
            self.assert_reply(call.result(), b"r")

    def test_a_fault_ends_the_stream_and_is_a_loss(self):
        message = wire.Message(payload=b"x")
        replies = {
            "no content, and not the last": ({}, "INVALID_FIELD", {}),
            "a code of the broker": ({"failure": wire.Failure(code="_MINE"), "last": True},
                                     "INVALID_FIELD", {}),
            "a code too long": ({"failure": wire.Failure(code="c" * 256), "last": True},
                                "OUT_OF_BOUNDS", {"limit": 255, "value": 256}),
            "a text too long": ({"failure": wire.Failure(code="c", text="t" * 8193),
                                 "last": True}, "OUT_OF_BOUNDS", {"limit": 8192, "value": 8193}),
        }
        for count, (what, (fields, reason, details)) in enumerate(replies.items(), 1):
            with self.subTest(what):
                worker = self.worker if count == 1 else self.requests.serve(self.name)
                call = self.requests.call_later(self.name, what, wait_for_responder=True)
                call_id = worker.wait_assignments(1)[0].call_id
                good = wire.WorkerReply(call_id=call_id + 7, message=message, last=True)
                bad = wire.WorkerReply(call_id=call_id, **fields)
                worker.write(wire.ServeRequest(replies=[good, bad]))
                self.assert_fault(worker.end(), grpc.StatusCode.INVALID_ARGUMENT, reason,
                                  **details)
                self.assert_ended(call.result(), GONE, True)
                self.eventually_responds(self.name, responder_gone=count, workers=0)

    def test_numbers_and_order_of_frames(self):
        one = wire.WorkerReply(call_id=1, last=True)
        self.worker.write(wire.ServeRequest(replies=[one] * 10_001))
        self.assert_fault(self.worker.end(), grpc.StatusCode.INVALID_ARGUMENT, "OUT_OF_BOUNDS",
                          field="replies", limit=10_000, value=10_001)
        most = self.requests.serve(self.name)
        most.write(wire.ServeRequest(replies=[one] * 10_000))
        self.assertEqual(most.wait_results(10_000), [UNKNOWN] * 10_000)
        most.write(wire.ServeRequest(open=wire.ServeOpen(responder=self.name)))
        self.assert_fault(most.end(), grpc.StatusCode.INVALID_ARGUMENT, "OUT_OF_ORDER")


class Credit(RequestCase):

    def setUp(self):
        super().setUp()
        self.requests.declare(self.name)
        self.stream = self.requests.stream()

    def ask(self, count, payload="x"):
        return self.stream.start_all([(self.name, payload, {"wait_for_responder": True})
                                      for _ in range(count)])

    # Clauses: N21
    def test_never_more_unanswered_than_the_credit(self):
        self.ask(20)
        worker = self.requests.serve(self.name, credit=0)
        worker.wait_attached()
        worker.reply(9, "its result comes after whatever would have been handed out")
        worker.wait_results(1)
        self.assertEqual(worker.assignments, [])
        worker.set_credit(3)
        worker.wait_assignments(3)
        self.eventually_responds(self.name, in_flight=3, depth=17)
        worker.set_credit(5)
        worker.wait_assignments(5)
        worker.set_credit(2)  # takes nothing back
        self.eventually_responds(self.name, in_flight=5, depth=15)
        for one in worker.assignments[:3]:
            worker.reply(one.call_id, "r")
        worker.wait_results(4)
        self.assertEqual(len(worker.assignments), 5)
        # The last reply frees credit; a part does not.
        worker.reply(worker.assignments[3].call_id, "part", last=False)
        worker.wait_results(5)
        self.assertEqual(len(worker.assignments), 5)
        worker.reply(worker.assignments[3].call_id)
        worker.wait_assignments(6)
        self.eventually_responds(self.name, in_flight=2, depth=14, answered=4)
        # A new window and replies in one frame.
        worker.write(wire.ServeRequest(credit=wire.Credit(messages=4), replies=[
            wire.WorkerReply(call_id=worker.assignments[4].call_id, last=True)]))
        worker.wait_assignments(9)
        self.eventually_responds(self.name, in_flight=4, depth=11)

    # Clauses: N21
    def test_without_credit_in_the_open_it_is_64(self):
        self.ask(200)
        worker = self.requests.serve(self.name)
        worker.wait_assignments(64)
        self.eventually_responds(self.name, in_flight=64, depth=136)

    # Clauses: N21
    def test_credit_in_bytes(self):
        self.ask(5, b"x" * 1000)
        worker = self.requests.serve(self.name, credit=100, credit_bytes=2500)
        worker.wait_assignments(2)
        self.eventually_responds(self.name, in_flight=2, depth=3)
        worker.reply(worker.assignments[0].call_id, "r")
        worker.wait_assignments(3)
        self.eventually_responds(self.name, in_flight=2, depth=2)
        worker.set_credit(100, 10)
        for one in worker.assignments[1:3]:
            worker.reply(one.call_id, "r")
        worker.wait_assignments(4)  # with nothing held one passes whatever its size
        self.eventually_responds(self.name, in_flight=1, depth=1)

    # Clauses: N21
    def test_a_frame_of_assignments_is_at_most_256_kib_or_one(self):
        for size in [100_000] * 8 + [900_000] * 2:
            self.ask(1, b"x" * size)
        self.eventually_responds(self.name, depth=10)
        worker = self.requests.serve(self.name)
        worker.wait_assignments(10)
        for frame in worker.frames:
            total = sum(one.request.ByteSize() for one in frame.assignments)
            self.assertTrue(total <= 256 * 1024 or len(frame.assignments) == 1, total)


class Leaving(RequestCase):

    def setUp(self):
        super().setUp()
        self.requests.declare(self.name)
        self.worker = self.requests.serve(self.name, credit=2)
        self.worker.wait_attached()
        self.stream = self.requests.stream()

    # Clauses: N20
    def test_finish_then_answer_then_the_end(self):
        ids = self.stream.start_all([(self.name, i, {}) for i in range(4)])
        held = self.worker.wait_assignments(2)
        self.worker.finish()
        self.eventually_responds(self.name, in_flight=2)
        for one in held:
            self.worker.reply(one.call_id, "answered")
        self.assertEqual(self.worker.end(), FINISHED)
        self.assertEqual(len(self.worker.assignments), 2)
        for call_id in ids[:2]:
            self.assert_reply(self.stream.wait_last(call_id), b"answered")
        for call_id in ids[2:]:  # nobody is left for them
            self.assert_ended(self.stream.wait_last(call_id), NO_RESPONDER, False)
        self.eventually_responds(self.name, workers=0, answered=2, no_responder=2)

    # Clauses: N20
    def test_finish_with_nothing_in_hand_and_with_the_last_reply(self):
        self.worker.finish()
        self.assertEqual(self.worker.end(), FINISHED)
        worker = self.requests.serve(self.name)
        worker.wait_attached()
        call = self.stream.start(self.name)
        held = worker.wait_assignments(1)[0]
        worker.write(wire.ServeRequest(finish=True, replies=[
            wire.WorkerReply(call_id=held.call_id, last=True)]))
        self.assertEqual(worker.end(), FINISHED)
        self.assert_reply(self.stream.wait_last(call), None)

    def test_while_finishing_calls_go_to_another(self):
        first = self.stream.start(self.name, "held")
        held = self.worker.wait_assignments(1)[0]
        self.worker.finish()
        self.eventually_finishing()
        self.requests.echo(self.name)
        self.assert_reply(self.requests.call(self.name, "new"), b"new")
        self.worker.reply(held.call_id, "done")
        self.assert_reply(self.stream.wait_last(first), b"done")
        self.assertEqual(self.worker.end(), FINISHED)
        self.assertEqual(len(self.worker.assignments), 1)

    def eventually_finishing(self):
        """A reply's result comes after finish was read."""
        self.worker.reply(99, "invented")
        self.assertEqual(self.worker.wait_results(1), [UNKNOWN])
        described = self.requests.page(self.name).workers[0]
        self.assertEqual((described.finishing, described.held), (True, 1))

    # Clauses: N20
    def test_half_close_after_finish_releases(self):
        ids = self.stream.start_all([(self.name, "whole", {}),
                                     (self.name, "begun", {"parts": True})])
        whole, begun = self.worker.wait_assignments(2)
        self.worker.reply(begun.call_id, "a part", last=False)
        self.stream.wait_parts(ids[1], 1)
        other = self.requests.echo(self.name)
        self.worker.finish()
        self.worker.half_close()
        self.assertEqual(self.worker.end(), FINISHED)
        self.assert_reply(self.stream.wait_last(ids[0]), b"whole")
        self.assertEqual([(one.request, one.attempts) for one in other.assignments],
                         [(whole.request, 2)])
        self.assert_ended(self.stream.wait_last(ids[1]), GONE, True)
        self.eventually_responds(self.name, redelivered=1, responder_gone=1, answered=1)

    # Clauses: N24
    def test_a_cancelled_call_in_hand_keeps_a_finishing_worker(self):
        call = self.requests.call_later(self.name, "x")
        held = self.worker.wait_assignments(1)[0]
        self.worker.finish()
        call.cancel()
        self.worker.wait_cancelled()
        self.assertFalse(self.worker.is_over)
        self.worker.release(held.call_id)
        self.assertEqual(self.worker.wait_results(1), [CLOSED])
        self.assertEqual(self.worker.end(), FINISHED)


if __name__ == "__main__":
    unittest.main()
