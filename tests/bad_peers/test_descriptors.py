# SPDX-License-Identifier: Apache-2.0
"""No descriptors left, and no port: a daemon that cannot accept comes back, one that cannot listen
does not start."""

import os
import resource
import unittest

from attack_case import AttackCase
from http2 import abort, connect
from support.daemon import run_to_end
from support.eventually import eventually

# Beside those that the daemon has open when the attack begins.
SPARE = 40
MANY = 400


class Descriptors(AttackCase):

    def test_descriptors_run_out_and_come_back(self):
        """Who is connected is served meanwhile; who comes after it is, too (CVE-2023-4785)."""
        descriptors = f"/proc/{self.daemon.pid}/fd"
        most = max(map(int, os.listdir(descriptors))) + 1 + SPARE
        resource.prlimit(self.daemon.pid, resource.RLIMIT_NOFILE, (most, most))
        for _ in range(3):
            with self.attack(is_connecting=False):
                taken = [connect(self.daemon.port) for _ in range(MANY)]
                try:
                    eventually(lambda: len(os.listdir(descriptors)) >= most - 5,
                               what="the last descriptor")
                    print(f"\n  {len(os.listdir(descriptors))} of {most} descriptors", end="")
                finally:
                    for sock in taken:
                        abort(sock)


class SecondDaemon(AttackCase):

    def test_a_second_daemon_on_the_same_port(self):
        with self.attack():
            for _ in range(3):
                code, out, errors = run_to_end("--listen", self.daemon.address)
                self.assertEqual((code, out), (1, ""))
                said = [line for line in errors.splitlines() if line.startswith("sluiced: ")]
                self.assertEqual(len(said), 1, errors)
                self.assertIn(self.daemon.address, said[0])


if __name__ == "__main__":
    unittest.main()
