# SPDX-License-Identifier: Apache-2.0
"""One party of the steady load, as a process: load.py KIND ADDRESS RATE. Each second it tells what
was done, one JSON object a line; the end of stdin ends it, and the last line says "end"."""

import json
import os
import select
import subprocess
import sys
import threading
import time

import grpc
from parties import PARTIES
from support.client import Client
from support.eventually import eventually

START_BOUND = 180.0
HERE = os.path.dirname(os.path.abspath(__file__))


class Load:
    """The runner's side: `told` has the objects of the second that was last told."""

    def __init__(self, kind, address, rate):
        self.kind, self.told, self.last = kind, None, None
        self._process = subprocess.Popen(
            [sys.executable, "-B", os.path.join(HERE, "load.py"), kind, address, str(rate)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            told = json.loads(line)
            if "end" in told:
                self.last = told
            else:
                self.told = told

    def wait_going(self):
        eventually(lambda: self.told or not self.is_running(), START_BOUND,
                   f"the load of {self.kind}")

    def is_running(self):
        return self._process.poll() is None

    def kill(self):
        """For clean-up after a failure only."""
        self._process.kill()
        self._process.wait()

    def finish(self):
        """Ends it when all it has sent is done: what was wrong, sentences."""
        if self.is_running():
            self._process.stdin.close()
        self._reader.join(180)
        code = self._process.wait(60)
        if self.last is None or code != 0:
            return [f"the load of {self.kind} ended with {code}, and told no end"]
        return [f"{self.kind}: {fault}" for fault in self.last["faults"]]


def percentile(seconds, share):
    return 1000 * seconds[min(len(seconds) - 1, int(len(seconds) * share))] if seconds else None


def tell(party):
    seconds = party.report()
    print(json.dumps({"done": len(seconds), "p50_ms": percentile(seconds, 0.5),
                      "p99_ms": percentile(seconds, 0.99), "max_ms": percentile(seconds, 1.0)}),
          flush=True)


def main():
    kind, address, rate = sys.argv[1], sys.argv[2], float(sys.argv[3])
    party_type, frames = PARTIES[kind]
    clients = [Client(address), Client(address)]
    party = party_type(clients)
    interval = 1 / (frames * rate)
    due = told = time.monotonic()
    while True:
        wait = due - time.monotonic()
        if select.select([0], [], [], max(0.0, wait))[0]:
            break
        if time.monotonic() < due:
            continue
        try:
            party.send(due)  # however late: what was due is measured from then
        except grpc.RpcError as failure:
            party.expect(False, f"a call failed: {failure.code()} {failure.details()}")
        due += interval
        if due - told >= 1:
            told += 1
            tell(party)
    try:
        party.finish()
    except AssertionError as failure:
        party.expect(False, str(failure))
    tell(party)
    print(json.dumps({"end": True, "sent": party.sent, "faults": party.faults}), flush=True)
    for stream in party.streams():
        stream.cancel()
        stream.end()
    for client in clients:
        client.close()


if __name__ == "__main__":
    main()
