# SPDX-License-Identifier: Apache-2.0
"""The runner's side of a party of the steady load: its process, and what that tells."""

import json
import subprocess
import threading
import time

from support.eventually import eventually
from verdict import fresh

START_BOUND = 180.0
# Of all that it has sent, and then of its process.
FINISH_S, EXIT_S = 180.0, 60.0


class Load:
    """`command` is a process that tells an object of each second, as load.py does."""

    def __init__(self, kind, command):
        self.kind, self.last = kind, None
        self._told, self._told_at = None, None
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with self._process.stdout as lines:
            for line in lines:
                told = json.loads(line)
                if "end" in told:
                    self.last = told
                else:
                    self._told_at = time.monotonic()  # before it: who sees the one has the other
                    self._told = told

    def wait_going(self):
        # Not by the process: its last line may be read after it has gone.
        eventually(lambda: self._told or not self._reader.is_alive(), START_BOUND,
                   f"the load of {self.kind}")

    def seen(self):
        """What it did in the second that it told last; nothing, when it tells nothing any more."""
        told = self._told
        return fresh(told, time.monotonic() - self._told_at if told else None)

    def is_running(self):
        return self._process.poll() is None

    def kill(self):
        """For clean-up after a failure only."""
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()

    def finish(self, finish_s=FINISH_S, exit_s=EXIT_S):
        """Ends it when all it has sent is done: what was wrong, sentences. It is gone then."""
        if self.is_running():
            self._process.stdin.close()
        self._reader.join(finish_s)
        try:
            code = self._process.wait(exit_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return [f"the load of {self.kind} did not end when it was told to"]
        if self.last is None or code != 0:
            return [f"the load of {self.kind} ended with {code}, and told no end"]
        return [f"{self.kind}: {fault}" for fault in self.last["faults"]]
