# SPDX-License-Identifier: Apache-2.0
"""The manifests: their shape, that their parts fit each other, and what the daemon takes."""

import os
import unittest

import files
import yaml

FOLDER = files.path_of("kubernetes")
API = {"ServiceAccount": "v1", "Service": "v1", "StatefulSet": "apps/v1",
       "NetworkPolicy": "networking.k8s.io/v1"}
# What the kinds have, as the API defines it: a field that is none is refused by a strict server.
FIELDS = {
    "container": {"name", "image", "args", "ports", "startupProbe", "readinessProbe",
                  "livenessProbe", "resources", "securityContext", "env", "volumeMounts"},
    "pod": {"serviceAccountName", "automountServiceAccountToken", "enableServiceLinks",
            "terminationGracePeriodSeconds", "securityContext", "containers", "volumes"},
    "probe": {"grpc", "periodSeconds", "timeoutSeconds", "failureThreshold",
              "initialDelaySeconds", "successThreshold"},
    "set": {"replicas", "serviceName", "selector", "template", "updateStrategy"},
}


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
        for name, service in (("startupProbe", None), ("readinessProbe", None),
                              ("livenessProbe", "liveness")):
            probe = self.container[name]
            self.assertLessEqual(set(probe), FIELDS["probe"])
            self.assertEqual(probe["grpc"].get("service"), service)
            self.assertEqual(probe["grpc"]["port"], self.ports()["grpc"])

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
        open_ports = [port["port"] for rule in spec["ingress"] for port in rule["ports"]]
        self.assertEqual(sorted(open_ports), sorted(self.ports().values()))


if __name__ == "__main__":
    unittest.main()
