# SPDX-License-Identifier: Apache-2.0
"""What a daemon says that has too little to begin with: one sentence, and exit code 1."""

import resource
import subprocess
import tempfile
import unittest

from support.daemon import EXECUTABLE, REPORTS, START_BOUND

# With so many it begins.
ENOUGH = 60


class NoStart(unittest.TestCase):

    def test_without_descriptors(self):
        """Whichever of them is the first that is not there."""
        refused = 0
        for files in range(4, ENOUGH):
            with self.subTest(files=files), tempfile.TemporaryFile("w+") as errors:
                daemon = subprocess.Popen(
                    [EXECUTABLE, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"],
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True,
                    preexec_fn=lambda most=files: resource.setrlimit(resource.RLIMIT_NOFILE,
                                                                     (most, most)))
                with daemon:
                    is_serving = daemon.stdout.readline() != ""
                    if is_serving:
                        daemon.terminate()
                    code = daemon.wait(START_BOUND)
                errors.seek(0)
                said = errors.read()
                self.assertEqual([report for report in REPORTS if report in said], [])
                self.assertEqual(code, 0 if is_serving else 1, said)
                if not is_serving:
                    refused += 1
                    self.assertEqual(sum(1 for line in said.splitlines()
                                         if line.startswith("sluiced: ")), 1, said)
        self.assertGreater(refused, 5)


if __name__ == "__main__":
    unittest.main()
