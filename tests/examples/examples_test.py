# SPDX-License-Identifier: Apache-2.0
"""The programs of client/examples, run against a daemon: what they print is what they promise."""

import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

from support.client import Client
from support.daemon import Daemon
from support.eventually import eventually

PROGRAMS = os.environ["EXAMPLES"]
BOUND = 120


class Examples(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon()
        cls.client = Client(cls.daemon.address)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.daemon.stop()

    def run_program(self, name, *arguments):
        done = subprocess.run([os.path.join(PROGRAMS, name), *arguments], check=False, text=True,
                              capture_output=True, timeout=BOUND)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        # The daemon may see a moment later that it has gone: the next one is not to meet it.
        eventually(lambda: self.client.info().live.streams == 0, what=f"the end of {name}")
        return done.stdout.splitlines()

    def run_example(self, kind):
        """What it prints, twice: it leaves nothing behind that would change the second time."""
        first = self.run_program(f"example_{kind}", self.daemon.address)
        self.assertEqual(first, self.run_program(f"example_{kind}", self.daemon.address))
        return first

    def test_queue(self):
        self.assertEqual(
            self.run_example("queue"),
            ["a fourth: FULL"] + [f"done: job {i}" for i in range(1, 11)] +
            ["accepted 10 = settled 10 + queued 0 + in flight 0"])

    def test_request(self):
        self.assertEqual(self.run_example("request"), [
            "hello: NO_RESPONDER", 'hello: OK, "HELLO"', "nothing: FAILED, code EMPTY",
            "together: ONE and TWO"])

    def test_topic(self):
        orders = [f"order {i}" for i in range(1, 7)]
        self.assertEqual(self.run_example("topic"), (
            ["to nobody: NO_SUBSCRIBERS"] +
            [f"{order}: OK, offered to 2" for order in orders[:3]] +
            [f"by name: {order}" for order in orders[:3]] + ["by name missed 0"] +
            [f"by pattern: {order}" for order in orders[:3]] + ["by pattern missed 0"] +
            [f"from position 1: {order}" for order in orders[2:]] + ["from position 1 missed 2"]))

    def test_config(self):
        self.assertEqual(self.run_example("config"), [
            "at the start: 100", "200: OK; 300: CONFLICT, it is 200", "the watcher sees 250",
            "after its owner left: not there"])

    def test_both_ways_prints_the_same(self):
        in_process = self.run_program("example_both_ways_local")
        self.assertEqual(in_process,
                         self.run_program("example_both_ways_remote", self.daemon.address))
        self.assertGreater(len(in_process), 3)

    def test_z_nothing_is_left(self):
        live = self.client.info().live
        self.assertEqual((live.queues, live.topics, live.responders, live.keys), (0, 0, 0, 0), live)


if __name__ == "__main__":
    unittest.main()
