# SPDX-License-Identifier: Apache-2.0
"""The story of ./dev run, told to a daemon of its own."""

import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

from support.daemon import Daemon


class Story(unittest.TestCase):

    # Clauses: N2 N15 N18
    def test_every_line_is_processed(self):
        daemon = Daemon()
        self.addCleanup(daemon.kill)
        done = subprocess.run([os.path.join(HERE, "run"), daemon.address], timeout=300, check=False)
        self.assertEqual(done.returncode, 0)
        daemon.stop()


if __name__ == "__main__":
    unittest.main()
