# SPDX-License-Identifier: Apache-2.0
"""AdminService, grpc.health.v1 and reflection."""

import unittest

import grpc

from support import wire
from support.case import DaemonCase
from support.daemon import Daemon
from support.eventually import eventually

SERVING, NOT_SERVING = 1, 2
SERVICES = ("sluice.v1.QueueService", "sluice.v1.SessionService", "sluice.v1.AdminService")


def check_health(client, service=""):
    check = client.channel.unary_unary("/grpc.health.v1.Health/Check",
                                       wire.HealthCheckRequest.SerializeToString,
                                       wire.HealthCheckResponse.FromString)
    return check(wire.HealthCheckRequest(service=service), timeout=30).status


class Admin(DaemonCase):

    # Clauses: N14 N19 N43
    def test_server_info_tells_every_bound_and_what_there_is(self):
        info = self.client.info()
        self.assertRegex(info.version, r"^\d+\.\d+\.\d+")
        self.assertFalse(info.draining)
        self.assertGreater(info.started_unix_us, 1_600_000_000_000_000)
        bounds = info.bounds
        expected = {
            "message_bytes_max": 1 << 20, "request_frame_bytes_max": 4 << 20,
            "transport_frame_bytes_max": 16 << 20, "frame_messages_max": 65_536,
            "settlements_max": 10_000, "delivery_bytes_max": 256 << 10, "headers_max": 64,
            "header_bytes_max": 8 << 10, "name_bytes_max": 255, "capacity_default": 1024,
            "capacity_max": 1_048_576, "channel_bytes_default": 64 << 20,
            "message_overhead_bytes": 64, "max_in_flight_default": 1024,
            "max_in_flight_max": 1_048_576, "credit_default": 64, "lease_default_ms": 30_000,
            "lease_max_ms": 12 * 3_600_000, "producers_max": 10_000, "producer_memory_ms": 120_000,
            "outcome_ranges_max": 64, "streams_max": 10_000, "streams_per_connection_max": 1000,
            "streams_per_address_max": 0, "connections_per_address_max": 0,
            "metadata_bytes_max": 16 << 10, "keepalive_interval_ms": 10_000,
            "keepalive_timeout_ms": 10_000, "ping_interval_min_ms": 5000, "page_size_default": 100,
            "page_size_max": 1000, "drain_delay_ms": 0, "drain_grace_ms": 2000}
        self.assertEqual({key: getattr(bounds, key) for key in expected}, expected)
        self.assertGreater(bounds.channels_max, 0)
        self.assertGreater(bounds.connections_max, 0)
        self.assertGreater(bounds.sessions_max, 0)

        def at_rest():
            live = self.client.info().live
            return live if (live.streams, live.calls, live.sessions) == (0, 1, 0) else None
        baseline = eventually(at_rest, what="the end of what other tests opened")
        self.assertEqual((baseline.queues, baseline.depth), (0, 0))
        self.client.declare(self.name, capacity=3)
        self.fill(self.name, 3)
        receiver = self.client.receiver(self.name, credit=2)
        receiver.wait_messages(2)
        self.fill(self.name, 2, first=4)
        sender = self.client.sender(self.name)
        sender.send("waiting")
        unary = self.client.send_later(self.name, "waiting")
        self.client.declare(self.name + ".empty")
        receive = self.client.receive_later(self.name + ".empty", wait_ms=60_000)
        keeper = self.client.keep()
        keeper.wait_kept()
        self.eventually_describes(self.name, waiting_sends=2)
        self.eventually_describes(self.name + ".empty", waiting_receives=1)
        expected = {"queues": 2, "streams": 3, "waiting_sends": 2, "waiting_receives": 1,
                    "sessions": 1, "in_flight": 2, "depth": 3, "leases": 1, "producers": 1,
                    "consumers": 2, "calls": 6}

        def counts():
            live = self.client.info().live
            return {key: getattr(live, key) for key in expected}
        # A unary call is over for its caller a moment before it is for the daemon.
        eventually(lambda: counts() == expected, what=f"{expected}")
        self.assertGreaterEqual(self.client.info().live.retained_bytes, 5 * 64)
        for call in (receiver, sender, unary, receive, keeper):
            call.cancel()
        self.client.delete(self.name)
        self.client.delete(self.name + ".empty")

        def at_baseline():
            live = self.client.info().live
            return live.SerializeToString() == baseline.SerializeToString() or live
        eventually(lambda: at_baseline() is True, what="the baseline")

    def test_list_streams_in_pages(self):
        self.client.declare(self.name)
        streams = [self.client.sender(self.name) for _ in range(5)]
        for stream in streams:
            stream.wait_opened()
        keeper = self.client.keep()
        keeper.wait_kept()
        found, token = [], ""
        while True:
            page = self.client.admin.ListStreams(
                wire.ListStreamsRequest(page_size=2, page_token=token), timeout=30)
            self.assertLessEqual(len(page.streams), 2)
            found += page.streams
            token = page.next_page_token
            if not token:
                break
        for one in found:
            self.assertIn("127.0.0.1", one.peer)
            self.assertTrue(one.state)
        # Calls that were answered may still be among them.
        sending = [one for one in found if one.method == "/sluice.v1.QueueService/SendStream"]
        keeping = [one for one in found if one.method == "/sluice.v1.SessionService/Keep"]
        self.assertEqual((len(sending), len(keeping)), (5, 1))
        self.assertEqual(len({one.id for one in sending + keeping}), 6)
        self.assertEqual({one.channel for one in sending}, {self.name})
        self.assert_refused_field(lambda: self.client.admin.ListStreams(
            wire.ListStreamsRequest(page_token="\x01 no"), timeout=30), "INVALID_FIELD",
            "page_token")

    # Clauses: N42
    def test_the_stalled_stream_is_listed_first(self):
        self.client.declare(self.name)
        for _ in range(20):
            self.client.send(self.name, b"x" * 1_000_000)
        stalled = self.client.receiver(self.name, is_reading=False, consumer="asleep")

        def first():
            found = self.client.admin.ListStreams(wire.ListStreamsRequest(), timeout=30).streams[0]
            return found if found.write_stalled_ms > 100 else None
        found = eventually(first, what="a stalled write")
        self.assertEqual((found.method, found.channel),
                         ("/sluice.v1.QueueService/ReceiveStream", self.name))
        self.assertGreaterEqual(found.write_bytes, 1_000_000)
        self.assertGreater(found.held_messages, 0)
        self.assertEqual(found.credit_messages, 64)
        stalled.cancel()
        self.eventually_describes(self.name, in_flight=0)

    def test_health_answers_stock_messages(self):
        for service in ("", *SERVICES):
            self.assertEqual(check_health(self.client, service), SERVING, service)
        with self.assertRaises(grpc.RpcError) as raised:
            check_health(self.client, "no.such.Service")
        self.assertEqual(raised.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_a_method_that_is_not_there(self):
        for path in ("/sluice.v1.QueueService/NoSuchMethod", "/no.such.Service/Method"):
            call = self.client.channel.unary_unary(path)
            with self.assertRaises(grpc.RpcError) as raised:
                call(b"", timeout=30)
            self.assertEqual(raised.exception.code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_reflection_is_off_by_default(self):
        for version in ("v1", "v1alpha"):
            with self.assertRaises(grpc.RpcError) as raised:
                reflect(self.client, version, list_services="*")
            self.assertEqual(raised.exception.code(), grpc.StatusCode.UNIMPLEMENTED)


def reflect(client, version, **request):
    """Asks one question of the reflection service."""
    package = f"grpc.reflection.{version}"
    request_type = wire.foreign(f"{package}.ServerReflectionRequest")
    response_type = wire.foreign(f"{package}.ServerReflectionResponse")
    call = client.channel.stream_stream(f"/{package}.ServerReflection/ServerReflectionInfo",
                                        request_type.SerializeToString, response_type.FromString)
    return next(call(iter([request_type(**request)]), timeout=30))


class Reflection(DaemonCase):
    OPTIONS = ("--reflection",)

    def test_both_versions_tell_services_and_files(self):
        for version in ("v1", "v1alpha"):
            services = reflect(self.client, version, list_services="*").list_services_response
            names = {one.name for one in services.service}
            self.assertTrue({*SERVICES, "grpc.health.v1.Health",
                             f"grpc.reflection.{version}.ServerReflection"} <= names, names)
            files = reflect(self.client, version, file_containing_symbol="sluice.v1.QueueService")
            self.assertEqual(self.names_of(files)[0], "sluice/v1/queue.proto")
            by_name = reflect(self.client, version, file_by_filename="sluice/v1/message.proto")
            self.assertIn("sluice/v1/message.proto", self.names_of(by_name))
            missing = reflect(self.client, version, file_containing_symbol="no.such.Thing")
            self.assertEqual(missing.error_response.error_code,
                             grpc.StatusCode.NOT_FOUND.value[0])

    def names_of(self, response):
        files = response.file_descriptor_response.file_descriptor_proto
        return [wire.descriptor_pb2.FileDescriptorProto.FromString(one).name for one in files]


class Drain(unittest.TestCase):

    # Clauses: N41
    def test_drain_by_call_is_as_by_signal(self):
        case = DaemonCase()
        daemon = Daemon("--drain-delay-ms", "500")
        self.addCleanup(daemon.kill)
        DaemonCase.daemon = daemon
        client = case.new_client(daemon.address)
        self.addCleanup(case.doCleanups)
        case.assert_refused_field(lambda: client.admin.Drain(
            wire.DrainRequest(grace_ms=12 * 3_600_000 + 1), timeout=30), "OUT_OF_BOUNDS",
            "grace_ms")
        client.declare("drained")
        client.send("drained", *range(3))
        receiver = client.receiver("drained")
        receiver.wait_messages(3)
        watch = client.channel.unary_stream("/grpc.health.v1.Health/Watch",
                                            wire.HealthCheckRequest.SerializeToString,
                                            wire.HealthCheckResponse.FromString)
        states = watch(wire.HealthCheckRequest(), timeout=60)
        self.assertEqual(next(states).status, SERVING)
        client.admin.Drain(wire.DrainRequest(grace_ms=20_000), timeout=30)
        client.admin.Drain(wire.DrainRequest(), timeout=30)
        self.assertEqual(next(states).status, NOT_SERVING)
        receiver.ack(1, 3)
        self.assertEqual(receiver.end(), wire.CLOSED_REASON_SHUTTING_DOWN)
        daemon.wait()


if __name__ == "__main__":
    unittest.main()
