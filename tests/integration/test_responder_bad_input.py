# SPDX-License-Identifier: Apache-2.0
"""Bad input to RequestService: a typed refusal, nothing half done, and others unharmed."""

import unittest

import grpc

from support import wire
from support.raw import (MALFORMED_FRAMES, MALFORMED_MESSAGES, key, raw_answers, raw_call,
                         raw_stream, record)
from support.request_case import RequestCase
from support.streams import Stream, message

INVALID = grpc.StatusCode.INVALID_ARGUMENT
SERVICE = "/sluice.v1.RequestService/"
MIB = 1 << 20


class BadInput(RequestCase):

    def setUp(self):
        super().setUp()
        self.requests.declare(self.name)
        # Who must not notice anything: a worker and a stream of calls on the same connection.
        self.worker = self.requests.echo(self.name)
        self.stream = self.requests.stream()
        self.assert_works("before")

    def tearDown(self):
        self.assert_works("after")
        self.assertEqual(self.worker.requests(), [b"before", b"after"], "something was half done")
        self.eventually_responds(self.name, accepted=2, answered=2)
        super().tearDown()

    def assert_works(self, payload):
        call = self.stream.start(self.name, payload)
        self.assert_reply(self.stream.wait_last(call), payload.encode())

    def raw(self, method, request):
        return raw_call(self.client, SERVICE + method, request)

    def raw_stream(self, method, *frames):
        return raw_stream(self.client, SERVICE + method, *frames)

    def raw_parts(self, request):
        return raw_answers(self.client, SERVICE + "CallParts", request)

    def assert_of_field(self, fault, reason, field, **details):
        """`field` may stand with what it is a field of."""
        fault = self.assert_fault(fault, INVALID, reason, **details)
        self.assertEqual(fault.details["field"].split(".")[-1], field, fault)

    def test_names(self):
        for name in ("", "with space", "a..b", ".a", "a.", "_own", "ünï", "a\nb", "a*"):
            for call in (lambda name=name: self.requests.declare(name),
                         lambda name=name: self.requests.call(name),
                         lambda name=name: self.requests.describe(name),
                         lambda name=name: self.requests.close(name),
                         lambda name=name: self.requests.delete(name),
                         self.requests.parts(name).end(), self.requests.serve(name).end()):
                self.assert_of_field(call, "INVALID_FIELD", "responder")
        long = "n" * 256
        for call in (lambda: self.requests.declare(long), lambda: self.requests.call(long),
                     self.requests.parts(long).end(), self.requests.serve(long).end()):
            self.assert_of_field(call, "OUT_OF_BOUNDS", "responder", limit=255, value=256)
        self.assertTrue(self.requests.declare("n" * 255).created)

    def test_every_field_of_a_spec(self):
        for field, value, limit in (("capacity", 1_048_577, 1_048_576),
                                    ("message_bytes_max", MIB + 1, MIB),
                                    ("bytes_max", 1023, 1024)):
            for call in (lambda: self.requests.declare("spec", **{field: value}),
                         self.requests.serve("spec", spec=wire.ResponderSpec(
                             **{field: value})).end()):
                self.assert_of_field(call, "OUT_OF_BOUNDS", field, limit=limit, value=value)
        self.assertEqual(self.requests.list(prefix="spec").responders[:], [])

    def test_a_worker_with_a_long_name(self):
        self.assert_of_field(self.requests.serve(self.name, worker="w" * 256).end(),
                             "OUT_OF_BOUNDS", "worker", limit=255, value=256)
        longest = self.requests.serve(self.name, worker="w" * 255, credit=0)
        longest.wait_attached()
        longest.finish()
        longest.end()

    def test_at_and_over_the_limits_of_a_request(self):
        name = self.name + ".limits"
        self.requests.declare(name)
        self.requests.serve(name, answer=lambda worker, one: worker.reply(
            one.call_id)).wait_attached()
        envelope = message(b"x" * 200_000).ByteSize() - 200_000
        fits = b"x" * (MIB - envelope)
        self.assert_reply(self.requests.call(name, fits), None)
        for call in (lambda: self.requests.call(name, fits + b"x"),
                     self.requests.parts(name, fits + b"x").end()):
            self.assert_fault(call, INVALID, "OUT_OF_BOUNDS", limit=MIB, value=MIB + 1)
        headers = {f"k{i:02}": "v" for i in range(64)}
        self.assert_reply(self.requests.call(name, wire.Message(headers=headers)), None)
        headers["k64"] = "v"
        for call in (lambda: self.requests.call(name, wire.Message(headers=headers)),
                     self.requests.parts(name, wire.Message(headers=headers)).end()):
            self.assert_of_field(call, "OUT_OF_BOUNDS", "headers", limit=64, value=65)
        over = wire.Message(headers={"k": "v" * 8192})
        self.assert_of_field(lambda: self.requests.call(name, over), "OUT_OF_BOUNDS", "headers",
                             limit=8192, value=8193)
        stream = self.requests.stream()
        stream.start(name, over, call_id=3)
        self.assert_of_field(stream.end(), "OUT_OF_BOUNDS", "headers", limit=8192, value=8193,
                             call_id=3)
        self.eventually_responds(name, accepted=2, answered=2)

    def test_a_frame_above_4_mib(self):
        big = [wire.CallStart(call_id=i + 1, responder=self.name, wait_for_responder=True,
                              request=message(b"x" * 1_000_000)) for i in range(5)]
        replies = [wire.WorkerReply(call_id=i, message=one.request, last=True)
                   for i, one in enumerate(big)]
        opening = wire.ServeRequest(open=wire.ServeOpen(responder=self.name,
                                                        credit=wire.Credit(messages=0)))
        for method, frames in (
                ("CallStream", [wire.CallStreamRequest(calls=big)]),
                ("Serve", [opening, wire.ServeRequest(replies=replies)])):
            self.assert_fault(self.raw_stream(method, *frames), INVALID, "OUT_OF_BOUNDS",
                              field="frame", limit=4 * MIB, value=frames[-1].ByteSize())

    def test_malformed_messages(self):
        name = record(1, self.name.encode())
        opening = wire.ServeRequest(open=wire.ServeOpen(responder=self.name,
                                                        credit=wire.Credit(messages=0)))
        for what, (content, _) in MALFORMED_MESSAGES.items():
            with self.subTest(what):
                request = name + record(2, content)
                self.assert_fault(self.raw("Call", request), INVALID, "MALFORMED")
                self.assert_fault(self.raw_parts(request), INVALID, "MALFORMED")
                start = key(1, 0) + b"\x01" + record(2, self.name.encode()) + record(3, content)
                self.assert_fault(self.raw_stream("CallStream", record(1, start)), INVALID,
                                  "MALFORMED")
                reply = key(1, 0) + b"\x01" + record(2, content) + key(5, 0) + b"\x01"
                self.assert_fault(self.raw_stream("Serve", opening, record(3, reply)), INVALID,
                                  "MALFORMED")

    def test_malformed_frames_of_every_method(self):
        for garbage in MALFORMED_FRAMES:
            for method in ("DeclareResponder", "DescribeResponder", "ListResponders",
                           "CloseResponder", "DeleteResponder", "Call"):
                self.assert_fault(self.raw(method, garbage), INVALID, "MALFORMED")
            self.assert_fault(self.raw_parts(garbage), INVALID, "MALFORMED")
            for method in ("CallStream", "Serve"):
                self.assert_fault(self.raw_stream(method, garbage), INVALID, "MALFORMED")

    def test_wrong_order_of_frames(self):
        opening = wire.ServeRequest(open=wire.ServeOpen(responder=self.name,
                                                        credit=wire.Credit(messages=0)))
        credit = wire.ServeRequest(credit=wire.Credit(messages=0))
        self.assert_fault(self.raw_stream("Serve", credit), INVALID, "OUT_OF_ORDER")
        self.assert_fault(self.raw_stream("Serve", opening, opening), INVALID, "OUT_OF_ORDER")
        mixed = wire.ServeRequest(open=opening.open, finish=True)  # and nothing else
        self.assertEqual(self.raw_stream("Serve", mixed).code, INVALID)
        self.eventually_responds(self.name, workers=1)

    def test_streams_that_say_nothing(self):
        for method in (self.requests.stub.CallStream, self.requests.stub.Serve):
            stream = Stream(method)
            stream.half_close()
            stream.end()  # in whatever way: it ends

    def test_an_empty_request(self):
        self.assert_of_field(self.raw("Call", b""), "INVALID_FIELD", "responder")
        self.assert_of_field(self.raw_parts(b""), "INVALID_FIELD", "responder")


if __name__ == "__main__":
    unittest.main()
