# SPDX-License-Identifier: Apache-2.0
"""The unit, as systemd's own tools see it, and against the daemon that it starts."""

import configparser
import os
import re
import subprocess
import tempfile
import unittest

import files
from support.daemon import EXECUTABLE

UNIT = "systemd/sluiced.service"
EXPOSURE_MAX = 2.0


def analyze(*arguments):
    done = subprocess.run(["systemd-analyze", *arguments], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                          env={**os.environ, "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""})
    return done.returncode, done.stdout


class Systemd(unittest.TestCase):

    def setUp(self):
        self.unit = configparser.RawConfigParser(strict=False)
        self.unit.optionxform = str
        self.unit.read_string(files.read(UNIT))
        self.service = self.unit["Service"]

    def with_this_daemon(self):
        """The unit with the daemon under test: systemd looks whether it is there."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "sluiced.service")
        with open(path, "w", encoding="utf-8") as file:
            file.write(files.read(UNIT).replace("/usr/bin/sluiced", EXECUTABLE))
        return path

    def test_systemd_finds_nothing_wrong(self):
        code, said = analyze("verify", "--man=no", "--recursive-errors=no",
                             self.with_this_daemon())
        self.assertEqual((code, said.strip()), (0, ""), said)

    def test_it_is_exposed_to_little(self):
        code, said = analyze("security", "--offline=true", f"--threshold={EXPOSURE_MAX * 10:.0f}",
                             self.with_this_daemon())
        self.assertEqual(code, 0, said)
        exposure = float(re.search(r"exposure level for .*: ([\d.]+)", said)[1])
        print(f"systemd-analyze security: exposure {exposure} of 10")
        self.assertLess(exposure, EXPOSURE_MAX)

    def test_what_it_starts_is_there(self):
        program, *arguments = self.service["ExecStart"].split()
        self.assertEqual(program, "/usr/bin/sluiced")
        self.assertEqual(arguments, ["--config", "/etc/sluice/sluice.toml"])
        self.assertLessEqual({"--config"}, files.flags())
        self.assertIsNone(files.refused_arguments(["--config", files.path_of("sluice.toml")]))

    def test_it_stops_later_than_the_daemon_allows_itself(self):
        printed = files.run_well("--print-config")
        delay, grace = (int(re.search(rf"drain-{name}-ms = (\d+)", printed)[1])
                        for name in ("delay", "grace"))
        self.assertGreater(int(self.service["TimeoutStopSec"]), (delay + grace) / 1000 + 12)
        # Three rounds, and one in which it is not fed any more.
        interval = int(re.search(r"probe-interval-ms = (\d+)", printed)[1])
        self.assertGreaterEqual(int(self.service["WatchdogSec"]) * 1000, 4 * interval)
        self.assertEqual(self.service["Type"], "notify")

    def test_it_is_started_again_without_end(self):
        self.assertEqual(self.service["Restart"], "on-failure")
        self.assertEqual(self.service["RestartPreventExitStatus"], "2")
        # An address may be in use for longer than any count of starts lasts.
        self.assertEqual(self.unit["Unit"]["StartLimitIntervalSec"], "0")
        self.assertNotIn("StartLimitBurst", self.unit["Unit"])
        manual = files.read("../docs/operations.md")
        self.assertIn(f"systemd tries again every {self.service['RestartSec']} s, without end",
                      manual)

    def test_it_sees_the_memory_of_the_machine(self):
        """/proc/meminfo and /proc/stat: without the first there were no memory budget."""
        self.assertEqual(self.service["ProtectProc"], "invisible")
        self.assertEqual(self.service.get("ProcSubset", "all"), "all")


if __name__ == "__main__":
    unittest.main()
