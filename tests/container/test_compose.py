# SPDX-License-Identifier: Apache-2.0
"""deploy/compose.yml: comes up healthy, Prometheus scrapes the daemon, both end in good order."""

import json
import os
import resource
import shutil
import subprocess
import unittest
import urllib.parse

from container import IMAGE, ROOT, docker, free_port, http_get, inspect, sluice
from support.eventually import eventually

FILE = os.path.join(ROOT, "deploy", "compose.yml")
COMPOSE = (["docker-compose"] if shutil.which("docker-compose")
           else [os.environ["DOCKER"], "compose"])
PROJECT = f"sluice-compose-{os.getpid()}"
# Scraped every 15 s; this only ends a test that has failed.
PATIENCE = 120.0
# What compose.yml asks for, or what this machine's engine may give.
FILES = min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1])


class Compose(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.ports = {name: free_port() for name in ("SLUICE", "SLUICE_HTTP", "PROMETHEUS")}
        cls.addClassCleanup(cls.compose, "down", "-v", "-t", "5")
        cls.compose("up", "-d", "--no-build")

    @classmethod
    def compose(cls, *arguments):
        ports = {f"{name}_PORT": str(port) for name, port in cls.ports.items()}
        done = subprocess.run([*COMPOSE, "-p", PROJECT, "-f", FILE, *arguments], text=True,
                              check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT,
                              env={**os.environ, **ports, "SLUICE_IMAGE": IMAGE,
                                   "SLUICE_FILES": str(FILES)})
        if done.returncode != 0:
            raise AssertionError(f"docker-compose {' '.join(arguments)}:\n{done.stdout}")
        return done.stdout.strip()

    def container_of(self, service):
        return self.compose("ps", "-q", service)

    def ask_prometheus(self, path, **parameters):
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        status, text = http_get(self.ports["PROMETHEUS"], f"/api/v1/{path}{query}")
        return json.loads(text)["data"] if status == 200 else None

    def test_comes_up_is_scraped_and_ends(self):
        for service in ("sluice", "prometheus"):
            name = self.container_of(service)
            eventually(lambda name=name: inspect(name, ".State.Health.Status") == "healthy",
                       bound=PATIENCE, what=f"a healthy {service}")
            host = inspect(name, ".HostConfig")
            self.assertTrue(host["ReadonlyRootfs"])
            self.assertEqual((host["CapDrop"], host["SecurityOpt"]),
                             (["ALL"], ["no-new-privileges:true"]))

        def target():
            found = (self.ask_prometheus("targets") or {}).get("activeTargets", [])
            return [one for one in found if one["health"] == "up"]
        targets = eventually(target, bound=PATIENCE, what="a target that is up")
        self.assertEqual([one["labels"]["job"] for one in targets], ["sluice"])

        sluice(f"127.0.0.1:{self.ports['SLUICE']}", "declare", "jobs")
        sluice(f"127.0.0.1:{self.ports['SLUICE']}", "send", "jobs", "counted")

        def counted():
            answer = self.ask_prometheus("query", query="sluice_queue_accepted_total")
            return answer and [one["value"][1] for one in answer["result"]] == ["1"]
        eventually(counted, bound=PATIENCE, what="the message in Prometheus")
        groups = self.ask_prometheus("rules")["groups"]
        self.assertTrue(groups)
        self.assertEqual({rule["health"] for group in groups for rule in group["rules"]} - {"ok"},
                         set())

        names = {service: self.container_of(service) for service in ("sluice", "prometheus")}
        self.compose("stop")
        codes = {service: inspect(name, ".State.ExitCode") for service, name in names.items()}
        self.assertEqual(codes, {"sluice": 0, "prometheus": 0}, docker("logs", names["sluice"]))


if __name__ == "__main__":
    unittest.main()
