# SPDX-License-Identifier: Apache-2.0
"""What is in a Debian package of Sluice, and that it runs: package_check.py PACKAGE."""

import gzip
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGE = os.path.abspath(sys.argv.pop(1))
FILES = {
    "usr/bin/sluiced": 0o755, "usr/bin/sluice": 0o755,
    "lib/systemd/system/sluiced.service": 0o644, "etc/sluice/sluice.toml": 0o644,
    "usr/share/bash-completion/completions/sluice": 0o644,
    "usr/share/zsh/vendor-completions/_sluice": 0o644,
    "usr/share/fish/vendor_completions.d/sluice.fish": 0o644,
    "usr/share/man/man1/sluiced.1": 0o644, "usr/share/man/man1/sluice.1": 0o644,
    "usr/share/doc/sluice/copyright": 0o644,
}
SIZE_MAX = 16 << 20


def run(*words, **more):
    return subprocess.run(words, check=True, text=True, capture_output=True, timeout=120,
                          **more).stdout


class Package(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = os.path.join(cls.folder.name, "root")
        cls.control = os.path.join(cls.folder.name, "control")
        run("dpkg-deb", "-x", PACKAGE, cls.root)
        run("dpkg-deb", "-e", PACKAGE, cls.control)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def path(self, name):
        return os.path.join(self.root, name)

    def text(self, path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    def environment(self, **more):
        return {"PATH": f"{self.path('usr/bin')}:{os.environ['PATH']}", "HOME": self.folder.name,
                **more}

    def test_what_it_says_of_itself(self):
        fields = dict(re.findall(r"^([\w-]+): (.+)$", run("dpkg-deb", "-f", PACKAGE), re.MULTILINE))
        self.assertEqual(fields["Package"], "sluice")
        self.assertIn(fields["Version"], run(self.path("usr/bin/sluiced"), "--version"))
        self.assertEqual(fields["Architecture"], run("dpkg", "--print-architecture").strip())
        self.assertEqual(fields["Section"], "net")
        for library in ("libc6", "libgrpc++1.51", "libprotobuf32", "libstdc++6"):
            self.assertIn(library, fields["Depends"])
        self.assertNotIn("-dev", fields["Depends"])
        size = os.path.getsize(PACKAGE)
        print(f"{os.path.basename(PACKAGE)}: {size / (1 << 20):.1f} MiB, depends on "
              f"{fields['Depends']}")
        self.assertLess(size, SIZE_MAX)

    def test_what_is_in_it(self):
        found = {}
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = os.path.join(folder, name)
                found[os.path.relpath(path, self.root)] = os.lstat(path).st_mode & 0o7777
        self.assertEqual(found, FILES)
        listing = run("dpkg-deb", "-c", PACKAGE).splitlines()
        self.assertEqual({line.split()[1] for line in listing}, {"root/root"})

    def test_its_files_are_those_of_the_tree(self):
        for there, here in (("etc/sluice/sluice.toml", "deploy/sluice.toml"),
                            ("lib/systemd/system/sluiced.service",
                             "deploy/systemd/sluiced.service")):
            self.assertEqual(self.text(self.path(there)), self.text(os.path.join(ROOT, here)))

    def test_the_programs_are_stripped_and_find_no_library_by_a_path_of_their_own(self):
        for name in ("usr/bin/sluiced", "usr/bin/sluice"):
            sections = run("readelf", "-WSd", self.path(name))
            self.assertNotIn(".symtab", sections)
            self.assertNotRegex(sections, r"R(UN)?PATH")

    def test_the_scripts_start_nothing(self):
        self.assertEqual(self.text(os.path.join(self.control, "conffiles")),
                         "/etc/sluice/sluice.toml\n")
        self.assertEqual(set(os.listdir(self.control)),
                         {"control", "conffiles", "md5sums", "postinst", "prerm", "postrm"})
        for name in ("postinst", "prerm", "postrm"):
            path = os.path.join(self.control, name)
            self.assertEqual(os.stat(path).st_mode & 0o7777, 0o755)
            run("sh", "-n", path)
            self.assertNotRegex(self.text(path), r"\b(re)?start\b.*sluiced|rm |useradd|chown")
        # Where no systemd runs they do nothing, and say nothing.
        for name, word in (("postinst", "configure"), ("prerm", "upgrade"), ("postrm", "upgrade")):
            self.assertEqual(run("sh", os.path.join(self.control, name), word), "")

    def test_the_manual_and_the_completions_are_there(self):
        for name in ("sluiced", "sluice"):
            page = self.text(self.path(f"usr/share/man/man1/{name}.1"))
            self.assertTrue(page.startswith(f".TH {name.upper()} 1"))
            self.assertGreater(len(gzip.compress(page.encode())), 500)
        self.assertIn("drain\\-grace\\-ms", self.text(self.path("usr/share/man/man1/sluiced.1")))
        run("bash", "-n", self.path("usr/share/bash-completion/completions/sluice"))

    def test_the_daemon_runs_from_it(self):
        daemon = subprocess.Popen(
            ["sluiced", "--config", self.path("etc/sluice/sluice.toml"), "--listen", "127.0.0.1:0",
             "--http", "127.0.0.1:0"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=self.environment())
        self.addCleanup(lambda: (daemon.kill(), daemon.wait(), daemon.stdout.close()))
        port = int(re.search(r"port (\d+)", daemon.stdout.readline())[1])
        socket.create_connection(("127.0.0.1", port), 30).close()

        def sluice(*words, **more):
            return run("sluice", *words, env=self.environment(
                SLUICE_ADDRESS=f"127.0.0.1:{port}"), **more)
        self.assertEqual(sluice("healthcheck"), "SERVING\n")
        sluice("declare", "jobs", "--capacity", "3")
        sluice("send", "jobs", input="one\ntwo\n")
        self.assertEqual(sluice("receive", "jobs", "--count", "2"), "one\ntwo\n")
        daemon.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(60), 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
