# SPDX-License-Identifier: Apache-2.0
"""The README's `console` blocks, run as a newcomer would paste them: each command prints what
stands under it. In what stands there … is anything, and white space is one blank."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))

from support.daemon import Daemon

COMMAND = os.environ["SLUICE"]
BOUND = 240
# A newcomer's `sleep 1` stands for "until the one in the background is there". Here that is waited
# for: on a slow machine a second says nothing. One of before may still be counted, so that it is a
# count that was not there at the last look.
PRELUDE = r"""
seen=
sleep() {
  local tries=0 before
  while true; do
    before=$seen
    seen=$(sluice --json info | grep -Eo '"(subscribers|watchers)":[1-9]')
    [ -z "$(grep -vxF "${before:-none}" <<<"$seen")" ] || return 0
    tries=$((tries + 1)); [ $tries -lt 600 ] || { echo "nobody came"; return 1; }
    command sleep 0.1
  done
}
"""


def blocks():
    """Of each block: (command, lines it prints)."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as readme:
        for block in re.findall(r"```console\n(.*?)```", readme.read(), re.DOTALL):
            steps = []
            for line in block.splitlines():
                if line.startswith("$ "):
                    steps.append((line[2:], []))
                else:
                    steps[-1][1].append(line)
            yield steps


def matches(expected, printed):
    pattern = ".*".join(re.escape(part) for part in " ".join(expected.split()).split("…"))
    return re.fullmatch(pattern, " ".join(printed.split()))


class Readme(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon()

    @classmethod
    def tearDownClass(cls):
        cls.daemon.stop()

    def test_every_kind_is_shown(self):
        text = " ".join(command for block in blocks() for command, _ in block)
        for verb in ("send", "receive", "call", "serve", "publish", "subscribe", "set", "watch"):
            self.assertIn(f"sluice {verb} ", text)

    def test_commands_print_what_the_readme_says(self):
        steps = [step for block in blocks() for step in block]
        with tempfile.TemporaryDirectory() as folder:
            script = PRELUDE
            for number, (command, _) in enumerate(steps):
                # No subshell: jobs, and what is set, are those of the one shell.
                script += f"{{ {command}\n}} >{folder}/{number}.out 2>&1\n"
            done = subprocess.run(
                ["bash", "-c", script], cwd=folder, timeout=BOUND, check=False, text=True,
                capture_output=True,
                env={**os.environ, "SLUICE_ADDRESS": self.daemon.address,
                     "PATH": os.path.dirname(COMMAND) + os.pathsep + os.environ["PATH"]})
            for number, (command, expected) in enumerate(steps):
                with open(f"{folder}/{number}.out", encoding="utf-8") as out:
                    printed = out.read().splitlines()
                with self.subTest(command=command):
                    self.assertEqual(len(printed), len(expected), (printed, done.stderr))
                    for want, got in zip(expected, printed):
                        self.assertTrue(matches(want, got), f"{got!r} is not {want!r}")


if __name__ == "__main__":
    unittest.main()
