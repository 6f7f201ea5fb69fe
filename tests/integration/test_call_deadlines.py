# SPDX-License-Identifier: Apache-2.0
"""Time and cancelling: deadlines that travel, callers that give up, and races with the reply."""

import random
import os
import time
import unittest

import grpc

from support import wire
from support.request_case import LONGER_MS, RequestCase

OK, CLOSED, TIMED_OUT = wire.OUTCOME_OK, wire.OUTCOME_CLOSED, wire.OUTCOME_TIMED_OUT


class Deadlines(RequestCase):

    def setUp(self):
        super().setUp()
        self.requests.declare(self.name)

    # Clauses: N22
    def test_what_is_left_goes_to_the_worker(self):
        worker = self.requests.serve(self.name)
        worker.wait_attached()
        stream = self.requests.stream()
        # gRPC rounds its own deadline up on the wire, to two or three digits.
        calls = ((lambda: self.requests.call_later(self.name, timeout=20), 1, 20_500),
                 (lambda: self.requests.call_later(self.name, timeout=20, timeout_ms=5000), 1,
                  5000),
                 (lambda: self.requests.call_later(self.name, timeout=5, timeout_ms=20_000), 1,
                  5200),
                 (lambda: self.requests.call_later(self.name, timeout=None), 0, 0),
                 (lambda: self.requests.call_later(self.name, timeout=None, timeout_ms=5000), 1,
                  5000),
                 (lambda: self.requests.parts(self.name, timeout=5), 1, 5200),
                 (lambda: stream.start(self.name), 0, 0),  # not the stream's own deadline
                 (lambda: stream.start(self.name, timeout_ms=5000), 1, 5000))
        for i, (start, least, most) in enumerate(calls):
            call = start()
            assignment = worker.wait_assignments(i + 1)[i]
            self.assertTrue(least <= assignment.timeout_ms <= most, assignment)
            if most:
                self.assertGreater(assignment.timeout_ms, most - 4000)
            worker.reply(assignment.call_id, "x")
            del call

    # Clauses: N22
    def test_time_in_the_queue_is_gone(self):
        call = self.requests.call_later(self.name, timeout_ms=10_000, wait_for_responder=True)
        self.eventually_responds(self.name, depth=1)
        began = time.monotonic()
        while time.monotonic() - began < 0.3:
            self.assertEqual(self.requests.describe(self.name).depth, 1)
        worker = self.requests.serve(self.name)
        assignment = worker.wait_assignments(1)[0]
        self.assertTrue(0 < assignment.timeout_ms <= 9700, assignment)
        worker.reply(assignment.call_id, "x")
        self.assert_reply(call.result(), b"x")

    def test_the_grpc_deadline_is_the_callers_own_status(self):
        with self.assertRaises(grpc.RpcError) as raised:
            self.requests.call(self.name, timeout=0.2, wait_for_responder=True)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        worker = self.requests.serve(self.name)
        worker.wait_attached()
        for timeout_ms in LONGER_MS:
            call = self.requests.call_later(self.name, timeout_ms, timeout=timeout_ms / 1000)
            self.assertEqual(call.exception().code(), grpc.StatusCode.DEADLINE_EXCEEDED)
            assigned = [one for one in worker.assignments
                        if one.request.payload == b"%d" % timeout_ms]
            if assigned:
                break
        call_id = assigned[0].call_id
        worker.until(lambda: call_id in worker.cancelled, what="the end of the call")
        worker.reply(call_id, "late")
        self.assertEqual(worker.wait_results(1), [CLOSED])
        # The client's own cancel may be first: it is one or the other, once.
        description = self.eventually_responds(self.name, depth=0, in_flight=0, late_replies=1)
        self.assertEqual(description.accepted, description.timed_out + description.cancelled)

    # Clauses: N24 N26
    def test_X33_who_gave_up_is_skipped(self):
        first = self.requests.call_later(self.name, "A", timeout=60, wait_for_responder=True)
        self.eventually_responds(self.name, depth=1)
        first.cancel()
        self.eventually_responds(self.name, depth=0, cancelled=1)
        second = self.requests.call_later(self.name, "B", timeout=60, wait_for_responder=True)
        self.eventually_responds(self.name, accepted=2, depth=1)
        worker = self.requests.echo(self.name)
        self.assert_reply(second.result(), b"B")
        self.assertEqual(worker.requests(), [b"B"])
        self.assertEqual(worker.cancelled, [])
        self.eventually_responds(self.name, answered=1, in_flight=0)

    # Clauses: N24
    def test_cancelled_while_queued_and_while_in_flight(self):
        worker = self.requests.serve(self.name, credit=1)
        worker.wait_attached()
        first = self.requests.call_later(self.name, "first")
        assignment = worker.wait_assignments(1)[0]
        second = self.requests.call_later(self.name, "second")
        self.eventually_responds(self.name, depth=1, in_flight=1)
        second.cancel()
        self.eventually_responds(self.name, depth=0, cancelled=1)
        first.cancel()
        self.assertEqual(worker.wait_cancelled(), [assignment.call_id])
        self.eventually_responds(self.name, in_flight=0, cancelled=2)
        held = self.requests.page(self.name).workers[0].held
        self.assertEqual(held, 1)  # until it has answered
        worker.release(assignment.call_id)  # good enough
        self.assertEqual(worker.wait_results(1), [CLOSED])
        third = self.requests.call_later(self.name, "third")
        worker.reply(worker.wait_assignments(2)[1].call_id, "3")
        self.assert_reply(third.result(), b"3")
        self.assertEqual(worker.cancelled, [assignment.call_id])  # each at most once

    # Clauses: N24 N19
    def test_a_killed_caller_is_told_to_the_worker(self):
        proxy = self.new_proxy()
        worker = self.requests.serve(self.name, credit=2)
        worker.wait_attached()
        dying = self.new_client(proxy.address).requests
        calls = [dying.call_later(self.name, i) for i in range(3)]
        worker.wait_assignments(2)
        self.eventually_responds(self.name, depth=1, in_flight=2)
        proxy.reset()
        self.assertEqual(sorted(worker.wait_cancelled(2)),
                         [one.call_id for one in worker.assignments])
        self.eventually_responds(self.name, depth=0, in_flight=0, cancelled=3)
        for call in calls:
            self.assertEqual(call.exception().code(), grpc.StatusCode.UNAVAILABLE)
        for one in worker.assignments:
            worker.reply(one.call_id, "late")
        self.assertEqual(worker.wait_results(2), [CLOSED, CLOSED])
        self.eventually_responds(self.name, late_replies=2)


class Races(RequestCase):

    def race(self, times, start, settle):
        """`start` gives a call and what cancels it, `settle` tells whether it got its reply. The
        time between reply and cancel moves to where either may be first."""
        seed = int(os.environ.get("SLUICE_SEED") or time.time_ns() % 2 ** 32)
        print(f"SLUICE_SEED={seed}")
        rng = random.Random(seed)
        self.requests.declare(self.name)
        worker = self.requests.serve(self.name)
        worker.wait_attached()
        replied, pause = [], 1000
        for i in range(times):
            call, cancel = start(i)
            assignment = worker.wait_assignments(i + 1)[i]
            if rng.random() < 0.1:
                cancel()
                worker.reply(assignment.call_id, i)
            else:
                worker.reply(assignment.call_id, i)
                for _ in range(int(pause * rng.uniform(0.5, 1.5))):
                    pass
                cancel()
            replied.append(settle(i, call))
            pause = min(max(10, pause * (0.9 if replied[i] else 1.1)), 100_000)
            result = worker.wait_results(i + 1)[i]
            self.assertIn(result, (OK, CLOSED))
            if replied[i]:
                self.assertEqual(result, OK, f"call {i} got a reply that its worker did not give")
        results = worker.wait_results(times)
        taken = results.count(OK)
        print(f"{times} races: {replied.count(True)} replies, {taken} taken by the broker")
        self.eventually_responds(self.name, accepted=times, answered=taken,
                                 cancelled=times - taken, late_replies=times - taken, in_flight=0)
        return results

    # Clauses: N25 O4
    def test_X35_cancelled_while_the_worker_replies(self):
        def start(i):
            call = self.requests.call_later(self.name, i)
            return call, call.cancel

        def settle(i, call):
            try:
                self.assert_reply(call.result(), str(i).encode())
                return True
            except grpc.FutureCancelledError:
                return False
        self.race(1000, start, settle)

    # Clauses: N25 N24
    def test_X35_on_a_stream(self):
        stream = self.requests.stream()

        def start(i):
            call_id = stream.start(self.name, i)
            return call_id, lambda: stream.cancel_calls(call_id)

        def settle(i, call_id):
            # The next call's ABSENT comes after whatever there is of this one.
            marker = stream.start(self.name + ".absent")
            stream.wait_last(marker)
            replies = stream.replies_to(call_id)
            self.assertLessEqual(len(replies), 1)
            for reply in replies:
                self.assert_reply(reply, str(i).encode())
            return bool(replies)
        self.race(500, start, settle)

    # Clauses: N25
    def test_a_timeout_while_the_worker_replies(self):
        self.requests.declare(self.name)
        worker = self.requests.echo(self.name)
        outcomes = [self.requests.call(self.name, i, timeout_ms=1 + i % 3).outcome
                    for i in range(500)]
        self.assertLessEqual(set(outcomes), {OK, TIMED_OUT})
        description = self.eventually_responds(self.name, accepted=500, in_flight=0, depth=0,
                                               answered=outcomes.count(OK),
                                               timed_out=outcomes.count(TIMED_OUT))
        worker.until(lambda: len(worker.results) == len(worker.assignments), what="all results")
        self.assertEqual([one.outcome for one in worker.results].count(OK), outcomes.count(OK))
        print(f"500 short calls: {description.answered} answered, {description.timed_out} not")


if __name__ == "__main__":
    unittest.main()
