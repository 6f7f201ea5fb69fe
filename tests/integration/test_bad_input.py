# SPDX-License-Identifier: Apache-2.0
"""Bad input: a typed refusal naming field, limit and value, nothing half done, others unharmed."""

import socket
import unittest

import grpc

from support import wire
from support.case import DaemonCase
from support.eventually import BOUND
from support.faults import fault_of
from support.raw import MALFORMED_FRAMES, MALFORMED_MESSAGES, raw_call, raw_stream, record
from support.streams import Stream

OK = wire.OUTCOME_OK
INVALID = grpc.StatusCode.INVALID_ARGUMENT
SERVICE = "/sluice.v1.QueueService/"
LEASE_MOST_MS = 12 * 3_600_000


class BadInput(DaemonCase):

    def setUp(self):
        super().setUp()
        self.client.declare(self.name, capacity=1000)
        # What must not notice anything: a stream on the same connection, and what it has sent.
        self.bystander = self.client.sender(self.name)
        self.bystander.send("before")
        self.bystander.wait_told(1)

    def tearDown(self):
        self.bystander.send("after")
        self.assertEqual([one.outcome for one in self.bystander.wait_told(2)], [OK, OK])
        self.assertEqual(self.client.describe(self.name).accepted, 2, "something was half done")
        self.assertEqual(len(self.client.peek(self.name, max_messages=9).messages), 2)
        super().tearDown()

    def raw(self, method, request):
        """A unary call with these very bytes."""
        return raw_call(self.client, SERVICE + method, request)

    def raw_stream(self, method, *frames):
        """How a stream ends that is sent these bytes."""
        return raw_stream(self.client, SERVICE + method, *frames)

    def test_names(self):
        for name in ("", "with space", "a..b", ".a", "a.", "_own", "ünï", "a\nb", "a*"):
            self.assert_refused_field(lambda name=name: self.client.declare(name), "INVALID_FIELD",
                                      "queue")
        long = "n" * 256
        for call in (lambda: self.client.declare(long), lambda: self.client.send(long, 1),
                     lambda: self.client.receive(long), lambda: self.client.describe(long),
                     self.client.receiver(long).end(), self.client.sender(long).end()):
            fault = self.assert_fault(call, INVALID, "OUT_OF_BOUNDS", limit=255, value=256)
            self.assertIn("queue", fault.details["field"])
        for name in ("n" * 255, "a.b/c-d_E9"):
            self.assertTrue(self.client.declare(name).created)

    def test_every_field_of_a_spec(self):
        for field, value, limit in (("capacity", 1_048_577, 1_048_576),
                                    ("message_bytes_max", (1 << 20) + 1, 1 << 20),
                                    ("max_in_flight", 1_048_577, 1_048_576),
                                    ("bytes_max", 1023, 1024)):
            for call in (lambda: self.client.declare("spec", **{field: value}),
                         lambda: self.client.send("spec", 1, spec=wire.QueueSpec(**{field: value})),
                         self.client.sender("spec", spec=wire.QueueSpec(**{field: value})).end(),
                         self.client.receiver("spec", spec=wire.QueueSpec(**{field: value})).end()):
                fault = self.assert_fault(call, INVALID, "OUT_OF_BOUNDS", limit=limit, value=value)
                self.assertTrue(fault.details["field"].endswith(field), fault)
        for field in ("lifetime", "durability"):
            self.assert_refused_field(lambda: self.client.declare("spec", **{field: 99}),
                                      "INVALID_FIELD", f"spec.{field}")
        self.assertEqual(self.client.list_queues(prefix="spec").queues[:], [])

    def test_fields_of_sending(self):
        send, name = self.client.send, self.name
        self.assert_refused_field(lambda: send(name), "INVALID_FIELD", "messages")
        for wrong in (b"short", b"x" * 17):
            for call, field in ((lambda: send(name, 1, producer_id=wrong, first_sequence=1),
                                 "producer_id"),
                                (lambda: send(name, 1, session_id=wrong), "session_id"),
                                (self.client.sender(name, producer_id=wrong).end(), "producer_id"),
                                (self.client.sender(name, session_id=wrong).end(), "session_id")):
                fault = self.assert_fault(call, INVALID, "INVALID_FIELD")
                self.assertTrue(fault.details["field"].endswith(field), fault)
        fault = self.assert_fault(lambda: send(name, 1, producer_id=b"p" * 16), INVALID,
                                  "INVALID_FIELD")
        self.assertEqual(fault.details["field"], "first_sequence")
        self.assert_refused_field(lambda: send(name, 1, 2, first_sequence=2 ** 53 - 1),
                                  "OUT_OF_BOUNDS", "first_sequence")
        self.assert_fault(lambda: send(name, 1, mode=99), INVALID, "INVALID_FIELD", field="mode")

    def test_fields_of_receiving(self):
        receive, name = self.client.receive, self.name
        self.assert_fault(lambda: receive(name, lease_ms=LEASE_MOST_MS + 1), INVALID,
                          "OUT_OF_BOUNDS", field="lease_ms", limit=LEASE_MOST_MS,
                          value=LEASE_MOST_MS + 1)
        self.assert_fault(lambda: receive(name, consumer="c" * 256), INVALID, "OUT_OF_BOUNDS",
                          field="consumer", limit=255, value=256)
        self.assert_refused_field(lambda: receive(name, session_id=b"12"), "INVALID_FIELD",
                                  "session_id")
        for fields, reason, field in (({"consumer": "c" * 256}, "OUT_OF_BOUNDS", "consumer"),
                                      ({"mode": 99}, "INVALID_FIELD", "mode"),
                                      ({"ack_timeout_ms": LEASE_MOST_MS + 1}, "OUT_OF_BOUNDS",
                                       "ack_timeout_ms"),
                                      ({"auto_ack": True, "ack_timeout_ms": 5}, "INVALID_FIELD",
                                       "ack_timeout_ms")):
            fault = self.assert_fault(self.client.receiver(name, **fields).end(), INVALID, reason)
            self.assertTrue(fault.details["field"].endswith(field), fault)
        self.assertEqual(self.client.describe(name).consumers, 0)

    def test_fields_of_settling(self):
        for fields, reason, field in (
                ({"count": 0}, "INVALID_FIELD", "settlements.count"),
                ({"action": 0}, "INVALID_FIELD", "settlements.action"),
                ({"action": 77}, "INVALID_FIELD", "settlements.action"),
                ({"delay_ms": LEASE_MOST_MS + 1}, "OUT_OF_BOUNDS", "settlements.delay_ms"),
                ({"lease_ms": LEASE_MOST_MS + 1}, "OUT_OF_BOUNDS", "settlements.lease_ms"),
                ({"lease": 0}, "INVALID_FIELD", "settlements.lease")):
            good, bad = (wire.Settlement(first_position=1, count=1, lease=5,
                                         action=wire.SETTLE_ACTION_ACK) for _ in range(2))
            for name, value in fields.items():
                setattr(bad, name, value)
            request = wire.SettleRequest(queue=self.name, settlements=[good, bad])
            self.assert_refused_field(
                lambda request=request: self.client.queues.Settle(request, timeout=BOUND),
                reason, field, index=1)
        many = wire.SettleRequest(queue=self.name, settlements=[good] * 10_001)
        self.assert_refused_field(lambda: self.client.queues.Settle(many, timeout=BOUND),
                                  "OUT_OF_BOUNDS", "settlements", limit=10_000, value=10_001)

    def test_a_bad_settlement_on_a_stream_settles_nothing_of_its_frame(self):
        receiver = self.client.receiver(self.name)
        receiver.wait_messages(1)
        receiver.write(wire.ReceiveStreamRequest(settlements=[
            wire.Settlement(first_position=1, count=1, action=wire.SETTLE_ACTION_ACK),
            wire.Settlement(first_position=1, count=0, action=wire.SETTLE_ACTION_ACK)]))
        self.assert_fault(receiver.end(), INVALID, "INVALID_FIELD", field="settlements.count",
                          index=1)
        self.eventually_describes(self.name, settled=0, in_flight=0, depth=1)

    def test_fields_of_sessions(self):
        for session in (b"short", b"x" * 17):
            fault = self.client.keep(session_id=session).end()
            self.assertEqual((fault.code, fault.details["field"]), (INVALID, "session_id"))
        fault = self.client.keep(linger_ms=LEASE_MOST_MS + 1).end()
        self.assert_refused_field(fault, "OUT_OF_BOUNDS", "linger_ms", limit=LEASE_MOST_MS,
                                  value=LEASE_MOST_MS + 1)
        keeper = self.client.keep()
        keeper.wait_kept()
        keeper.write(wire.KeepRequest(session_id=b"another's session"[:16]))
        self.assert_refused_field(keeper.end(), "INVALID_FIELD", "session_id")

    def test_malformed_messages_in_a_unary_send(self):
        head = record(4, self.name.encode())
        good = record(1, record(1, b"good"))
        for what, (content, field) in MALFORMED_MESSAGES.items():
            with self.subTest(what):
                request = good + record(1, content) + head
                fault = self.assert_fault(self.raw("Send", request), INVALID, "MALFORMED", index=1)
                if field:
                    self.assertEqual(fault.details["field"], field)

    def test_malformed_messages_on_a_stream(self):
        opening = wire.SendStreamRequest(open=wire.SendOpen(queue=self.name))
        for what, (content, _) in MALFORMED_MESSAGES.items():
            with self.subTest(what):
                frame = record(1, record(1, b"good")) + record(1, content)
                self.assert_fault(self.raw_stream("SendStream", opening, frame), INVALID,
                                  "MALFORMED", index=1, last_sequence=0)

    def test_malformed_frames_of_every_method(self):
        for garbage in MALFORMED_FRAMES:
            for method in ("DeclareQueue", "DescribeQueue", "ListQueues", "CloseQueue",
                           "DeleteQueue", "PurgeQueue", "PeekQueue", "Send", "Receive", "Settle"):
                self.assert_fault(self.raw(method, garbage), INVALID, "MALFORMED")
            for method in ("SendStream", "ReceiveStream"):
                self.assert_fault(self.raw_stream(method, garbage), INVALID, "MALFORMED")
        call = self.client.channel.stream_stream("/sluice.v1.SessionService/Keep")
        with self.assertRaises(grpc.RpcError) as raised:
            next(call(iter([b"\xff"]), timeout=BOUND))
        self.assert_fault(fault_of(raised.exception), INVALID, "MALFORMED")

    def test_wrong_order_of_frames(self):
        opening = wire.SendStreamRequest(open=wire.SendOpen(queue=self.name))
        messages = wire.SendStreamRequest(messages=[wire.Message(payload=b"x")])
        self.assert_fault(self.raw_stream("SendStream", messages), INVALID, "OUT_OF_ORDER")
        self.assert_fault(self.raw_stream("SendStream", opening, opening), INVALID, "OUT_OF_ORDER")
        receive = wire.ReceiveStreamRequest(open=wire.ReceiveOpen(queue=self.name))
        receive.open.credit.messages = 0
        credit = wire.ReceiveStreamRequest(credit=wire.Credit(messages=1))
        self.assert_fault(self.raw_stream("ReceiveStream", credit), INVALID, "OUT_OF_ORDER")
        self.assert_fault(self.raw_stream("ReceiveStream", receive, receive), INVALID,
                          "OUT_OF_ORDER")
        mixed = wire.ReceiveStreamRequest(open=receive.open, finish=True)
        self.assertEqual(self.raw_stream("ReceiveStream", mixed).code, INVALID)
        self.eventually_describes(self.name, consumers=0)

    def test_streams_that_say_nothing(self):
        for method in (self.client.queues.SendStream, self.client.queues.ReceiveStream,
                       self.client.sessions.Keep):
            stream = Stream(method)
            stream.half_close()
            stream.end()  # in whatever way: it ends

    def test_at_and_over_the_limits_of_a_message(self):
        other = self.name + ".limits"
        self.client.declare(other)
        envelope = wire.Message(payload=b"x" * 200_000).ByteSize() - 200_000
        fits = b"x" * ((1 << 20) - envelope)
        self.assertEqual(self.outcomes(self.client.send(other, fits)), [OK])
        self.assert_fault(lambda: self.client.send(other, fits + b"x"), INVALID, "OUT_OF_BOUNDS",
                          limit=1 << 20, value=(1 << 20) + 1, index=0)
        headers = {f"k{i:02}": "v" for i in range(64)}
        most = wire.Message(headers=headers)
        self.assertEqual(self.outcomes(self.client.send(other, most)), [OK])
        headers["k64"] = "v"
        self.assert_fault(lambda: self.client.send(other, wire.Message(headers=headers)), INVALID,
                          "OUT_OF_BOUNDS", field="headers", limit=64, value=65)
        just = wire.Message(headers={"k": "v" * 8191})
        self.assertEqual(self.outcomes(self.client.send(other, just)), [OK])
        over = wire.Message(headers={"k": "v" * 8192})
        self.assert_fault(lambda: self.client.send(other, over), INVALID, "OUT_OF_BOUNDS",
                          field="headers", limit=8192, value=8193)
        reply = self.client.receive(other, max_messages=9, max_bytes=4 << 20)
        self.assertEqual([one.payload for one in reply.messages], [fits, b"", b""])

    def test_at_and_over_the_limits_of_a_frame(self):
        other = self.name + ".frames"
        self.client.declare(other, capacity=100_000)
        empty = wire.Message()
        self.assertEqual(self.outcomes(self.client.send(other, *[empty] * 65_536)), [OK] * 65_536)
        self.assert_fault(lambda: self.client.send(other, *[empty] * 65_537), INVALID,
                          "OUT_OF_BOUNDS", field="messages", limit=65_536, value=65_537)
        self.client.purge(other)

        def request_of(size):
            """A Send of four messages whose encoding is `size` bytes."""
            request = wire.SendRequest(queue=other, messages=[wire.Message(payload=b"x" * 1_000_000)
                                                              for _ in range(4)])
            request.messages.add(payload=b"x" * 100_000)
            request.messages[4].payload = b"x" * (100_000 + size - request.ByteSize())
            self.assertEqual(request.ByteSize(), size)
            return request.SerializeToString()
        self.raw("Send", request_of(4 << 20))()
        self.assertEqual(self.client.describe(other).depth, 5)
        for size in ((4 << 20) + 1, 5 << 20):
            fault = self.assert_fault(self.raw("Send", request_of(size)), INVALID, "OUT_OF_BOUNDS",
                                      limit=4 << 20, value=size)
            self.assertEqual(fault.details["field"], "frame")
        opening = wire.SendStreamRequest(open=wire.SendOpen(queue=other))
        self.assert_fault(self.raw_stream("SendStream", opening, request_of(5 << 20)), INVALID,
                          "OUT_OF_BOUNDS", limit=4 << 20, value=5 << 20)
        # Beyond 16 MiB gRPC refuses by itself, and the connection goes on.
        with self.assertRaises(grpc.RpcError) as raised:
            self.raw("Send", b"x" * ((16 << 20) + 1))()
        self.assertEqual(raised.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
        self.assertEqual(self.client.describe(other).depth, 5)

    def test_what_is_not_grpc(self):
        for bytes_sent in (b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 1000,
                           b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 500):
            with socket.create_connection(("127.0.0.1", self.daemon.port), timeout=BOUND) as sock:
                sock.sendall(bytes_sent)
                try:
                    while sock.recv(4096):
                        pass
                except ConnectionResetError:
                    pass


if __name__ == "__main__":
    unittest.main()
