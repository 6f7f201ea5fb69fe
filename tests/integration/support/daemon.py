# SPDX-License-Identifier: Apache-2.0
"""The daemon under test: SLUICED (a path), on a free port, ended by SIGTERM with exit 0."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

EXECUTABLE = os.environ["SLUICED"]
# "address,undefined", "thread", or empty: how the daemon under test was built.
SANITIZERS = os.environ.get("TEST_SANITIZERS", "")
START_BOUND = 60.0
STOP_BOUND = 60.0
REPORTS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:",
           "UndefinedBehaviorSanitizer")


def plain_environment():
    """Without settings of the daemon that happen to be in the environment of the tests."""
    return {key: value for key, value in os.environ.items()
            if not key.startswith("SLUICE_") and not key.startswith("GRPC_")}


def with_http(options):
    """Without an HTTP port unless one is asked for: tests that run at once would all want one."""
    return options if "--http" in options else ("--http", "off", *options)


@contextlib.contextmanager
def held_address():
    """Where one daemon after the other listens. Bound, and not listened on: nobody else is given
    the port between them, who connects then is refused, and a daemon may have it all the same."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{sock.getsockname()[1]}"


class Daemon:
    """Started when constructed; `address` serves. Ends with `stop`.

    Without an HTTP port, unless `--http` is among the options.
    """

    def __init__(self, *options, env=None, listen="127.0.0.1:0"):
        self._http_address = None
        self._errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [EXECUTABLE, "--listen", listen, *with_http(options)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=self._errors, text=True,
            env={**plain_environment(), **(env or {})})
        line = self.process.stdout.readline()
        match = re.search(r"port (\d+)$", line.strip())
        if not match:
            code, log = self.process.wait(START_BOUND), self.log()
            self.close_files()
            raise AssertionError(f"the daemon did not start: exit code {code}\n{log}")
        self.port = int(match[1])
        self.address = f"127.0.0.1:{self.port}"

    @property
    def http_address(self):
        """HOST:PORT that serves HTTP; asks for `--http`."""
        if self._http_address is None:
            line = self.process.stdout.readline()
            match = re.search(r" HTTP on (.*):\d+ port (\d+)$", line.strip())
            if not match:
                raise AssertionError(f"the daemon told no HTTP port: {line!r}\n{self.log()}")
            self._http_address = f"{match[1]}:{match[2]}"
        return self._http_address

    @property
    def pid(self):
        return self.process.pid

    @property
    def is_running(self):
        return self.process.poll() is None

    def log(self):
        """What it has written to stderr so far: its log, and sanitizers' reports."""
        errors = self._errors.fileno()  # read by place: the daemon writes on where a read ends
        return os.pread(errors, os.fstat(errors).st_size, 0).decode("utf-8", "replace")

    def rss_bytes(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) * 1024

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self, bound=STOP_BOUND):
        """Waits for the end after a signal or Drain; checks exit 0 and that no sanitizer spoke."""
        try:
            code = self.process.wait(bound)
        except subprocess.TimeoutExpired:
            log = self.log()
            self.kill()
            raise AssertionError(f"the daemon was still there {bound} s after it was told to end\n"
                                 + log) from None
        log = self.log()
        self.close_files()
        reports = [report for report in REPORTS if report in log]
        if code != 0 or reports:
            raise AssertionError(f"the daemon ended with {code}, reports {reports}\n{log}")
        return log

    def stop(self):
        """SIGTERM, and everything that must hold at the end. Returns the seconds it took."""
        began = time.monotonic()
        if not self.is_running:
            raise AssertionError(f"the daemon has died: {self.process.returncode}\n{self.log()}")
        self.terminate()
        self.wait()
        return time.monotonic() - began

    def kill(self):
        """For clean-up after a failure, and where it is to die."""
        if self.is_running:
            self.process.kill()
            self.process.wait()
            self.close_files()

    def close_files(self):
        self.process.stdout.close()
        self._errors.close()


def run_to_end(*options, env=None):
    """Runs the daemon where it is expected to end by itself: exit code, stdout, stderr."""
    done = subprocess.run([EXECUTABLE, *with_http(options)], stdin=subprocess.DEVNULL, text=True,
                          check=False, capture_output=True, timeout=START_BOUND,
                          env={**plain_environment(), **(env or {})})
    return done.returncode, done.stdout, done.stderr
