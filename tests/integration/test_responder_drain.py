# SPDX-License-Identifier: Apache-2.0
"""SIGTERM with calls under way: everyone is told, what is in flight may be answered, exit 0; and
a host that vanishes."""

import time
import unittest

import grpc

from support import wire
from support.case import EndingDaemon
from support.eventually import eventually
from support.request_case import RequestCase

CLOSED, GONE = wire.OUTCOME_CLOSED, wire.OUTCOME_RESPONDER_GONE
DOWN = wire.CLOSED_REASON_SHUTTING_DOWN
DRAINING = (grpc.StatusCode.UNAVAILABLE, "DRAINING")


class Drain(EndingDaemon, RequestCase):
    def start(self, *options):
        super().start(*options)
        self.requests = self.client.requests
        self.requests.declare(self.name)

    # Clauses: N41 N20
    def test_X22_queued_calls_are_closed_and_those_in_flight_answered(self):
        self.start("--drain-grace-ms", "20000")
        worker = self.requests.serve(self.name, credit=3)
        worker.wait_attached()
        stream = self.requests.stream()
        unary = self.requests.call_later(self.name, "unary")
        parts = self.requests.parts(self.name, "parts")
        streamed = stream.start(self.name, "streamed")
        worker.wait_assignments(3)
        queued = self.requests.call_later(self.name, "queued", wait_for_responder=True)
        also = stream.start(self.name, "queued")
        self.eventually_responds(self.name, depth=2, in_flight=3)
        idle = self.requests.stream()
        idle.start(self.name + ".absent")
        idle.wait_last(1)

        began = time.monotonic()
        self.daemon.terminate()
        self.assert_ended(queued.result(), CLOSED, False, DOWN)
        self.assert_ended(stream.wait_last(also), CLOSED, False, DOWN)
        self.assertEqual(idle.end(), DOWN)
        fault = self.assert_fault(lambda: self.requests.call(self.name), *DRAINING)
        self.assertGreater(fault.retry_ms, 0)
        self.assert_fault(lambda: self.requests.declare("new"), *DRAINING)
        for late in (self.requests.serve(self.name), self.requests.stream(),
                     self.requests.parts(self.name)):
            self.assert_fault(late.end(), *DRAINING)
        description = self.requests.describe(self.name)  # looking is answered to the end
        self.assertEqual((description.state, description.closed_reason, description.in_flight),
                         (wire.RESPONDER_STATE_CLOSED, DOWN, 3))
        self.assertEqual(len(self.requests.list().responders), 1)
        for one in worker.assignments:
            worker.reply(one.call_id, one.request)
        self.assert_reply(unary.result(), b"unary")
        self.assert_reply(parts.wait_last(), b"parts")
        self.assert_reply(stream.wait_last(streamed), b"streamed")
        self.assertEqual(stream.end(), DOWN)
        self.assertEqual(worker.end(), DOWN)
        self.daemon.wait()
        self.assertLess(time.monotonic() - began, 20)

    # Clauses: N41
    def test_X22_past_the_grace_they_are_ended_too(self):
        self.start("--drain-grace-ms", "700")
        worker = self.requests.serve(self.name)
        worker.wait_attached()
        stream = self.requests.stream()
        unary = self.requests.call_later(self.name, "unary")
        parts = self.requests.parts(self.name, "parts")
        streamed = stream.start(self.name, "streamed")
        worker.wait_assignments(3)
        began = time.monotonic()
        self.daemon.terminate()
        self.assert_ended(unary.result(), CLOSED, True, DOWN)
        self.assertGreaterEqual(time.monotonic() - began, 0.65)
        self.assert_ended(parts.wait_last(), CLOSED, True, DOWN)
        self.assert_ended(stream.wait_last(streamed), CLOSED, True, DOWN)
        self.assertEqual(stream.end(), DOWN)
        self.assertEqual(worker.end(), DOWN)
        self.daemon.wait()

    # Clauses: N41
    def test_clients_that_never_read_hold_nothing_up(self):
        self.start("--drain-grace-ms", "500")
        self.requests.serve(self.name, is_reading=False, credit=100)
        deaf = self.requests.stream(is_reading=False)
        for _ in range(20):
            deaf.start(self.name, b"x" * 1_000_000, wait_for_responder=True)
        self.eventually_responds(self.name, accepted=20)
        seconds = self.daemon.stop()
        print(f"SIGTERM with a worker and a caller that never read: {seconds:.2f} s")


class Vanished(RequestCase):
    OPTIONS = ("--keepalive-time-ms", "1000", "--keepalive-timeout-ms", "4000")

    # Clauses: N19 N23 N24
    def test_X23_calls_of_vanished_callers_and_workers(self):
        self.requests.declare(self.name)
        baseline = self.client.info().live
        proxy = self.new_proxy()
        vanishing = self.new_client(proxy.address).requests
        worker = vanishing.serve(self.name, credit=1)
        worker.wait_attached()
        held = self.requests.call_later(self.name, "in the hand of one that vanishes")
        worker.wait_assignments(1)
        waits = vanishing.call_later(self.name, "of a caller that vanishes",
                                     wait_for_responder=True)
        self.eventually_responds(self.name, depth=1, in_flight=1)
        proxy.fall_silent()
        began = time.monotonic()
        self.assert_ended(held.result(), GONE, True)
        took = time.monotonic() - began
        print(f"RESPONDER_GONE of a vanished worker after {took:.2f} s")
        self.eventually_responds(self.name, depth=0, in_flight=0, cancelled=1, workers=0)
        eventually(lambda: self.client.info().live.streams == baseline.streams,
                   what="the end of its streams")
        waits.cancel()


if __name__ == "__main__":
    unittest.main()
