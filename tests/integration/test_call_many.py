# SPDX-License-Identifier: Apache-2.0
"""Many callers, several workers: each call to exactly one, each caller its own reply."""

import os
import random
import threading
import time
import unittest

from support import wire
from support.request_case import RequestCase

OK, GONE = wire.OUTCOME_OK, wire.OUTCOME_RESPONDER_GONE
FINISHED = wire.CLOSED_REASON_FINISHED


class Many(RequestCase):

    # Clauses: N22 N25
    def test_X30_a_thousand_callers_get_their_own(self):
        seed = int(os.environ.get("SLUICE_SEED") or time.time_ns() % 2 ** 32)
        print(f"SLUICE_SEED={seed}")
        self.requests.declare(self.name)
        worker = self.requests.serve(self.name, credit=1000)
        worker.wait_attached()
        clients = [self.new_client() for _ in range(10)]
        calls = [clients[i % 10].requests.call_later(self.name, i) for i in range(1000)]
        assignments = list(worker.wait_assignments(1000))  # all open at once
        self.eventually_responds(self.name, in_flight=1000, depth=0)
        random.Random(seed).shuffle(assignments)
        for one in assignments:
            worker.reply(one.call_id, b"reply to " + one.request.payload)
        for i, call in enumerate(calls):
            self.assert_reply(call.result(), f"reply to {i}".encode())
        self.assertEqual(worker.wait_results(1000), [OK] * 1000)
        self.eventually_responds(self.name, accepted=1000, answered=1000, retained_bytes=0)

    # Clauses: N25 N27
    def test_calls_of_all_kinds_through_several_workers(self):
        self.requests.declare(self.name, capacity=2000)
        workers = [self.new_client().requests.echo(self.name, credit=20) for _ in range(3)]
        clients = [self.new_client() for _ in range(5)]
        streams = [client.requests.stream() for client in clients]
        failures = []

        def ask(n):
            try:
                for i in range(40):
                    payload = f"{n}.{i}"
                    call_id = streams[n].start(self.name, payload + ".s", parts=i % 2 == 0)
                    self.assert_reply(clients[n].requests.call(self.name, payload),
                                      payload.encode())
                    parts = clients[n].requests.parts(self.name, payload + ".p")
                    self.assert_reply(parts.wait_last(), (payload + ".p").encode())
                    self.assert_reply(streams[n].wait_last(call_id), (payload + ".s").encode())
            except AssertionError as failure:
                failures.append(failure)
        threads = [threading.Thread(target=ask, args=(n,)) for n in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        asked = [payload for worker in workers for payload in worker.requests()]
        self.assertEqual(len(asked), 600)
        self.assertEqual(len(set(asked)), 600)
        self.eventually_responds(self.name, accepted=600, answered=600, redelivered=0)


class Several(RequestCase):

    # Clauses: N27
    def test_X37_two_workers_with_credit_1(self):
        self.requests.declare(self.name)
        workers = [self.new_client().requests.echo(self.name, credit=1) for _ in range(2)]
        stream = self.requests.stream()
        ids = stream.start_all([(self.name, i, {}) for i in range(100)])
        for i, call_id in enumerate(ids):
            self.assert_reply(stream.wait_last(call_id), str(i).encode())
        self.assertEqual(len(stream.replies), 100)
        done = [len(worker.assignments) for worker in workers]
        self.assertEqual(sum(done), 100)
        self.assertTrue(all(done), done)
        described = self.requests.page(self.name).workers
        self.assertEqual([one.answered for one in described], done)

    # Clauses: N27 N42
    def test_X37_one_that_stops_reading_leaves_the_rest_to_the_other(self):
        self.requests.declare(self.name)
        frozen = self.new_client().requests.serve(self.name, credit=1, is_reading=False)
        self.eventually_responds(self.name, workers=1)
        stream = self.requests.stream()
        first = stream.start(self.name, "first")
        self.eventually_responds(self.name, in_flight=1)
        self.requests.echo(self.name, credit=1)
        ids = stream.start_all([(self.name, i, {}) for i in range(100)])
        for i, call_id in enumerate(ids):
            self.assert_reply(stream.wait_last(call_id), str(i).encode())
        self.assertEqual(stream.replies_to(first), [])
        frozen.cancel()
        self.assert_ended(stream.wait_last(first), GONE, True)

    # Clauses: N27
    def test_in_turn_among_those_with_credit(self):
        self.requests.declare(self.name)
        workers = []
        for credit in (30, 30, 0):
            workers.append(self.requests.serve(self.name, credit=credit))
            workers[-1].wait_attached()
        stream = self.requests.stream()
        for i in range(20):
            stream.start(self.name, i)
            self.eventually_responds(self.name, in_flight=i + 1)
        for worker in workers[:2]:
            worker.wait_assignments(10)
        self.assertEqual([len(worker.assignments) for worker in workers], [10, 10, 0])

    # Clauses: N10
    def test_handed_out_in_order_of_acceptance(self):
        self.requests.declare(self.name)
        worker = self.requests.serve(self.name, credit=0)
        worker.wait_attached()
        streams = [self.new_client().requests.stream() for _ in range(3)]
        for i in range(30):
            streams[i % 3].start(self.name, i)
            self.eventually_responds(self.name, depth=i + 1)
        worker.set_credit(100)
        worker.wait_assignments(30)
        self.assertEqual(worker.requests(), [str(i).encode() for i in range(30)])

    # Clauses: N23
    def test_workers_that_come_and_go_lose_nobody(self):
        self.requests.declare(self.name)
        keeper = self.requests.echo(self.name, credit=4)
        stream = self.requests.stream()
        ids = []
        for round_ in range(20):
            worker = self.new_client().requests.serve(self.name, credit=4)
            worker.wait_attached()
            ids += stream.start_all([(self.name, f"{round_}.{i}",
                                      {"retry_on_responder_loss": True}) for i in range(12)])
            if round_ % 2:
                worker.cancel()
            else:
                worker.finish()
                worker.half_close()
            worker.end()
        for call_id in ids:
            self.assertEqual(stream.wait_last(call_id).outcome, OK)
        stream.half_close()
        self.assertEqual(stream.end(), FINISHED)
        self.assertEqual(len(stream.replies), len(ids))
        self.assertEqual(len(set(keeper.requests())), len(ids))
        self.eventually_responds(self.name, accepted=len(ids), answered=len(ids), workers=1)


if __name__ == "__main__":
    unittest.main()
