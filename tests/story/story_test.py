# SPDX-License-Identifier: Apache-2.0
"""The story of ./dev run, told to a daemon of its own. A bystander follows all of it: what it sees
must be allowed, whatever the story's own programs say."""

import os
import subprocess
import sys
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

import grpc
from support.client import Client
from support.daemon import Daemon

from history.check import assert_allowed
from history.recorder import Recorder

# The programs of the story are not recorded.
OTHERS = (r".*",)
PAUSE = 0.05


class Bystander:
    """Watches all keys, hears all topics, and looks at everything over and over."""

    def __init__(self, daemon):
        self.history = Recorder()
        self._client = Client(daemon.address, self.history, f"{daemon.pid}:bystander")
        self.watcher = self._client.config.watcher(prefixes=[""])
        self.subscriber = self._client.topics.subscriber(pattern=">")
        self._is_over, self._failure = threading.Event(), None
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self):
        try:
            while not self._is_over.wait(PAUSE):
                self._client.list_queues()
                self._client.topics.list()
                self._client.requests.list()
                self._client.config.list()
        except grpc.RpcError as error:
            self._failure = error

    def leave(self):
        self._is_over.set()
        self._thread.join()
        if self._failure:
            raise self._failure
        newest = max((entry.revision for entry in self._client.config.list_all()), default=0)
        self.watcher.wait_end_mark().wait_revision(newest)
        self._client.close()


class Story(unittest.TestCase):

    # Clauses: N2 N15 N18 N30 N34
    def test_every_line_is_processed(self):
        daemon = Daemon()
        self.addCleanup(daemon.kill)
        bystander = Bystander(daemon)
        try:
            done = subprocess.run([os.path.join(HERE, "run"), daemon.address], timeout=300,
                                  check=False)
        finally:
            bystander.leave()
        self.assertEqual(done.returncode, 0)
        self.assertTrue(bystander.watcher.entries and bystander.subscriber.frames)
        assert_allowed(bystander.history.finish(), OTHERS)
        daemon.stop()


if __name__ == "__main__":
    unittest.main()
