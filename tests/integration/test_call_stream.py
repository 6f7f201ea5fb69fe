# SPDX-License-Identifier: Apache-2.0
"""Many calls on one stream: answered in any order, each exactly once, and how the stream ends."""

import random
import time
import unittest

import grpc

from support import wire
from support.request_case import RequestCase

OK, FULL, ABSENT, CLOSED = (wire.OUTCOME_OK, wire.OUTCOME_FULL, wire.OUTCOME_ABSENT,
                            wire.OUTCOME_CLOSED)
NO_RESPONDER, TIMED_OUT = wire.OUTCOME_NO_RESPONDER, wire.OUTCOME_TIMED_OUT
FINISHED = wire.CLOSED_REASON_FINISHED
INVALID = grpc.StatusCode.INVALID_ARGUMENT
WAIT = {"wait_for_responder": True}


class CallStream(RequestCase):

    # Clauses: N25 N22
    def test_many_calls_answered_in_another_order(self):
        self.requests.declare(self.name)
        worker = self.requests.serve(self.name, credit=200)
        worker.wait_attached()
        stream = self.requests.stream()
        ids = stream.start_all([(self.name, i, {}) for i in range(100)])
        assignments = list(worker.wait_assignments(100))
        self.assertEqual(worker.requests(), [str(i).encode() for i in range(100)])
        self.assertEqual(sorted(one.call_id for one in assignments),
                         [one.call_id for one in assignments])  # rising on each Serve
        random.Random(7).shuffle(assignments)
        for one in assignments:
            worker.reply(one.call_id, one.request.payload)
        for i, call_id in enumerate(ids):
            self.assert_reply(stream.wait_last(call_id), str(i).encode())
        self.assertEqual(worker.wait_results(100), [OK] * 100)
        self.assertEqual([one.call_id for one in stream.replies],
                         [ids[int(one.request.payload)] for one in assignments])
        stream.half_close()
        self.assertEqual(stream.end(), FINISHED)
        self.assertEqual(len(stream.replies), 100)

    def test_calls_to_several_responders_and_to_none(self):
        first, second = self.name + ".a", self.name + ".b"
        for name in (first, second):
            self.requests.declare(name)
        self.requests.echo(first)
        stream = self.requests.stream()
        ids = stream.start_all([(first, "a", {}), (self.name + ".absent", "x", {}),
                                (second, "b", {}), (first, "c", {})])
        self.assert_reply(stream.wait_last(ids[0]), b"a")
        self.assert_ended(stream.wait_last(ids[1]), ABSENT, False)
        self.assert_ended(stream.wait_last(ids[2]), NO_RESPONDER, False)
        self.assert_reply(stream.wait_last(ids[3]), b"c")

    # Clauses: N26
    def test_full_does_not_end_the_stream(self):
        self.requests.declare(self.name, capacity=2)
        stream = self.requests.stream()
        ids = stream.start_all([(self.name, i, WAIT) for i in range(4)])
        for call_id in ids[2:]:
            self.assert_ended(stream.wait_last(call_id), FULL, False)
        self.requests.echo(self.name)
        for i, call_id in enumerate(ids[:2]):
            self.assert_reply(stream.wait_last(call_id), str(i).encode())
        self.eventually_responds(self.name, refused_full=2, accepted=2)

    # Clauses: N26 N42
    def test_above_1024_open_calls_it_is_full(self):
        self.requests.declare(self.name, capacity=5000)
        stream = self.requests.stream()
        stream.start_all([(self.name, "", WAIT)] * 1024)
        over = stream.start(self.name, "over", **WAIT)
        self.assert_ended(stream.wait_last(over), FULL, False)
        self.eventually_responds(self.name, depth=1024)
        other = self.requests.stream()  # the bound is each stream's own
        mine = other.start(self.name, "mine", **WAIT)
        stream.cancel_calls(1)
        self.eventually_responds(self.name, depth=1024, cancelled=1)
        again = stream.start(self.name, "again", **WAIT)
        worker = self.requests.echo(self.name, credit=2000)
        self.assert_reply(stream.wait_last(again), b"again")
        self.assert_reply(other.wait_last(mine), b"mine")
        self.assertNotIn(b"over", worker.requests())

    # Clauses: N24
    def test_cancel_of_a_queued_and_of_a_dispatched_call(self):
        self.requests.declare(self.name)
        worker = self.requests.serve(self.name, credit=1)
        worker.wait_attached()
        stream = self.requests.stream()
        ids = stream.start_all([(self.name, i, {}) for i in range(3)])
        assignment = worker.wait_assignments(1)[0]
        stream.cancel_calls(ids[1], ids[0], ids[0], 77)  # twice, and one that is not open
        self.assertEqual(worker.wait_cancelled(), [assignment.call_id])
        self.eventually_responds(self.name, cancelled=2, depth=1, in_flight=0)
        self.assertEqual(len(worker.assignments), 1)  # a cancelled one holds credit
        worker.reply(assignment.call_id, "late")
        self.assertEqual(worker.wait_assignments(2)[1].request.payload, b"2")
        worker.reply(worker.assignments[1].call_id, "two")
        self.assert_reply(stream.wait_last(ids[2]), b"two")
        self.assertEqual(worker.wait_results(2), [CLOSED, OK])
        stream.half_close()
        self.assertEqual(stream.end(), FINISHED)
        self.assertEqual([one.call_id for one in stream.replies], [ids[2]])
        self.eventually_responds(self.name, late_replies=1, accepted=3, answered=1)

    def test_a_frame_is_read_in_the_order_of_its_fields(self):
        self.requests.declare(self.name)
        stream = self.requests.stream()
        # Started, then cancelled, in one frame.
        stream.start_all([(self.name, "x", WAIT)], cancel=[1])
        self.eventually_responds(self.name, accepted=1, cancelled=1, depth=0)
        stream.half_close()
        self.assertEqual(stream.end(), FINISHED)
        self.assertEqual(stream.replies, [])

    def test_after_a_half_close_open_calls_go_on(self):
        self.requests.declare(self.name)
        worker = self.requests.serve(self.name)
        worker.wait_attached()
        stream = self.requests.stream()
        first = stream.start(self.name, "one")
        parts = stream.start(self.name, "parts", parts=True, part_credit=1)
        stream.half_close()
        one, other = worker.wait_assignments(2)
        self.assertEqual(other.part_credit, 1)
        worker.reply(other.call_id, "p1", last=False)
        worker.wait_results(1)
        self.assertFalse(stream.is_over)
        worker.reply(one.call_id, "reply")
        self.assert_reply(stream.wait_last(first), b"reply")
        worker.reply(other.call_id)  # without further credit it can but end
        self.assert_reply(stream.wait_last(parts), None)
        self.assertEqual(stream.parts_of(parts), [b"p1"])
        self.assertEqual(stream.end(), FINISHED)

    def test_a_stream_without_calls_finishes(self):
        stream = self.requests.stream()
        stream.half_close()
        self.assertEqual(stream.end(), FINISHED)

    # Clauses: N24
    def test_the_loss_of_a_stream_cancels_what_is_open(self):
        self.requests.declare(self.name)
        proxy = self.new_proxy()
        lose = (lambda stream: stream.cancel(), lambda stream: proxy.reset())
        for round_, way in enumerate(lose, 1):
            worker = self.requests.serve(self.name, credit=2)
            worker.wait_attached()
            stream = self.new_client(proxy.address).requests.stream()
            stream.start_all([(self.name, i, {}) for i in range(5)])
            worker.wait_assignments(2)
            self.eventually_responds(self.name, depth=3, in_flight=2)
            way(stream)
            self.assertEqual(sorted(worker.wait_cancelled(2)),
                             [one.call_id for one in worker.assignments])
            self.eventually_responds(self.name, depth=0, in_flight=0, cancelled=5 * round_)
            worker.finish()
            worker.half_close()
            self.assertEqual(worker.end(), FINISHED)

    def test_timeouts_of_single_calls(self):
        self.requests.declare(self.name)
        stream = self.requests.stream()
        began = time.monotonic()
        never = stream.start(self.name, "never", **WAIT)
        late, soon = stream.start_all([(self.name, "late", {"timeout_ms": 400, **WAIT}),
                                       (self.name, "soon", {"timeout_ms": 100, **WAIT})])
        self.assert_ended(stream.wait_last(late), TIMED_OUT, False)
        self.assertGreaterEqual(time.monotonic() - began, 0.4)
        self.assertEqual([one.call_id for one in stream.replies], [soon, late])
        self.requests.echo(self.name)
        self.assert_reply(stream.wait_last(never), b"never")
        self.eventually_responds(self.name, timed_out=2, answered=1)

    # Clauses: N42
    def test_no_responder_waits_for_the_end_of_anothers_replies(self):
        names = [self.name + ".one", self.name + ".two"]
        for name in names:
            self.requests.declare(name)
            self.requests.serve(name, answer=lambda worker, one: worker.reply(
                one.call_id, one.request.payload * 150_000)).wait_attached()
        for round_, (many, few) in enumerate((names, names[::-1]), 1):
            stream = self.new_client().requests.stream(is_reading=False)
            stream.start_all([(many, b"x", {})] * 120)
            self.eventually_responds(many, answered=119 + round_)
            other = stream.start(few, b"y")  # no room beside one of the others
            self.eventually_responds(few, answered=120 * (round_ - 1) + 1)
            stream.start_reading()
            stream.until(lambda stream=stream: len(stream.replies) == 121, what="all replies")
            order = [one.call_id for one in stream.replies]
            self.assertLess(order.index(other), 60, "soon behind what the connection held")
            stream.cancel()

    # Clauses: N4
    def test_close_and_delete_do_not_end_the_stream(self):
        self.requests.declare(self.name)
        stream = self.requests.stream()
        queued = stream.start(self.name, "x", **WAIT)
        self.eventually_responds(self.name, depth=1)
        self.requests.close(self.name)
        self.assert_ended(stream.wait_last(queued), CLOSED, False, wire.CLOSED_REASON_REQUESTED)
        refused = stream.start(self.name, "x", **WAIT)
        self.assert_ended(stream.wait_last(refused), CLOSED, False, wire.CLOSED_REASON_REQUESTED)
        self.requests.delete(self.name)
        absent = stream.start(self.name, "x", **WAIT)
        self.assert_ended(stream.wait_last(absent), ABSENT, False)
        self.requests.declare(self.name)  # a new one is the next call's
        self.requests.echo(self.name)
        self.assert_reply(stream.wait_last(stream.start(self.name, "x")), b"x")

    def test_a_frame_of_replies_is_at_most_256_kib_or_one(self):
        self.requests.declare(self.name)
        self.requests.echo(self.name)
        stream = self.requests.stream()
        sizes = [100_000] * 8 + [900_000] * 2
        for size in sizes:
            stream.start(self.name, b"x" * size, **WAIT)
        stream.until(lambda: len(stream.replies) == len(sizes), what="all replies")
        for frame in stream.frames:
            total = sum(one.message.ByteSize() for one in frame.replies)
            self.assertTrue(total <= 256 * 1024 or len(frame.replies) == 1, total)


class Faults(RequestCase):
    """A fault ends the stream: nothing of that frame is started, what is open is cancelled."""

    def setUp(self):
        super().setUp()
        self.requests.declare(self.name, message_bytes_max=2000)
        self.stream = self.requests.stream()
        self.stream.start(self.name, "open", call_id=5, **WAIT)
        self.eventually_responds(self.name, depth=1)

    def refused(self, reason, **details):
        self.assert_fault(self.stream.end(), INVALID, reason, **details)
        self.eventually_responds(self.name, depth=0, accepted=1, cancelled=1, retained_bytes=0)

    def test_call_ids_must_rise(self):
        self.stream.start_all([(self.name, "good", {"call_id": 6, **WAIT}),
                               (self.name, "bad", {"call_id": 6, **WAIT})])
        self.refused("INVALID_FIELD", call_id=6, field="call_id")

    def test_a_call_id_must_not_be_0(self):
        self.stream.start(self.name, "bad", call_id=0, **WAIT)
        self.refused("INVALID_FIELD", call_id=0, field="call_id")

    def test_a_call_id_has_a_bound(self):
        self.stream.start(self.name, "bad", call_id=2 ** 53, **WAIT)
        self.refused("OUT_OF_BOUNDS", field="call_id", limit=2 ** 53 - 1, value=2 ** 53)

    def test_a_request_above_the_responders_bound(self):
        envelope = wire.Message(payload=b"x" * 1990).ByteSize() - 1990
        self.stream.start_all([(self.name, "good", {"call_id": 8, **WAIT}),
                               (self.name, b"x" * (2001 - envelope), {"call_id": 9, **WAIT})])
        self.refused("OUT_OF_BOUNDS", call_id=9, limit=2000, value=2001)

    def test_part_credit_has_a_bound(self):
        self.stream.start(self.name, "bad", call_id=9, parts=True, part_credit=1025, **WAIT)
        self.refused("OUT_OF_BOUNDS", call_id=9, limit=1024, value=1025)

    def test_part_credit_is_not_read_without_parts(self):
        self.stream.start(self.name, "good", call_id=9, part_credit=1025, **WAIT)
        self.eventually_responds(self.name, depth=2)

    def test_names(self):
        self.stream.start("a..b", "bad", call_id=9, **WAIT)
        self.refused("INVALID_FIELD", call_id=9)

    def test_numbers_in_a_frame(self):
        for many, field, limit in (
                ({"calls": [wire.CallStart(call_id=i + 9, responder=self.name,
                                           wait_for_responder=True) for i in range(1025)]},
                 "calls", 1024),
                ({"cancel": [5] * 10_001}, "cancel", 10_000),
                ({"part_credit": [wire.PartCredit(call_id=5, parts=1)] * 10_001}, "part_credit",
                 10_000)):
            with self.subTest(field):
                stream = self.requests.stream()
                stream.write(wire.CallStreamRequest(**many))
                self.assert_fault(stream.end(), INVALID, "OUT_OF_BOUNDS", field=field,
                                  limit=limit, value=limit + 1)
        self.assertEqual(self.requests.describe(self.name).accepted, 1)
        most = self.requests.stream()
        most.write(wire.CallStreamRequest(cancel=[5] * 10_000))
        most.half_close()
        self.assertEqual(most.end(), FINISHED)


if __name__ == "__main__":
    unittest.main()
