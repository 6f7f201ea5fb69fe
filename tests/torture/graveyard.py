# SPDX-License-Identifier: Apache-2.0
"""Where clients are born to die: victims.py in a process of its own, told what to make."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading

from support.eventually import BOUND

HERE = os.path.dirname(os.path.abspath(__file__))


class Graveyard:
    """Makes victims, and waits for their deaths."""

    def __init__(self, address):
        self._address = address
        self._process = subprocess.Popen(
            [sys.executable, "-B", os.path.join(HERE, "victims.py")], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._told = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self._process.stdout:
            self._told.put(json.loads(line))

    def run(self, orders, at_once):
        """All orders (kind, seed, signal), some at once, to their end: the pids of the frozen."""
        waiting, alive, frozen = list(orders), 0, []
        while waiting or alive:
            while waiting and alive < at_once:
                kind, seed, how = waiting.pop()
                self._process.stdin.write(json.dumps(
                    {"kind": kind, "seed": seed, "signal": how, "address": self._address}) + "\n")
                self._process.stdin.flush()
                alive += 1
            told = self._told.get(timeout=BOUND * 2)
            if told["state"] == "frozen":
                frozen.append(told["pid"])
            elif told["state"] not in ("born", "dead"):
                raise AssertionError(f"a victim {told['state']}")
            alive -= told["state"] != "born"
        return frozen

    def bury(self, frozen):
        for pid in frozen:
            os.kill(pid, signal.SIGKILL)
        for _ in frozen:
            self._told.get(timeout=BOUND)

    def close(self):
        self._process.stdin.close()
        self._process.wait(BOUND)
