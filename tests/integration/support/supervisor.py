# SPDX-License-Identifier: Apache-2.0
"""Who started the daemon and listens to it (sd_notify), and what it can do to its threads."""

import ctypes
import os
import socket
import tempfile
import time

from .eventually import BOUND

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17


class Supervisor:
    """A socket as systemd has it; `env` is for the daemon. What came is in `lines`."""

    def __init__(self, watchdog_s=0.0, is_abstract=False):
        self._folder = tempfile.TemporaryDirectory()
        name = f"sluice-test-{os.getpid()}-{id(self)}"
        address = "\0" + name if is_abstract else os.path.join(self._folder.name, "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self.env = {"NOTIFY_SOCKET": address.replace("\0", "@")}
        if watchdog_s:
            self.env["WATCHDOG_USEC"] = str(int(watchdog_s * 1_000_000))
        self.lines = []

    def close(self):
        self._socket.close()
        self._folder.cleanup()

    def wait_for(self, start):
        """The next line that starts so, and comes from now on."""
        deadline = time.monotonic() + BOUND  # of all: other lines may come for ever
        while True:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            came = self._socket.recv(4096).decode().split("\n")
            self.lines += came
            for line in came:
                if line.startswith(start):
                    return line

    def forget(self):
        """Until now; what is on its way is read, too."""
        self._socket.setblocking(False)
        try:
            while True:
                self._socket.recv(4096)
        except BlockingIOError:
            pass
        self.lines = []


def threads(pid, name):
    """The daemon's threads of that name, the eldest first."""
    folder = f"/proc/{pid}/task"
    found = []
    for thread in os.listdir(folder):
        with open(f"{folder}/{thread}/comm", encoding="ascii") as comm:
            if comm.read().strip() == name:
                found.append(int(thread))
    return sorted(found)


class Frozen:
    """One thread of the daemon stands still, and no other, until `thaw`. By one Python thread."""

    def __init__(self, thread):
        self._thread = thread
        self._ptrace(PTRACE_SEIZE)
        self._ptrace(PTRACE_INTERRUPT)
        os.waitpid(thread, 0x40000000)  # __WALL: it has stopped
        self.is_frozen = True

    def thaw(self):
        if self.is_frozen:
            self.is_frozen = False
            self._ptrace(PTRACE_DETACH)

    def _ptrace(self, what):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        libc.ptrace.restype = ctypes.c_long
        if libc.ptrace(what, self._thread, None, None) != 0:
            error = ctypes.get_errno()
            raise OSError(error, f"ptrace: {os.strerror(error)}")
