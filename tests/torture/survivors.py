# SPDX-License-Identifier: Apache-2.0
"""Those who are to notice nothing: one party for each kind of channel, which works in rounds."""

import threading

import grpc
from config_survivor import ConfigSurvivor
from queue_survivor import QueueSurvivor
from request_survivor import RequestSurvivor
from support.client import Client
from support.eventually import BOUND
from topic_survivor import TopicSurvivor


class Survivors:
    """Run from `resume` to `pause`; `check` tells whether anything was lost or out of order."""

    def __init__(self, address, recorder, pause_s=0.005):
        self.client = Client(address, recorder, "daemon:survivors")
        self.parties = [party(self.client) for party in
                        (QueueSurvivor, TopicSurvivor, RequestSurvivor, ConfigSurvivor)]
        self.failure, self._pause_s = None, pause_s
        self._is_running, self._is_idle, self._is_over = (threading.Event() for _ in range(3))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def resume(self):
        self._is_idle.wait(BOUND)  # it may not have come to rest yet
        self._is_idle.clear()
        self._is_running.set()

    def pause(self):
        """Returns when everything that was begun has come to its end."""
        self._is_running.clear()
        if not self._is_idle.wait(BOUND):
            raise AssertionError("the survivors hang")
        self.check()

    def check(self):
        if self.failure:
            raise AssertionError(f"a survivor was harmed: {self.failure!r}")
        for party in self.parties:
            for stream in party.streams():
                if stream.is_over:
                    raise AssertionError(f"a survivor's stream has ended: {stream.state()}")
            party.check()

    def told(self):
        """What they did, for people."""
        queues, topics, requests, config = self.parties
        return (f"{queues.sent} messages through a queue, {topics.sent} through a topic, "
                f"{len(requests.asked)} calls and {config.sets} sets")

    def close(self):
        self._is_over.set()
        self._is_running.set()
        self._thread.join()
        self.client.close()

    def _run(self):
        while not self._is_over.is_set():
            try:
                if self._is_running.is_set():
                    for party in self.parties:
                        party.round()
                    self._is_over.wait(self._pause_s)
                else:
                    for party in self.parties:
                        party.settle()
                    self._is_idle.set()
                    self._is_running.wait()
            except (AssertionError, grpc.RpcError) as failure:
                self.failure = failure
                self._is_idle.set()
                return
