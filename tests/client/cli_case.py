# SPDX-License-Identifier: Apache-2.0
"""The `sluice` command against a real daemon: how a test runs it, and what it checks each time."""

import json
import os
import subprocess
import time
import unittest

from support.daemon import Daemon, plain_environment

EXECUTABLE = os.environ["SLUICE"]
BOUND_S = 60
DONE, REFUSED, USAGE, UNREACHABLE, NOT_FOUND, FAULT = range(6)
INTERRUPTED = 130


class CliCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon("--drain-grace-ms", "1000")

    @classmethod
    def tearDownClass(cls):
        cls.daemon.stop()

    def setUp(self):
        self.queue = self.name = self._testMethodName

    def sluice(self, *words, stdin="", code=DONE, address=None):
        """Runs the command, checks its exit code: its stdout."""
        environment = self.environment(address)
        done = subprocess.run([EXECUTABLE, *words], input=stdin, env=environment, text=True,
                              check=False, capture_output=True, timeout=BOUND_S)
        self.assertEqual(done.returncode, code, f"{words}\n{done.stdout}\n{done.stderr}")
        self.error = done.stderr
        # What went wrong is one line, and there is none when nothing did.
        self.assertEqual(done.stderr.count("\n"), 0 if code == DONE else 1, done.stderr)
        return done.stdout

    def environment(self, address=None):
        return {**plain_environment(), "SLUICE_ADDRESS": address or self.daemon.address,
                "SLUICE_TIMEOUT": str(BOUND_S)}  # A machine may be busy: no test waits for it.

    def rows(self, *words, **more):
        lines = self.sluice(*words, "--json", **more).splitlines()
        return [json.loads(line) for line in lines]

    def declare(self, *options):
        self.sluice("declare", self.queue, *options)

    def start(self, *words):
        environment = self.environment()
        process = subprocess.Popen([EXECUTABLE, *words], stdin=subprocess.PIPE, env=environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    @staticmethod
    def events(process, *kinds):
        """The next events of these kinds of a process that was started with --json."""
        found = []
        for kind in kinds:
            while not found or found[-1].get("event") != kind:
                line = process.stdout.readline()
                if not line:
                    raise AssertionError(f"no {kind}: {process.stderr.read()}")
                found.append(json.loads(line))
        return [row for row in found if row.get("event") in kinds]

    def until(self, what, holds):
        """Asks until it holds; the bound is for the case that it never does."""
        deadline = time.monotonic() + BOUND_S
        while not holds():
            self.assertLess(time.monotonic(), deadline, f"never: {what}")
