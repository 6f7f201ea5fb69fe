# SPDX-License-Identifier: Apache-2.0
"""The process with the ends of the C++ client (TORTURE_ENDS), which work on all four kinds and
judge what they are told; and what a daemon must hold nothing of once they are gone."""

import os
import subprocess

from support.client import Client
from support.eventually import eventually

LEAKS = ("streams", "sessions", "subscribers", "publishers", "workers", "watchers", "producers",
         "consumers", "in_flight", "calls_in_flight", "queued_calls")


class Ends:
    """The process with the ends, and what it answers."""

    def __init__(self, address):
        self.process = subprocess.Popen([os.environ["TORTURE_ENDS"], address], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.expect("ready")

    def expect(self, word):
        line = self.process.stdout.readline().strip()
        if line != word:
            raise AssertionError(f"the ends answer {line!r}, not {word!r}:\n" +
                                 self.process.stdout.read())

    def order(self, text, answer):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        self.expect(answer)

    def stop(self):
        """What was done, for people."""
        told, _ = self.process.communicate("stop\n", timeout=300)
        if self.process.returncode != 0:
            raise AssertionError(f"exit code {self.process.returncode}:\n{told}")
        return told.removesuffix("stopped\n")

    def kill(self):
        self.process.kill()
        self.process.wait()


def expect_nothing_left(address, what):
    client = Client(address)

    def left():
        live = client.info().live
        return {name: getattr(live, name) for name in LEAKS if getattr(live, name)}
    eventually(lambda: not left(), what=f"a daemon that holds nothing after {what}")
    client.close()
