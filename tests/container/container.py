# SPDX-License-Identifier: Apache-2.0
"""Containers of the image under test (IMAGE), as an operator would run them: no capabilities, a
read-only root, ports published on loopback. DOCKER names the command of the engine."""

import atexit
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request

from support.eventually import eventually

DOCKER = os.environ["DOCKER"]
IMAGE = os.environ["IMAGE"]
SLUICE = os.environ["SLUICE"]
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GRPC_PORT, HTTP_PORT = 7400, 7401
HARDENED = ("--read-only", "--cap-drop=ALL", "--security-opt", "no-new-privileges")
# What docker stop waits before it kills, unless told otherwise.
STOP_SECONDS = 10
_networks = []


def docker(*arguments, check=True):
    """What it printed, both streams; fails with that."""
    done = subprocess.run([DOCKER, *arguments], text=True, check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if check and done.returncode != 0:
        raise AssertionError(f"docker {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}")
    return done.stdout.strip()


def inspect(name, template):
    return json.loads(docker("inspect", "-f", "{{json " + template + "}}", name))


def in_image(*command):
    """What a command of the image prints, in a container of its own without a network."""
    return docker("run", "--rm", *HARDENED, "--network", "none", "--entrypoint", command[0], IMAGE,
                  *command[1:])


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def network():
    """One for all tests, since the engine may have no default one; names resolve on it."""
    if not _networks:
        name = f"sluice-test-{os.getpid()}"
        docker("network", "create", name)
        _networks.append(name)
        atexit.register(docker, "network", "rm", name, check=False)
    return _networks[0]


def http_get(port, path):
    """Status and body; 0 and the error when nobody answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=10) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


def sluice(address, *arguments, text=None):
    """The command of this machine, at a daemon: what it printed. Exit code 0 is expected."""
    done = subprocess.run([SLUICE, "--address", address, "--timeout", "60", *arguments],
                          input=text, text=True, check=False, capture_output=True, timeout=120)
    if done.returncode != 0:
        raise AssertionError(f"sluice {' '.join(arguments)}: exit {done.returncode}\n"
                             f"{done.stdout}{done.stderr}")
    return done.stdout


class Container:
    """Runs when constructed and is ready; what a DaemonCase expects of a daemon, too. Ends with
    `stop`. Ports stay the same over a restart. Options go behind the image's own arguments."""

    def __init__(self, *options):
        self.port, self.http_port = free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.name = f"sluice-{os.getpid()}-{self.port}"
        command = inspect(IMAGE, ".Config.Cmd") + list(options)
        began = time.monotonic()
        docker("run", "-d", "--name", self.name, "--network", network(), *HARDENED,
               "-p", f"127.0.0.1:{self.port}:{GRPC_PORT}",
               "-p", f"127.0.0.1:{self.http_port}:{HTTP_PORT}", IMAGE, *command)
        self.seconds_to_run = time.monotonic() - began
        self.wait_ready()
        self.seconds_to_ready = time.monotonic() - began

    @property
    def pid(self):
        """Of the daemon, as this machine sees it."""
        return inspect(self.name, ".State.Pid")

    def wait_ready(self):
        def ready():
            if not inspect(self.name, ".State.Running"):
                raise AssertionError(f"the container ended by itself:\n{self.log()}")
            return subprocess.run([SLUICE, "--address", self.address, "--timeout", "2",
                                   "healthcheck"], capture_output=True, check=False).returncode == 0
        eventually(ready, bound=60.0, what=f"a daemon that serves in {self.name}")

    def wait_healthy(self):
        """By the image's own HEALTHCHECK: the seconds it took."""
        began = time.monotonic()
        eventually(lambda: inspect(self.name, ".State.Health.Status") == "healthy", bound=90.0,
                   what=f"a healthy {self.name}: {inspect(self.name, '.State.Health')}")
        return time.monotonic() - began

    def get(self, path):
        return http_get(self.http_port, path)

    def log(self):
        return docker("logs", self.name)

    def end(self):
        """Exit code 0: docker, which kills after STOP_SECONDS, did not have to. Returns seconds."""
        began = time.monotonic()
        docker("stop", "-t", str(STOP_SECONDS), self.name)
        seconds = time.monotonic() - began
        code = inspect(self.name, ".State.ExitCode")
        if code != 0 or seconds >= STOP_SECONDS:
            raise AssertionError(f"exit code {code} {seconds:.1f} s after docker stop\n"
                                 f"{self.log()}")
        return seconds

    def restart(self):
        """As docker restart, of which nobody is told how the daemon ended. Seconds to its end."""
        seconds = self.end()
        docker("start", self.name)
        self.wait_ready()
        return seconds

    def stop(self):
        """Ends and removes it. Returns the seconds to its end."""
        seconds = self.end()
        self.remove()
        return seconds

    def remove(self):
        docker("rm", "-f", self.name, check=False)
