# SPDX-License-Identifier: Apache-2.0
"""Replies in parts: one by one or gathered, and credit for them from the caller to the worker."""

import threading
import unittest

import grpc

from support import wire
from support.request_case import LONGER_MS, RequestCase

OK, FAILED, CLOSED = wire.OUTCOME_OK, wire.OUTCOME_FAILED, wire.OUTCOME_CLOSED
TOO_LARGE, GONE = wire.OUTCOME_REPLY_TOO_LARGE, wire.OUTCOME_RESPONDER_GONE
DONE, TIMED_OUT = wire.OUTCOME_ALREADY_DONE, wire.OUTCOME_TIMED_OUT
FINISHED = wire.CLOSED_REASON_FINISHED


class PartsCase(RequestCase):

    def setUp(self):
        super().setUp()
        self.requests.declare(self.name)
        self.worker = self.requests.serve(self.name)
        self.worker.wait_attached()

    def send_parts(self, call_id, parts):
        """As many as the credit allows at a time, the last one marked."""
        for i, part in enumerate(parts, 1):
            self.worker.wait_allowed(call_id, i)
            self.worker.reply(call_id, part, last=i == len(parts))


class Parts(PartsCase):

    # Clauses: N25
    def test_one_by_one_as_they_come(self):
        call = self.requests.parts(self.name, "question")
        assignment = self.worker.wait_assignments(1)[0]
        self.assertTrue(assignment.parts)
        self.assertGreaterEqual(assignment.part_credit, 1)
        for i in range(5):
            self.worker.wait_allowed(assignment.call_id, i + 1)
            self.worker.reply(assignment.call_id, i, last=False)
            self.assertEqual(len(call.wait_parts(i + 1)), i + 1)  # before the next is sent
            self.assertIsNone(call.last)
        self.worker.reply(assignment.call_id, "the end")
        self.assert_reply(call.wait_last(), b"the end")
        call.end()
        self.assertIsNone(call.fault)
        self.assertEqual(call.parts, [b"0", b"1", b"2", b"3", b"4", b"the end"])
        self.assertEqual({frame.outcome for frame in call.frames}, {OK})
        self.assertEqual(self.worker.wait_results(6), [OK] * 6)
        self.eventually_responds(self.name, answered=1, retained_bytes=0)

    def test_the_end_may_have_no_message_and_one_message_may_be_all(self):
        call = self.requests.parts(self.name)
        self.worker.reply(self.worker.wait_assignments(1)[0].call_id, "only")
        self.assert_reply(call.wait_last(), b"only")
        call = self.requests.parts(self.name)
        assignment = self.worker.wait_assignments(2)[1]
        self.worker.reply(assignment.call_id, "part", last=False)
        self.worker.reply(assignment.call_id)
        self.assert_reply(call.wait_last(), None)
        self.assertEqual(call.parts, [b"part"])
        self.assertIsNone(call.fault)

    def test_outcomes_of_a_call_in_parts(self):
        call = self.requests.parts(self.name + ".absent")
        self.assert_fault(call.end(), grpc.StatusCode.NOT_FOUND, "RESPONDER_NOT_FOUND")
        self.worker.finish()
        self.worker.end()
        worker = self.requests.serve(self.name, answer=lambda worker, one: worker.reply(
            one.call_id, "a part", last=False))
        worker.wait_attached()
        for count, timeout_ms in enumerate(LONGER_MS, 1):
            call = self.requests.parts(self.name, timeout_ms=timeout_ms)
            last = call.wait_last()
            if call.parts:
                break
        self.assert_ended(last, TIMED_OUT, True)
        self.assertEqual(call.parts, [b"a part"])
        call_id = worker.assignments[-1].call_id
        worker.until(lambda: call_id in worker.cancelled, what="its end")
        worker.reply(call_id, "late", last=False)  # ends the assignment
        worker.reply(call_id, "later")
        answered = len(worker.assignments)
        self.assertEqual(worker.wait_results(answered + 2)[answered - 1:], [OK, CLOSED, DONE])
        call = self.requests.parts(self.name)
        call.wait_parts(1)
        worker.fail(worker.assignments[-1].call_id, "broken", "half way")
        last = call.wait_last()
        self.assert_ended(last, FAILED, True)
        self.assertEqual((last.failure.code, last.failure.text), ("broken", "half way"))
        worker.finish()
        worker.end()
        self.assert_ended(self.requests.parts(self.name).wait_last(), wire.OUTCOME_NO_RESPONDER,
                          False)
        self.eventually_responds(self.name, timed_out=count, failed=1, accepted=count + 1)

    # Clauses: N23
    def test_a_worker_lost_half_way(self):
        call = self.requests.parts(self.name, retry_on_responder_loss=True)
        assignment = self.worker.wait_assignments(1)[0]
        self.worker.reply(assignment.call_id, "a part", last=False)
        call.wait_parts(1)
        other = self.requests.serve(self.name)
        other.wait_attached()
        self.worker.cancel()
        self.assert_ended(call.wait_last(), GONE, True)  # a part went out: not handed on
        self.assertEqual(other.assignments, [])
        self.eventually_responds(self.name, responder_gone=1, redelivered=0)

    # Clauses: N24
    def test_leaving_is_cancelling(self):
        call = self.requests.parts(self.name)
        assignment = self.worker.wait_assignments(1)[0]
        self.worker.reply(assignment.call_id, "a part", last=False)
        call.wait_parts(1)
        call.cancel()
        self.assertEqual(self.worker.wait_cancelled(), [assignment.call_id])
        self.worker.reply(assignment.call_id, "late", last=False)
        self.assertEqual(self.worker.wait_results(2), [OK, CLOSED])
        self.eventually_responds(self.name, cancelled=1, in_flight=0, retained_bytes=0)

    def test_parts_of_a_release_are_a_loss(self):
        call = self.requests.parts(self.name)
        assignment = self.worker.wait_assignments(1)[0]
        self.worker.reply(assignment.call_id, "a part", last=False)
        self.worker.release(assignment.call_id)
        self.assert_ended(call.wait_last(), GONE, True)


class Gathered(PartsCase):

    # Clauses: N25
    def test_payloads_are_joined_and_the_first_tells_the_rest(self):
        call = self.requests.call_later(self.name)
        assignment = self.worker.wait_assignments(1)[0]
        self.assertFalse(assignment.parts)
        first = wire.Message(payload=b"one,", id="first", content_type="text/csv",
                             headers={"of": "first"})
        self.worker.reply(assignment.call_id, first, last=False)
        self.worker.wait_allowed(assignment.call_id, 2)
        self.worker.reply(assignment.call_id, wire.Message(
            payload=b"two,", id="second", content_type="none", headers={"of": "second"}),
            last=False)
        self.worker.wait_allowed(assignment.call_id, 3)
        self.worker.reply(assignment.call_id, "three")
        reply = call.result()
        first.payload = b"one,two,three"
        self.assert_reply(reply, first.payload)
        self.assertEqual(reply.message, first)
        self.eventually_responds(self.name, answered=1, retained_bytes=0)

    def test_on_a_stream_and_ended_without_a_message(self):
        stream = self.requests.stream()
        call = stream.start(self.name)
        assignment = self.worker.wait_assignments(1)[0]
        self.send_parts(assignment.call_id, [str(i) for i in range(100)])
        expected = "".join(str(i) for i in range(100)).encode()
        self.assert_reply(stream.wait_last(call), expected)
        call = stream.start(self.name)
        assignment = self.worker.wait_assignments(2)[1]
        self.worker.reply(assignment.call_id, "all", last=False)
        self.worker.reply(assignment.call_id)
        self.assert_reply(stream.wait_last(call), b"all")
        self.assertEqual(len(stream.replies), 2)

    def test_above_the_bound_it_is_too_large(self):
        name = self.name + ".small"
        self.requests.declare(name, message_bytes_max=1000)
        worker = self.requests.serve(name)
        worker.wait_attached()
        call = self.requests.call_later(name)
        assignment = worker.wait_assignments(1)[0]
        for i in range(1, 4):
            worker.wait_allowed(assignment.call_id, i)
            worker.reply(assignment.call_id, b"x" * 400, last=False)
        self.assert_ended(call.result(), TOO_LARGE, True)
        worker.reply(assignment.call_id, "more")
        self.assertEqual(worker.wait_results(4), [OK, OK, TOO_LARGE, DONE])
        self.eventually_responds(name, too_large=1, in_flight=0, retained_bytes=0)

    def test_a_part_alone_above_the_bound(self):
        name = self.name + ".small"
        self.requests.declare(name, message_bytes_max=1000)
        worker = self.requests.serve(name)
        worker.wait_attached()
        call = self.requests.parts(name)
        assignment = worker.wait_assignments(1)[0]
        worker.reply(assignment.call_id, b"x" * 900, last=False)  # parts may be more in all
        worker.reply(assignment.call_id, b"x" * 900, last=False)
        call.wait_parts(2)
        worker.reply(assignment.call_id, b"x" * 1001, last=False)
        self.assert_ended(call.wait_last(), TOO_LARGE, True)
        self.assertEqual(worker.wait_results(3), [OK, OK, TOO_LARGE])


class Credit(PartsCase):

    # Clauses: N25
    def test_the_callers_credit_reaches_the_worker(self):
        stream = self.requests.stream()
        call = stream.start(self.name, parts=True, part_credit=3)
        assignment = self.worker.wait_assignments(1)[0]
        self.assertEqual((assignment.parts, assignment.part_credit), (True, 3))
        default = stream.start(self.name, parts=True)
        self.assertEqual(self.worker.wait_assignments(2)[1].part_credit, 16)
        for i in range(3):
            self.worker.reply(assignment.call_id, i, last=False)
        stream.wait_parts(call, 3)
        stream.allow(call, 2)  # told again, or lower: nothing changes
        stream.allow(call, 5)
        stream.allow(call, 4)
        self.assertEqual(self.worker.wait_allowed(assignment.call_id, 5), 5)
        self.worker.reply(assignment.call_id, 3, last=False)
        self.worker.reply(assignment.call_id, 4)
        self.assert_reply(stream.wait_last(call), b"4")
        self.assertEqual(stream.parts_of(call), [b"0", b"1", b"2", b"3", b"4"])
        stream.allow(call, 9)       # of a call that is over: ignored
        stream.allow(call + 50, 9)  # and of one that never was
        self.worker.reply(self.worker.assignments[1].call_id, "end")
        self.assert_reply(stream.wait_last(default), b"end")

    # Clauses: N25
    def test_parts_beyond_the_credit_end_the_call(self):
        stream = self.requests.stream()
        call = stream.start(self.name, parts=True, part_credit=2)
        assignment = self.worker.wait_assignments(1)[0]
        for i in range(4):
            self.worker.reply(assignment.call_id, i, last=False)
        last = stream.wait_last(call)
        self.assert_ended(last, FAILED, True)
        self.assertEqual(last.failure.code, "_PART_CREDIT")
        self.assertEqual(stream.parts_of(call), [b"0", b"1"])
        self.assertEqual(self.worker.wait_results(4), [OK, OK, FAILED, DONE])
        self.eventually_responds(self.name, failed=1, in_flight=0)
        self.requests.call_later(self.name, "the worker goes on")
        self.worker.wait_assignments(2)
        self.worker.reply(self.worker.assignments[1].call_id, "yes")
        self.assertEqual(self.worker.wait_results(5)[4], OK)

    # Clauses: N42 N21
    def test_a_caller_that_does_not_read_holds_back_its_own_parts_alone(self):
        part, most = b"x" * 100_000, 600
        slow_client = self.new_client()
        slow = slow_client.requests.parts(self.name, is_reading=False)
        held = self.worker.wait_assignments(1)[0]
        told = []

        def send_all():
            for i in range(1, most + 1):
                self.worker.wait_allowed(held.call_id, i)
                told.append(i)
                self.worker.reply(held.call_id, part, last=i == most)
        sender = threading.Thread(target=send_all)
        sender.start()
        try:
            for i, client in enumerate((self.client, slow_client), 1):  # its own connection, too
                fast = client.requests.parts(self.name)
                assignment = self.worker.wait_assignments(i + 1)[i]
                self.send_parts(assignment.call_id, [part] * 100)
                self.assert_reply(fast.wait_last(), part)
                self.assertEqual(len(fast.parts), 100)
            ahead = len(told)
            print(f"a caller that does not read: {ahead} parts of {most} were asked for")
            self.assertLess(ahead, 200)
            retained = self.requests.describe(self.name).retained_bytes
            self.assertLess(retained, 200 * len(part))
        finally:
            slow.start_reading()
            sender.join()
        self.assert_reply(slow.wait_last(), part)
        self.assertEqual(len(slow.parts), most)
        self.eventually_responds(self.name, answered=3, retained_bytes=0)

    def test_many_calls_with_parts_on_one_stream(self):
        stream = self.requests.stream()
        calls = stream.start_all([(self.name, i, {"parts": True, "part_credit": 2})
                                  for i in range(20)])
        assignments = list(self.worker.wait_assignments(20))
        for i in range(1, 11):
            for call, one in zip(calls, assignments):
                stream.allow(call, i + 2)
                self.worker.wait_allowed(one.call_id, i)
                self.worker.reply(one.call_id, f"{one.request.payload.decode()}.{i}", last=i == 10)
        for n, call in enumerate(calls):
            stream.wait_last(call)
            self.assertEqual(stream.parts_of(call), [f"{n}.{i}".encode() for i in range(1, 11)])
        stream.half_close()
        self.assertEqual(stream.end(), FINISHED)
        self.assertEqual(len(stream.replies), 200)


if __name__ == "__main__":
    unittest.main()
