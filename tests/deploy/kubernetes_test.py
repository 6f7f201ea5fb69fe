# SPDX-License-Identifier: Apache-2.0
"""The manifests: their shape, that their parts fit each other, and what the daemon takes."""

import http.client
import os
import re
import unittest

import files
import grpc
import yaml
from support.daemon import Daemon

FOLDER = files.path_of("kubernetes")
MANUAL = os.path.join("..", "docs", "operations.md")
API = {"ServiceAccount": "v1", "Service": "v1", "StatefulSet": "apps/v1",
       "NetworkPolicy": "networking.k8s.io/v1"}
# What the kinds have, as the API defines it: a field that is none is refused by a strict server.
FIELDS = {
    "container": {"name", "image", "args", "ports", "startupProbe", "readinessProbe",
                  "livenessProbe", "resources", "securityContext", "env", "volumeMounts"},
    "pod": {"serviceAccountName", "automountServiceAccountToken", "enableServiceLinks",
            "terminationGracePeriodSeconds", "securityContext", "containers", "volumes"},
    "probe": {"httpGet", "periodSeconds", "timeoutSeconds", "failureThreshold",
              "initialDelaySeconds", "successThreshold"},
    "set": {"replicas", "serviceName", "selector", "template", "updateStrategy"},
}
PROBES = {"startupProbe": "/readyz", "readinessProbe": "/readyz", "livenessProbe": "/healthz"}
HEALTH = "/grpc.health.v1.Health/"


class NoTwice(yaml.SafeLoader):
    """A key that stands twice is a mistake, not the last of the two."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"twice in one mapping: {keys}"
        return super().construct_mapping(node, deep)


def manifests():
    found = []
    for name in sorted(os.listdir(FOLDER)):
        found += list(yaml.load_all(files.read(f"kubernetes/{name}"), Loader=NoTwice))
    return found


class Kubernetes(unittest.TestCase):

    def setUp(self):
        self.all = manifests()
        self.set = self.one("StatefulSet", "sluice")
        self.pod = self.set["spec"]["template"]["spec"]
        [self.container] = self.pod["containers"]
        self.labels = self.set["spec"]["template"]["metadata"]["labels"]

    def one(self, kind, name):
        [found] = [one for one in self.all
                   if one["kind"] == kind and one["metadata"]["name"] == name]
        return found

    def ports(self):
        return {port["name"]: port["containerPort"] for port in self.container["ports"]}

    def arguments(self):
        return dict(argument.partition("=")[::2] for argument in self.container["args"])

    def test_each_is_a_thing_that_there_is(self):
        for one in self.all:
            self.assertEqual(one["apiVersion"], API[one["kind"]])
            self.assertRegex(one["metadata"]["name"], r"^[a-z][a-z0-9-]*$")
        names = [(one["kind"], one["metadata"]["name"]) for one in self.all]
        self.assertEqual(len(names), len(set(names)))
        self.assertLessEqual(set(self.container), FIELDS["container"])
        self.assertLessEqual(set(self.pod), FIELDS["pod"])
        self.assertLessEqual(set(self.set["spec"]), FIELDS["set"])

    def test_the_daemon_takes_its_options(self):
        self.assertLessEqual(set(self.arguments()), files.flags())
        self.assertIsNone(files.refused_arguments(self.container["args"]))

    def test_it_listens_where_it_is_looked_for(self):
        ports = self.ports()
        for name, flag in (("grpc", "--listen"), ("http", "--http")):
            host, _, port = self.arguments()[flag].rpartition(":")
            self.assertEqual((host, int(port)), ("0.0.0.0", ports[name]))
        for service in ("sluice", "sluice-pods"):
            spec = self.one("Service", service)["spec"]
            self.assertLessEqual(spec["selector"].items(), self.labels.items())
            for port in spec["ports"]:
                self.assertEqual(ports[port["targetPort"]], port["port"])
        headless = self.one("Service", self.set["spec"]["serviceName"])
        self.assertEqual(headless["spec"]["clusterIP"], "None")
        self.assertEqual(headless["metadata"]["annotations"]["prometheus.io/port"],
                         str(ports["http"]))

    def test_the_probes_ask_the_daemon(self):
        for name, path in PROBES.items():
            probe = self.container[name]
            self.assertLessEqual(set(probe), FIELDS["probe"])
            self.assertEqual(probe["httpGet"], {"path": path, "port": "http"})
            # Where the kubelet looks for it: at the pod's address.
            self.assertEqual(self.arguments()["--http"], f"0.0.0.0:{self.ports()['http']}")

    def test_a_full_daemon_passes_its_probes(self):
        """By gRPC it would not: what is full must not be killed for it."""
        daemon = Daemon("--http", "127.0.0.1:0", "--max-streams", "1", "--max-connections", "1")
        self.addCleanup(daemon.kill)
        with grpc.insecure_channel(daemon.address) as channel:
            watch = channel.unary_stream(HEALTH + "Watch")(b"", timeout=60)
            next(watch)
            self.assertEqual(self.refused_with(channel), grpc.StatusCode.RESOURCE_EXHAUSTED)
            other = [("grpc.use_local_subchannel_pool", 1)]
            with grpc.insecure_channel(daemon.address, options=other) as another:
                self.assertEqual(self.refused_with(another), grpc.StatusCode.UNAVAILABLE)
            for path in set(PROBES.values()):
                self.assertEqual(self.status_of(daemon, path), 200)
            watch.cancel()
        daemon.stop()

    def refused_with(self, channel):
        with self.assertRaises(grpc.RpcError) as refused:
            channel.unary_unary(HEALTH + "Check")(b"", timeout=60)
        return refused.exception.code()

    @staticmethod
    def status_of(daemon, path):
        asked = http.client.HTTPConnection(daemon.http_address, timeout=60)
        asked.request("GET", path)
        status = asked.getresponse().status
        asked.close()
        return status

    def test_there_is_time_to_go_down(self):
        drain_ms = sum(int(self.arguments()[flag])
                       for flag in ("--drain-delay-ms", "--drain-grace-ms"))
        self.assertGreaterEqual(self.pod["terminationGracePeriodSeconds"], drain_ms / 1000 + 12)
        self.assertGreaterEqual(int(self.arguments()["--drain-delay-ms"]), 5000)

    def test_there_is_one_and_it_may_do_nothing(self):
        self.assertEqual(self.set["spec"]["replicas"], 1)
        selector = self.set["spec"]["selector"]["matchLabels"]
        self.assertLessEqual(selector.items(), self.labels.items())
        self.assertNotIn("PodDisruptionBudget", [one["kind"] for one in self.all])
        self.assertFalse(self.pod["automountServiceAccountToken"])
        self.one("ServiceAccount", self.pod["serviceAccountName"])
        self.assertTrue(self.pod["securityContext"]["runAsNonRoot"])
        self.assertEqual(self.pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
        self.assertEqual(self.container["securityContext"],
                         {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                          "capabilities": {"drop": ["ALL"]}})
        resources = self.container["resources"]
        self.assertEqual(resources["requests"]["memory"], resources["limits"]["memory"])
        self.assertNotIn("cpu", resources["limits"])

    def test_the_network_policy_is_about_these_ports(self):
        spec = self.one("NetworkPolicy", "sluice")["spec"]
        self.assertLessEqual(spec["podSelector"]["matchLabels"].items(), self.labels.items())
        self.assertEqual(set(spec["policyTypes"]), {"Ingress", "Egress"})
        self.assertEqual(spec["egress"], [])
        # It is in a file of its own: what is applied is the folder, and so it is said everywhere.
        applied = {os.path.normpath(path) for name in ("kubernetes/sluice.yaml", MANUAL)
                   for path in re.findall(r"kubectl apply -f ([^\s`]+)", files.read(name))}
        self.assertEqual(applied, {"deploy/kubernetes"})
        self.assertIn("network-policy.yaml", files.read("kubernetes/sluice.yaml"))
        self.assertNotRegex(files.read("kubernetes/sluice.yaml"), r"(?i)policy (below|above)")
        for name in os.listdir(FOLDER):
            self.assertTrue(name.endswith(".yaml"), f"kubectl apply would not take {name}")
        open_ports = [port["port"] for rule in spec["ingress"] for port in rule["ports"]]
        self.assertEqual(sorted(open_ports), sorted(self.ports().values()))


if __name__ == "__main__":
    unittest.main()
