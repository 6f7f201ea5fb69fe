# SPDX-License-Identifier: Apache-2.0
"""Responders by name: declaring, describing, listing, closing, deleting, and who serves them."""

import threading
import unittest

import grpc

from support import wire
from support.case import DaemonCase
from support.eventually import eventually
from support.request_case import RequestCase

CLOSED, NO_RESPONDER = wire.OUTCOME_CLOSED, wire.OUTCOME_NO_RESPONDER
REQUESTED, DELETED = wire.CLOSED_REASON_REQUESTED, wire.CLOSED_REASON_DELETED
OTHERWISE = (grpc.StatusCode.FAILED_PRECONDITION, "DECLARED_OTHERWISE")
NOT_FOUND = (grpc.StatusCode.NOT_FOUND, "RESPONDER_NOT_FOUND")


class Declaring(RequestCase):

    # Clauses: N5 N6
    def test_made_once_and_found_as_it_is(self):
        first = self.requests.declare(self.name)
        again = self.requests.declare(self.name)
        self.assertEqual((first.created, again.created), (True, False))
        d = first.description
        self.assertEqual(d, again.description)
        self.assertEqual(d.spec, wire.ResponderSpec(capacity=1024, bytes_max=64 << 20,
                                                    message_bytes_max=1 << 20))
        self.assertEqual((d.name, d.state), (self.name, wire.RESPONDER_STATE_OPEN))
        self.assertTrue(0 < d.epoch < 2 ** 53)
        # The defaults said outright are the same.
        self.assertFalse(self.requests.declare(self.name, capacity=1024).created)

    # Clauses: N5
    def test_X17_declared_otherwise(self):
        description = self.requests.declare(self.name, capacity=10).description
        for field, value in (("capacity", 11), ("bytes_max", 1 << 20), ("message_bytes_max", 500)):
            spec = {"capacity": 10, field: value}
            fault = self.assert_fault(lambda spec=spec: self.requests.declare(self.name, **spec),
                                      *OTHERWISE)
            self.assertTrue(fault.details["field"].endswith(field), fault)
            fault = self.requests.serve(self.name, spec=wire.ResponderSpec(**spec)).end()
            self.assert_fault(fault, *OTHERWISE)
        self.assertEqual(self.requests.describe(self.name), description)

    # Clauses: N5
    def test_X17_two_at_once_and_kinds_apart(self):
        clients = [self.new_client() for _ in range(8)]
        epochs = []
        threads = [threading.Thread(target=lambda client=client: epochs.append(
            client.requests.declare(self.name).description.epoch)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((len(epochs), len(set(epochs))), (8, 1))
        queue = self.client.declare(self.name, capacity=3).description
        self.assertNotEqual(queue.epoch, epochs[0])
        self.assertEqual(self.requests.describe(self.name).spec.capacity, 1024)

    # Clauses: N14
    def test_bytes_max_lowers_the_bound_of_a_message(self):
        spec = self.requests.declare(self.name, bytes_max=4096).description.spec
        self.assertEqual(spec.message_bytes_max, 4096 - 64)

    # Clauses: N5
    def test_a_worker_may_declare(self):
        self.assert_fault(self.requests.serve(self.name).end(), *NOT_FOUND)
        worker = self.requests.serve(self.name, spec=wire.ResponderSpec(capacity=7))
        worker.wait_attached()
        description = self.requests.describe(self.name)
        self.assertEqual((description.spec.capacity, description.workers), (7, 1))
        self.assertEqual(worker.attached.epoch, description.epoch)
        other = self.requests.serve(self.name, spec=wire.ResponderSpec(capacity=7))
        other.wait_attached()
        self.eventually_responds(self.name, workers=2)

    def test_an_unknown_name(self):
        for call in (lambda: self.requests.describe(self.name),
                     lambda: self.requests.close(self.name),
                     lambda: self.requests.delete(self.name),
                     lambda: self.requests.call(self.name, "x"),
                     lambda: self.requests.call(self.name, "x", wait_for_responder=True),
                     self.requests.parts(self.name).end(),
                     self.requests.serve(self.name).end()):
            self.assert_fault(call, *NOT_FOUND)
        self.assertEqual(len(self.requests.list().responders), 0)


class Ending(RequestCase):

    # Clauses: N4 N6 N43
    def test_a_closed_one_may_be_made_anew(self):
        old = self.requests.declare(self.name).description
        self.requests.close(self.name)
        description = self.requests.describe(self.name)
        self.assertEqual((description.state, description.closed_reason),
                         (wire.RESPONDER_STATE_ENDED, REQUESTED))
        self.assertEqual(self.requests.serve(self.name).end(), REQUESTED)  # closed, and OK
        self.requests.close(self.name)
        new = self.requests.declare(self.name, capacity=5)
        self.assertTrue(new.created)
        self.assertNotEqual(new.description.epoch, old.epoch)
        self.assertEqual(new.description.state, wire.RESPONDER_STATE_OPEN)
        self.requests.echo(self.name)
        self.assert_reply(self.requests.call(self.name, "x"), b"x")

    # Clauses: N4
    def test_workers_are_told_when_it_is_closed_or_deleted(self):
        for end, reason in ((self.requests.close, REQUESTED), (self.requests.delete, DELETED)):
            self.requests.declare(self.name)
            workers = [self.requests.serve(self.name) for _ in range(3)]
            for worker in workers:
                worker.wait_attached()
            end(self.name)
            for worker in workers:
                self.assertEqual(worker.end(), reason)

    # Clauses: N4 N23
    def test_a_worker_lost_after_the_close(self):
        self.requests.declare(self.name)
        worker = self.requests.serve(self.name)
        call = self.requests.call_later(self.name, "x", wait_for_responder=True,
                                        retry_on_responder_loss=True)
        worker.wait_assignments(1)
        self.requests.close(self.name)
        worker.cancel()
        reply = call.result()  # nobody may take it any more
        self.assertTrue(reply.handed_out, reply)
        self.assertIn((reply.outcome, reply.reason), ((CLOSED, REQUESTED),
                                                      (wire.OUTCOME_RESPONDER_GONE, 0)))
        self.eventually_responds(self.name, state=wire.RESPONDER_STATE_ENDED, in_flight=0)

    # Clauses: N4 N24
    def test_a_cancelled_call_keeps_nothing_open(self):
        self.requests.declare(self.name)
        worker = self.requests.serve(self.name)
        worker.wait_attached()
        call = self.requests.call_later(self.name, "x")
        worker.wait_assignments(1)
        call.cancel()
        worker.wait_cancelled()
        self.requests.close(self.name)
        worker.reply(worker.assignments[0].call_id, "late")
        self.assertEqual(worker.end(), REQUESTED)
        self.eventually_responds(self.name, state=wire.RESPONDER_STATE_ENDED, closed=0,
                                 cancelled=1)


class Looking(RequestCase):

    def test_workers_in_pages(self):
        self.requests.declare(self.name)
        workers = []
        for i in range(5):
            workers.append(self.requests.serve(self.name, worker=f"worker {i}", credit=i,
                                               credit_bytes=100 * i))
            workers[i].wait_attached()
        call = self.requests.call_later(self.name, "x")
        self.eventually_responds(self.name, in_flight=1)
        found, token = [], ""
        while True:
            page = self.requests.page(self.name, page_size=2, page_token=token)
            self.assertLessEqual(len(page.workers), 2)
            self.assertEqual(page.description.workers, 5)
            found += page.workers
            token = page.next_page_token
            if not token:
                break
        self.assertEqual([one.worker for one in found], [f"worker {i}" for i in range(5)])
        self.assertEqual([(one.credit.messages, one.credit.bytes) for one in found],
                         [(i, 100 * i) for i in range(5)])
        self.assertEqual([one.fence for one in found],
                         [worker.attached.fence for worker in workers])
        self.assertEqual(sorted(one.fence for one in found), [one.fence for one in found])
        self.assertEqual(len({one.stream_id for one in found}), 5)
        streams = self.client.admin.ListStreams(wire.ListStreamsRequest(), timeout=10).streams
        serving = {one.id: one for one in streams if one.method.endswith("RequestService/Serve")}
        self.assertEqual(set(serving), {one.stream_id for one in found})
        self.assertEqual({one.channel for one in serving.values()}, {self.name})
        self.assertTrue(all(one.peer.startswith("ipv4:127.0.0.1:") for one in found))
        self.assertEqual(sum(one.held for one in found), 1)
        self.assertEqual(found[0].held, 0)  # it has no credit
        call.cancel()
        self.assert_refused_field(lambda: self.requests.page(self.name, page_token="\x01 no"),
                                  "INVALID_FIELD", "page_token")

    def test_what_a_worker_has_done(self):
        self.requests.declare(self.name)
        worker = self.requests.serve(self.name, answer=lambda worker, one: {
            b"ok": lambda: worker.reply(one.call_id, "x"),
            b"fail": lambda: worker.fail(one.call_id),
            b"release": lambda: worker.release(one.call_id)}[one.request.payload]())
        worker.wait_attached()
        for what in ("ok", "fail", "release", "ok"):
            self.requests.call(self.name, what)
        described = self.requests.page(self.name).workers[0]
        self.assertEqual((described.answered, described.held, described.finishing), (3, 0, False))

    # Clauses: N18
    def test_attached_says_what_holds(self):
        epoch = self.requests.declare(self.name).description.epoch
        first, second = (self.requests.serve(self.name) for _ in range(2))
        fences = sorted(worker.wait_attached().fence for worker in (first, second))
        self.assertLess(fences[0], fences[1])
        attached = first.attached
        self.assertEqual((attached.epoch, attached.lease, attached.next_position,
                          attached.max_in_flight), (epoch, 0, 0, 0))
        first.finish()
        first.end()
        third = self.requests.serve(self.name)
        self.assertGreater(third.wait_attached().fence, fences[1])

    def test_list_in_pages(self):
        names = [f"list.{i:02}" for i in range(25)]
        for name in [*names, "other"]:
            self.requests.declare(name)
        found, token, pages = [], "", 0
        while True:
            page = self.requests.list(prefix="list.", page_size=10, page_token=token)
            found += [one.name for one in page.responders]
            token, pages = page.next_page_token, pages + 1
            if not token:
                break
        self.assertEqual((found, pages), (names, 3))
        self.assertEqual(len(self.requests.list().responders), 26)
        self.assert_refused_field(lambda: self.requests.list(page_token="\x01\x02 no"),
                                  "INVALID_FIELD", "page_token")

    # Clauses: N43
    def test_live_counts_come_back_to_nothing(self):
        before = self.eventually_live(streams=0, calls=1, depth=0, in_flight=0, queues=0)
        self.requests.declare(self.name)
        worker = self.requests.serve(self.name)
        worker.wait_attached()
        calls = [self.requests.call_later(self.name, b"x" * 1000) for _ in range(3)]
        worker.wait_assignments(3)
        self.assertGreater(self.client.info().live.retained_bytes, before.retained_bytes + 3000)
        for one in worker.assignments:
            worker.reply(one.call_id, "y")
        for call in calls:
            call.result()
        worker.finish()
        worker.end()
        self.eventually_responds(self.name, workers=0, retained_bytes=0)
        self.requests.delete(self.name)
        self.eventually_live(streams=0, calls=1, depth=0, in_flight=0, queues=0,
                             retained_bytes=before.retained_bytes)

    def eventually_live(self, **expected):
        def holds():
            live = self.client.info().live
            return live if all(getattr(live, field) == value
                               for field, value in expected.items()) else None
        return eventually(holds, what=f"live counts {expected}")


class AutoDeclare(DaemonCase):
    OPTIONS = ("--auto-declare", "--default-capacity", "2", "--max-channels", "2")

    # Clauses: N5 N26
    def test_an_unknown_name_comes_to_life(self):
        requests = self.client.requests
        self.assertEqual(requests.call("first").outcome, NO_RESPONDER)
        self.assertEqual(requests.describe("first").refused_no_responder, 1)
        requests.serve("second").wait_attached()
        self.assertEqual(requests.describe("second").spec.capacity, 2)
        self.assert_fault(lambda: requests.declare("third"), grpc.StatusCode.RESOURCE_EXHAUSTED,
                          "TOO_MANY_CHANNELS", limit=2)
        self.assert_fault(lambda: self.client.declare("third"),  # of all kinds together
                          grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CHANNELS", limit=2)
        for name in ("first", "second"):
            requests.delete(name)


if __name__ == "__main__":
    unittest.main()
