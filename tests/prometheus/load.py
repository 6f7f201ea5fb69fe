# SPDX-License-Identifier: Apache-2.0
"""Load of all four kinds on one daemon: what goes well, and, where asked for, what does not."""

import threading

import grpc

from support import wire
from support.client import Client
from support.eventually import BOUND

# Between two rounds: a load, not a benchmark. No test depends on it.
PAUSE_S = 0.05


class Load:
    """Goes on from its construction to `stop`, which tells what went wrong with it."""

    def __init__(self, address, with_mishaps):
        self._client = Client(address)
        self._rounds = [self._well, self._badly] if with_mishaps else [self._well]
        self._stopped = threading.Event()
        self._error = None
        self.rounds_done = 0
        self._attach()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        self._stopped.set()
        self._thread.join()
        self._client.close()
        if self._error:
            raise self._error

    def _attach(self):
        client = self._client
        client.declare("load.jobs", capacity=100)
        client.declare("load.narrow", capacity=2)
        client.topics.declare("load.news", capacity=1024)
        client.topics.declare("ring", capacity=2)
        client.requests.declare("load.echo")
        client.requests.declare("load.nobody")
        self._worker = client.requests.echo("load.echo")
        self._follower = client.topics.subscriber("load.news").wait_ready()
        self._pattern = client.topics.subscriber(pattern="load.*").wait_ready()
        self._watcher = client.config.watcher(prefixes=("load/",)).wait_end_mark()
        self._session = client.keep()
        self._session.wait_kept()

    def _run(self):
        try:
            while not self._stopped.wait(PAUSE_S):
                for one in self._rounds:
                    one()
                self.rounds_done += 1
        except Exception as error:  # pylint: disable=broad-except
            self._error = error

    def _well(self):
        client = self._client
        client.send("load.jobs", "a", "b", "c")
        client.take("load.jobs", max_messages=10, wait_ms=1000)
        client.topics.publish("load.news", "one", "two")
        client.requests.call("load.echo", b"hello")
        client.config.set("load/key", b"value")
        client.config.get("load/key")
        client.info()

    def _badly(self):
        client = self._client
        client.send("load.narrow", "a", "b", atomic=False)  # FULL from the second round on
        reply = client.receive("load.narrow", max_messages=2)
        for run in reply.runs:  # one comes back, one is done
            client.settle("load.narrow", reply.lease, run.first_position,
                          action=wire.SETTLE_ACTION_NACK)
        client.topics.publish("ring", "x", atomic=False)  # nobody subscribes
        client.requests.call("load.nobody")
        client.config.set("load/key", b"other", expect=wire.KeyVersion(epoch=1, version=1))
        client.config.delete("load/absent")
        client.declare("load.short", capacity=1)
        client.send("load.short", "destroyed")
        client.delete("load.short")
        try:
            client.describe("load.unknown")
        except grpc.RpcError:
            pass  # NOT_FOUND, told as it should be

    def wait_rounds(self, count):
        """Until so many rounds are done since now."""
        goal = self.rounds_done + count
        end = threading.Event()
        for _ in range(int(BOUND * 20)):
            if self.rounds_done >= goal or self._error:
                break
            end.wait(PAUSE_S)
        if self._error or self.rounds_done < goal:
            raise AssertionError(f"{self.rounds_done} rounds, not {goal}") from self._error
