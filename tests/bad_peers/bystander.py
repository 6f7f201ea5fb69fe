# SPDX-License-Identifier: Apache-2.0
"""A well-behaved stock client beside the bad ones, in a process of its own: it sends, receives and
acknowledges on streams that stay open, makes unary calls on them and on new connections, and tells
how long that took. What it saw is a history that the contract allows.

Run as a program it obeys lines on stdin: "run" begins rounds; "rest N" ends them when there were at
least N, and is answered by one JSON object; the end of stdin ends it, with exit code 0 if all was
right.
"""

import json
import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass

from support.client import Client
from history.check import assert_allowed
from history.recorder import Recorder

# Of every single step. The report says what was seen; this ends a test that has failed.
STEP_BOUND = 60.0
QUEUE = "bystander"
MESSAGES = 5  # of a round
ROUNDS_A_CONNECTION = 5


@dataclass
class Report:
    """Seconds; of a round: a frame through the queue and its acks, and a call; of a new connection:
    until a call on it was answered."""
    rounds: int
    median: float
    worst: float
    fresh: int
    fresh_worst: float

    def __str__(self):
        return (f"{self.rounds} rounds, median {self.median * 1000:.1f} ms, worst "
                f"{self.worst * 1000:.0f} ms; {self.fresh} new connections, worst "
                f"{self.fresh_worst * 1000:.0f} ms")


class Bystander:
    """The test's side."""

    def __init__(self, address):
        here = os.path.dirname(os.path.abspath(__file__))
        self._process = subprocess.Popen([sys.executable, "-B", __file__, address], cwd=here,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._expect("ready")

    def run(self, is_connecting=True):
        """Begins rounds; with new connections among them unless told otherwise."""
        self._tell("run" if is_connecting else "run here")

    def rest(self, rounds):
        """Ends them: after so many at least since `run`."""
        self._tell(f"rest {rounds}")
        return Report(**json.loads(self._line()))

    def close(self):
        self._process.stdin.close()
        code = self._process.wait(STEP_BOUND)
        self._process.stdout.close()
        if code != 0:
            raise AssertionError(f"the bystander ended with {code}")

    def _tell(self, order):
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()

    def _line(self):
        readable, _, _ = select.select([self._process.stdout], [], [], 2 * STEP_BOUND)
        line = self._process.stdout.readline() if readable else ""
        if not line:
            raise AssertionError("the bystander was not answered, or harmed: see above")
        return line

    def _expect(self, word):
        line = self._line().strip()
        if line != word:
            raise AssertionError(f"the bystander said {line!r}, not {word!r}")


class _Traffic:
    """The process's side."""

    def __init__(self, address):
        self._address = address
        self.recorder = Recorder()
        self._client = Client(address, self.recorder, "bystander:all")
        self._client.declare(QUEUE)
        self._sender = self._client.sender(QUEUE)
        self._receiver = self._client.receiver(QUEUE)
        self._receiver.wait_attached()
        self._sent = 0
        self._began = None
        self.times, self.fresh = [], []
        self.is_connecting = True
        self.round()

    def round(self):
        began = time.monotonic()
        first = self._sent
        self._sent += MESSAGES
        self._sender.send(*range(first + 1, self._sent + 1))
        messages = self._receiver.wait_messages(self._sent)
        expected = [str(i).encode() for i in range(first + 1, self._sent + 1)]
        assert [one.payload for one in messages[first:]] == expected, "lost, or out of order"
        self._receiver.ack(messages[first].position, MESSAGES)
        self._sender.wait_told(self._sent)
        self._receiver.wait_settled(len(self.times) + 1)
        assert self._client.describe(QUEUE).settled == self._sent, "settled, and not counted"
        self.times.append(time.monotonic() - began)
        if self.is_connecting and len(self.times) % ROUNDS_A_CONNECTION == 0:
            self._connect()

    def _connect(self):
        began = time.monotonic()
        fresh = Client(self._address)
        fresh.info()
        self.fresh.append(time.monotonic() - began)
        fresh.close()

    def report(self, times, fresh):
        print(json.dumps({"rounds": len(times), "median": sorted(times)[len(times) // 2],
                          "worst": max(times), "fresh": len(fresh),
                          "fresh_worst": max(fresh, default=0.0)}), flush=True)

    def close(self):
        self._sender.half_close()
        self._sender.end()
        self._receiver.finish()
        self._receiver.end()
        self._client.delete(QUEUE)
        self._client.close()
        assert_allowed(self.recorder.finish())


def main():
    traffic = _Traffic(sys.argv[1])
    orders = open(0, "rb", buffering=0)  # what select says is then all there is
    print("ready", flush=True)
    is_running, wanted = False, None
    began = began_fresh = 0
    while True:
        if not is_running or select.select([orders], [], [], 0)[0]:
            order = orders.readline().decode().split()
            if not order:
                break
            if order[0] == "run":
                is_running, wanted = True, None
                traffic.is_connecting = len(order) == 1
                began, began_fresh = len(traffic.times), len(traffic.fresh)
            else:
                wanted = int(order[1])
        if is_running:
            traffic.round()
        if is_running and wanted is not None and len(traffic.times) - began >= wanted:
            is_running = False
            traffic.report(traffic.times[began:], traffic.fresh[began_fresh:])
    traffic.close()


if __name__ == "__main__":
    main()
