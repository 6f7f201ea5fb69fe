# SPDX-License-Identifier: Apache-2.0
"""What the image is: who it runs as, what it carries and under which licences, how it begins and
how it ends."""

import os
import re
import signal
import subprocess
import sys
import unittest

from container import DOCKER, HARDENED, IMAGE, STOP_SECONDS, Container, docker, in_image, inspect
from support.client import Client
from support.eventually import eventually

DOC = "/usr/share/doc/sluice"
MEGABYTES_MAX = 160
HOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "holder.py")
# More than the windows and the sockets between the daemon and a client take.
MEGABYTES_UNREAD = 50


def files_under(folder):
    return set(in_image("/usr/bin/find", folder, "-type", "f", "-printf", "%P\\n").split())


class Image(unittest.TestCase):

    def test_declares_how_it_is_run(self):
        config = inspect(IMAGE, ".Config")
        self.assertEqual((config["User"], config["StopSignal"], config["Entrypoint"]),
                         ("65532:65532", "SIGTERM", ["/usr/bin/sluiced"]))
        self.assertEqual(set(config["ExposedPorts"]), {"7400/tcp", "7401/tcp"})
        self.assertEqual(config["Healthcheck"]["Test"][:2], ["CMD", "/usr/bin/sluice"])

    def test_labels(self):
        labels = inspect(IMAGE, ".Config.Labels")
        version = in_image("/usr/bin/sluiced", "--version").split()[-1]
        self.assertEqual(labels["org.opencontainers.image.version"], version)
        self.assertEqual(labels["org.opencontainers.image.licenses"], "Apache-2.0")
        for name in ("title", "description", "revision", "base.name"):
            self.assertTrue(labels["org.opencontainers.image." + name], name)

    def test_is_small(self):
        megabytes = inspect(IMAGE, ".Size") / 1e6
        print(f"\nsize: {megabytes:.0f} MB")
        self.assertLess(megabytes, MEGABYTES_MAX)

    def test_says_which_packages_it_has(self):
        listed = in_image("/usr/bin/cat", f"{DOC}/packages.txt").splitlines()
        self.assertEqual(listed, sorted(listed))
        there = in_image("/usr/bin/dpkg-query", "-W", "-f", "${binary:Package} ${Version}\\n")
        self.assertEqual(set(listed), set(there.splitlines()))
        names = {line.split()[0].split(":")[0] for line in listed}
        self.assertFalse({name for name in names if name.endswith("-dev")}, "nothing of a compiler")
        self.assertFalse(names & {"gcc", "g++", "cmake", "ccache", "git"})

    def test_has_the_licence_of_everything(self):
        names = in_image("/usr/bin/dpkg-query", "-W", "-f", "${Package}\\n").split()
        # Some are symbolic links to the folder of another package.
        there = in_image("/usr/bin/find", "-L", "/usr/share/doc", "-maxdepth", "2", "-name",
                         "copyright", "-printf", "%h\\n").split()
        there = {path.rsplit("/", 1)[1] for path in there}
        self.assertFalse(set(names) - there)
        ours = files_under(DOC)
        self.assertIn("LICENSE", ours)
        for package in ("libcli11-dev", "nlohmann-json3-dev", "libgrpc++-dev"):
            self.assertIn(f"compiled-in/{package}/copyright", ours)

    def test_begins_quickly_and_ends_in_good_order(self):
        container = Container()
        self.addCleanup(container.remove)
        with open(f"/proc/{container.pid}/status", encoding="ascii") as file:
            status = dict(line.split(":\t", 1) for line in file)
        self.assertEqual(status["Uid"].split(), ["65532"] * 4)
        self.assertEqual(int(status["CapEff"], 16), 0)
        self.assertEqual(status["NoNewPrivs"].strip(), "1")
        healthy = container.wait_healthy()
        stopped = container.stop()
        print(f"\ndocker run {container.seconds_to_run:.2f} s, serves after "
              f"{container.seconds_to_ready:.2f} s, healthy {healthy:.1f} s later, "
              f"stopped in {stopped:.2f} s")

    def test_ends_in_time_though_somebody_holds_messages(self):
        """The grace is spent on a consumer that does not settle, and docker need not kill."""
        container = Container()
        self.addCleanup(container.remove)
        client = Client(container.address)
        self.addCleanup(client.close)
        client.declare("held")
        client.send("held", "one")
        held = client.receiver("held", credit=1)
        held.wait_messages(1)
        container.stop()

    def test_ends_in_time_though_a_client_is_frozen(self):
        """It holds what it does not settle, and reads nothing of what else it is sent."""
        container = Container()
        self.addCleanup(container.remove)
        client = Client(container.address)
        self.addCleanup(client.close)
        client.declare("frozen", capacity=1000, bytes_max=64 << 20)
        client.send("frozen", "one")
        consumer = subprocess.Popen([sys.executable, "-B", HOLDER, container.address, "frozen"],
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (consumer.kill(), consumer.wait(), consumer.stdout.close()))
        self.assertEqual(consumer.stdout.readline(), "holds\n")
        consumer.send_signal(signal.SIGSTOP)
        for _ in range(MEGABYTES_UNREAD):
            client.send("frozen", b"x" * 1_000_000)
        eventually(lambda: re.search("^sluice_streams_stalled 1$", container.get("/metrics")[1],
                                     re.MULTILINE),
                   bound=60.0, what="a stream that is not read")
        self.assertGreater(client.describe("frozen").in_flight, 1)
        print(f"\nstopped in {container.stop():.2f} s with a frozen consumer")

    def test_runs_without_a_shell(self):
        """With every shell of the image covered by a directory nothing can be run by one."""
        name = "sluice-shellless"
        docker("run", "-d", "--name", name, *HARDENED, "--network", "none",
               "--mount", "type=bind,source=/dev/null,target=/usr/bin/dash",
               "--mount", "type=bind,source=/dev/null,target=/usr/bin/bash", IMAGE)
        self.addCleanup(docker, "rm", "-f", name, check=False)
        eventually(lambda: inspect(name, ".State.Health.Status") == "healthy", bound=90.0,
                   what="a healthy container without a shell")
        run = subprocess.run([DOCKER, "exec", name, "/bin/sh", "-c", "true"], check=False,
                             capture_output=True)
        self.assertNotEqual(run.returncode, 0)
        docker("stop", "-t", str(STOP_SECONDS), name)
        self.assertEqual(inspect(name, ".State.ExitCode"), 0)

    def test_refuses_to_listen_beyond_loopback_unasked(self):
        told = docker("run", "--rm", *HARDENED, "--network", "none", IMAGE, "--listen",
                      "0.0.0.0:7400", check=False)
        self.assertIn("insecure-bind", told)


if __name__ == "__main__":
    unittest.main()
