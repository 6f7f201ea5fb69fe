# SPDX-License-Identifier: Apache-2.0
"""What the Dockerfile takes of deploy/packages.txt: sections, by words of their comments."""

import re
import subprocess
import unittest

import files


class Image(unittest.TestCase):

    def test_it_is_built_with_what_is_compiled_in_and_with_no_tools_of_the_tests(self):
        [program] = re.findall(r"awk '([^']+)' /packages.txt", files.read("../Dockerfile"))
        taken = subprocess.run(["awk", program, files.path_of("packages.txt")], text=True,
                               check=True, capture_output=True).stdout.split()
        self.assertIn("libgrpc++-dev", taken)
        self.assertIn("libboost1.81-dev", taken)
        self.assertEqual([name for name in taken if not name.endswith("-dev")],
                         ["protobuf-compiler", "protobuf-compiler-grpc"])

    def test_the_script_that_gathers_its_files_is_one(self):
        for name in ("image/gather.sh", "grpc/build.sh"):
            subprocess.run(["sh", "-n", files.path_of(name)], check=True)


if __name__ == "__main__":
    unittest.main()
