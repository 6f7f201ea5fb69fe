# SPDX-License-Identifier: Apache-2.0
"""The daemon under a supervisor: what it tells, and that a real fault is seen."""

import os
import signal
import time
import unittest

from support.client import Client
from support.daemon import Daemon
from support.eventually import eventually
from support.supervisor import Frozen, Supervisor, threads
from test_admin import NOT_SERVING, SERVING, check_health

# A round. Three in a row without any answer must mean a fault, on a slow machine, too.
PERIOD_MS = 1000


class Supervision(unittest.TestCase):

    def start(self, *options, **supervisor):
        self.supervisor = Supervisor(**supervisor)
        self.addCleanup(self.supervisor.close)
        self.daemon = Daemon("--probe-interval-ms", str(PERIOD_MS), "--grpc-queues", "2", *options,
                             env=self.supervisor.env)
        self.addCleanup(self.daemon.kill)

    def test_ready_watchdog_and_stopping_are_told(self):
        for is_abstract in (False, True):
            with self.subTest(is_abstract=is_abstract):
                self.start(watchdog_s=0.2, is_abstract=is_abstract)
                self.supervisor.wait_for("READY=1")
                self.assertEqual(self.supervisor.lines[1], "STATUS=serving on 127.0.0.1:0")
                for _ in range(3):
                    self.supervisor.wait_for("WATCHDOG=1")
                self.daemon.terminate()
                self.supervisor.wait_for("STOPPING=1")
                extended = self.supervisor.wait_for("EXTEND_TIMEOUT_USEC=")
                self.assertGreater(int(extended.split("=")[1]), 8_000_000)  # the grace, and more
                self.daemon.wait()

    def test_without_a_watchdog_none_is_fed(self):
        self.start()
        self.supervisor.wait_for("READY=1")
        self.daemon.terminate()
        self.supervisor.wait_for("STOPPING=1")
        self.daemon.wait()
        self.assertNotIn("WATCHDOG=1", self.supervisor.lines)

    # The drain is long, and the watchdog must not end it.
    def test_the_watchdog_is_fed_while_it_drains(self):
        self.start("--drain-delay-ms", "600000", watchdog_s=0.2)
        self.daemon.terminate()
        self.supervisor.wait_for("STOPPING=1")
        for _ in range(3):
            self.supervisor.wait_for("WATCHDOG=1")
        self.daemon.terminate()  # a second time: no more patience
        self.daemon.wait()

    def test_a_worker_that_hangs_is_seen_and_so_is_its_return(self):
        self.start(watchdog_s=60)
        client = Client(self.daemon.address)
        self.addCleanup(client.close)
        self.assertEqual(check_health(client, "liveness"), SERVING)
        frozen = Frozen(threads(self.daemon.pid, "worker")[0])
        self.addCleanup(frozen.thaw)
        status = self.supervisor.wait_for("STATUS=not alive")
        self.assertRegex(status, "3 times in a row: worker [01] does not run")
        self.supervisor.forget()
        with self.assertRaises(TimeoutError):
            self.supervisor_is_fed_within(2 * PERIOD_MS / 1000)
        frozen.thaw()
        self.supervisor.wait_for("STATUS=serving")
        self.supervisor.wait_for("WATCHDOG=1")
        for service in ("", "liveness"):
            self.assertEqual(check_health(client, service), SERVING)
        self.assertIn('"not_alive"', self.daemon.log())
        self.daemon.stop()

    def supervisor_is_fed_within(self, seconds):
        self.supervisor._socket.settimeout(seconds)
        try:
            self.supervisor.wait_for("WATCHDOG=1")
        finally:
            self.supervisor._socket.settimeout(60)

    # Nobody accepts any more, and every worker is as well as ever: only a new connection sees it.
    def test_a_listener_that_hangs_is_seen_by_those_who_are_connected(self):
        self.start()
        client = Client(self.daemon.address)
        self.addCleanup(client.close)
        self.assertEqual(check_health(client), SERVING)
        frozen = Frozen(threads(self.daemon.pid, "acceptor")[0])
        self.addCleanup(frozen.thaw)
        self.assertRegex(self.supervisor.wait_for("STATUS=not alive"), "no answer on 127.0.0.1:0")
        self.assertEqual(check_health(client), NOT_SERVING)
        self.assertEqual(check_health(client, "liveness"), NOT_SERVING)
        frozen.thaw()
        self.supervisor.wait_for("STATUS=serving")
        self.assertEqual(check_health(client), SERVING)
        self.daemon.stop()

    def test_while_it_drains_it_is_alive_and_not_ready(self):
        self.start("--drain-delay-ms", "600000")
        client = Client(self.daemon.address)
        self.addCleanup(client.close)
        self.daemon.terminate()
        eventually(lambda: check_health(client) == NOT_SERVING, what="a drain")
        self.assertEqual(check_health(client, "liveness"), SERVING)
        self.daemon.terminate()
        self.daemon.wait()

    # As a paused machine: when it goes on, many rounds are missing, and none is held against it.
    def test_a_suspended_daemon_goes_on_as_if_nothing_had_been(self):
        self.start(watchdog_s=60)
        self.supervisor.wait_for("WATCHDOG=1")
        for _ in range(2):
            self.supervisor.wait_for("WATCHDOG=1")
            os.kill(self.daemon.pid, signal.SIGSTOP)
            time.sleep(4 * PERIOD_MS / 1000)  # longer than it takes to be not alive
            os.kill(self.daemon.pid, signal.SIGCONT)
            self.supervisor.forget()
            for _ in range(2):
                self.supervisor.wait_for("WATCHDOG=1")
            self.assertFalse([line for line in self.supervisor.lines if "not alive" in line])
        self.daemon.stop()


if __name__ == "__main__":
    unittest.main()
