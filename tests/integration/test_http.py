# SPDX-License-Identifier: Apache-2.0
"""The HTTP port of the real daemon: what it shows, and that nobody at it harms anybody else."""

import http.client
import os
import random
import resource
import unittest

from support.case import DaemonCase
from support.client import Client
from support.daemon import Daemon, run_to_end
from support.eventually import BOUND, eventually
from support.http import REQUEST, answer, ask, connect, get, get_json
from support.supervisor import threads

CONNECTIONS_MAX, PER_ADDRESS_MAX = 256, 32


def health_of(connection):
    """The status, on a connection that goes on."""
    connection.request("GET", "/healthz")
    response = connection.getresponse()
    response.read()
    return response.status


class Pages(DaemonCase):

    OPTIONS = ("--http", "127.0.0.1:0")

    def setUp(self):
        super().setUp()
        self.http = self.daemon.http_address

    def json(self, path):
        return get_json(self.http, path)

    def test_a_queue_is_shown_as_it_is_described(self):
        self.client.declare(self.name, capacity=3)
        self.client.send(self.name, "a", "b")
        shown = self.json(f"/api/v1/queues/{self.name}")
        described = self.client.describe(self.name)
        for field in ("name", "epoch", "accepted", "settled", "purged", "deleted", "depth",
                      "in_flight", "free_slots", "retained_bytes", "next_position"):
            self.assertEqual(shown[field], getattr(described, field), field)
        self.assertEqual(shown["accepted"], 2)
        listed = self.json(f"/api/v1/queues?prefix={self.name}")["queues"]
        self.assertEqual([queue["name"] for queue in listed], [self.name])

    def test_the_limits_are_those_of_server_info(self):
        bounds = self.client.info().bounds
        expected = {field.name: getattr(bounds, field.name)
                    for field in bounds.DESCRIPTOR.fields}
        self.assertEqual(self.json("/api/v1/limits")["limits"], expected)

    def test_metrics_are_prometheus_text(self):
        status, fields, text = get(self.http, "/metrics")
        self.assertEqual(status, 200)
        self.assertTrue(fields["Content-Type"].startswith("text/plain; version=0.0.4"), fields)
        self.assertIn("\ngrpc_server_started_total{", text)
        self.assertIn("\nsluice_queues ", text)

    def test_info_and_health(self):
        self.assertEqual(get(self.http, "/healthz")[::2], (200, "ok\n"))
        self.assertEqual(get(self.http, "/readyz")[::2], (200, "ok\n"))
        info = self.json("/api/v1/info")
        self.assertEqual((info["ready"], info["draining"]), (True, False))
        self.assertEqual(info["version"], self.client.info().version)

    def test_a_stock_client_keeps_its_connection(self):
        connection = http.client.HTTPConnection(self.http, timeout=BOUND)
        for method, path, status in (("GET", "/", 200), ("HEAD", "/metrics", 200),
                                     ("GET", "/none", 404), ("POST", "/", 405),
                                     ("GET", "/readyz", 200)):
            connection.request(method, path)
            response = connection.getresponse()
            self.assertEqual(response.status, status, path)
            self.assertEqual(len(response.read()) > 0, method != "HEAD", path)
            self.assertFalse(response.will_close, path)
        connection.close()

    def test_its_thread_is_nicer_than_the_workers(self):
        thread, = threads(self.daemon.pid, "sluice-http")
        self.assertGreater(os.getpriority(os.PRIO_PROCESS, thread),
                           os.getpriority(os.PRIO_PROCESS, self.daemon.pid))


class Clients(unittest.TestCase):
    """Bad ones, beside one that uses the daemon for what it is there for."""

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon("--http", "127.0.0.1:0")
        cls.http = cls.daemon.http_address

    @classmethod
    def tearDownClass(cls):
        cls.daemon.stop()

    def hold(self, count, request, source=None):
        """Connections on which this much of a request was sent."""
        held = []
        for _ in range(count):
            held.append(connect(self.http, source))
            self.addCleanup(held[-1].close)
            held[-1].sendall(request)
        return held

    def test_oversized_and_malformed_requests(self):
        head = "GET / HTTP/1.1\r\nHost: localhost\r\n"
        for request, status in ((head + "X: " + "x" * 10_000 + "\r\n\r\n", 431),
                                ("GET /" + "a" * 100_000 + " HTTP/1.1\r\n\r\n", 414),
                                (head + "Content-Length: 3\r\n\r\nabc", 413),
                                (head + "Content-Length: -3\r\n\r\n", 400),
                                ("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
                                ("\x00\x01\x02\r\n\r\n", 400), ("GET / HTTP/1.0\r\n\r\n", 200)):
            with self.subTest(request=request[:60]):
                self.assertEqual(ask(self.http, request)[0], status)

    def test_random_bytes_are_survived(self):
        seed = int(os.environ.get("SLUICE_SEED", random.SystemRandom().getrandbits(32)))
        print(f"SLUICE_SEED={seed}")
        chance = random.Random(seed)
        whole = REQUEST.format("/api/v1/queues?prefix=a").encode()
        for _ in range(200):
            request = bytearray(whole)
            for _ in range(chance.randint(1, 8)):
                request[chance.randrange(len(request))] = chance.getrandbits(8)
            with connect(self.http) as connection:
                connection.sendall(request + b"\r\n\r\n")
                connection.shutdown(1)
                answer(connection)
        self.assertEqual(get(self.http, "/healthz")[0], 200)

    def test_too_many_of_one_address_are_told_so(self):
        # They rest after a request, for which there is more time than to send a header.
        held = [http.client.HTTPConnection(self.http, timeout=BOUND, source_address=("127.0.0.2", 0))
                for _ in range(PER_ADDRESS_MAX)]
        for connection in held:
            self.addCleanup(connection.close)
            self.assertEqual(health_of(connection), 200)
        with connect(self.http, "127.0.0.2") as refused:
            refused.sendall(REQUEST.format("/").encode())
            self.assertEqual(answer(refused)[0], 503)
        self.assertEqual(get(self.http, "/healthz")[0], 200, "another address is served")
        for connection in held:
            self.assertEqual(health_of(connection), 200, "who was there before is served")

    def test_too_many_in_all_are_told_so(self):
        for i in range(CONNECTIONS_MAX // PER_ADDRESS_MAX):
            self.hold(PER_ADDRESS_MAX, b"", source=f"127.0.1.{i + 1}")

        def refused():
            with connect(self.http, "127.0.0.3") as one:
                one.sendall(REQUEST.format("/healthz").encode().replace(b"1.1", b"1.0"))
                return answer(one)[0] == 503
        eventually(refused)

    def test_a_slow_header_is_given_up(self):
        slow = self.hold(8, b"GET / HTTP/1.1\r\nX: ")
        client = self.daemon_client()
        for letter in b"abcdefgh":
            for connection in slow:
                try:
                    connection.sendall(bytes([letter]))
                except (BrokenPipeError, ConnectionResetError):
                    pass
            self.assertGreater(client.info().uptime_ms, 0)
        for connection in slow:
            self.assertEqual(answer(connection)[0], 408)

    def test_pages_without_end_leave_the_daemon_its_time(self):
        client = self.daemon_client()
        client.declare("busy", capacity=10)
        flood = self.hold(16, REQUEST.format("/metrics").encode() * 20, source="127.0.0.4")
        for _ in range(100):
            client.send("busy", "x")
            client.purge("busy")
        self.assertEqual(get(self.http, "/healthz")[0], 200)
        for connection in flood:
            connection.close()
        client.delete("busy")

    def daemon_client(self):
        client = Client(self.daemon.address)
        self.addCleanup(client.close)
        return client


class Life(unittest.TestCase):

    def start(self, *options):
        daemon = Daemon(*options)
        self.addCleanup(daemon.kill)
        return daemon

    def test_out_of_descriptors_it_waits_and_goes_on(self):
        daemon = self.start("--http", "127.0.0.1:0")
        address = daemon.http_address
        used = len(os.listdir(f"/proc/{daemon.pid}/fd"))
        _, hard = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (used + 2, hard))
        # More than there are, and silent: each keeps its own until the daemon gives it up.
        waiting = [connect(address) for _ in range(20)]
        eventually(lambda: "http_accept_failed" in daemon.log())
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (hard, hard))
        late = connect(address)
        late.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        self.assertEqual(answer(late)[0], 200)
        for connection in (late, *waiting):
            connection.close()
        daemon.stop()

    # Clauses: N41
    def test_not_ready_through_the_drain_and_up_to_its_end(self):
        daemon = self.start("--http", "127.0.0.1:0", "--drain-delay-ms", "600000")
        address = daemon.http_address
        self.assertEqual(get(address, "/readyz")[0], 200)
        daemon.terminate()
        eventually(lambda: get(address, "/readyz")[0] == 503)
        self.assertEqual(get(address, "/healthz")[0], 200)
        self.assertFalse(get_json(address, "/api/v1/info")["ready"])
        daemon.terminate()  # impatient
        daemon.wait()

    def test_a_port_that_is_taken_is_told_in_a_sentence(self):
        daemon = self.start("--http", "127.0.0.1:0")
        address = daemon.http_address
        code, out, err = run_to_end("--listen", "127.0.0.1:0", "--http", address)
        self.assertEqual((code, out), (1, ""), err)
        sentence, = [line for line in err.splitlines() if line.startswith("sluiced: ")]
        self.assertIn(address, sentence)
        daemon.stop()

    def test_off_is_off(self):
        daemon = self.start("--http", "off")
        self.assertEqual(threads(daemon.pid, "sluice-http"), [])
        daemon.stop()


if __name__ == "__main__":
    unittest.main()
