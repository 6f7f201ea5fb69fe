# SPDX-License-Identifier: Apache-2.0
"""docker stop and start, and docker kill, under load. The ends of tests/torture work on all four
kinds the while and judge what they are told: everything goes through again, and no promise is
broken. What was in memory is gone, and a new epoch says so."""

import time
import unittest

from container import Container, docker
from ends_process import Ends, expect_nothing_left
from support.client import Client

TIMES = 3
# Things that go through, of all ends together, before each disaster.
EVENTS = 400


class Restart(unittest.TestCase):

    def setUp(self):
        self.container = Container()
        self.addCleanup(self.container.remove)
        self.ends = Ends(self.container.address)
        self.addCleanup(self.ends.kill)

    def suffer(self, what, disaster):
        for _ in range(TIMES):
            self.ends.order(f"run {EVENTS}", "point")
            disaster()
            self.ends.order("recover", "recovered")
        print(f"\n{what}, {TIMES} times:\n{self.ends.stop()}", end="")
        expect_nothing_left(self.container.address, what)
        self.container.stop()

    def epoch(self):
        """Of the daemon's config keys; another life has another."""
        client = Client(self.container.address)
        watcher = client.config.watcher("anything")
        watcher.until(lambda: watcher.point, what="the end of the snapshot")
        watcher.cancel()
        client.close()
        return watcher.point[0]

    def test_docker_stop_and_start(self):
        def restart():
            before, began = self.epoch(), time.monotonic()
            ended = self.container.restart()
            print(f"\nended in {ended:.2f} s, serves again after {time.monotonic() - began:.2f} s",
                  end="")
            self.assertNotEqual(self.epoch(), before)
        self.suffer("docker stop and start", restart)

    def test_docker_kill(self):
        def kill():
            docker("kill", self.container.name)
            docker("start", self.container.name)
            self.container.wait_ready()
        self.suffer("docker kill", kill)


if __name__ == "__main__":
    unittest.main()
