# SPDX-License-Identifier: Apache-2.0
"""The daemon in its container, used through the published ports: by stock gRPC clients, by the
command of this machine, by the story of tests/story, and by whoever scrapes."""

import os
import subprocess
import threading
import unittest

from container import ROOT, Container, sluice
from support import wire
from support.case import DaemonCase
from support.eventually import eventually


class FromOutside(DaemonCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = Container()
        cls.addClassCleanup(cls.daemon.remove)

    def test_queue(self):
        self.client.declare(self.name, capacity=2)
        sent = self.client.send(self.name, "a", "b")
        self.assertEqual(self.outcomes(sent), [wire.OUTCOME_OK] * 2)
        self.assertEqual(self.outcomes(self.client.send(self.name, "c")), [wire.OUTCOME_FULL])
        receiver = self.client.receiver(self.name, credit=10)
        receiver.wait_messages(2)
        self.assertEqual(receiver.payloads(), [b"a", b"b"])
        receiver.ack_all()
        receiver.wait_settled(2)
        receiver.cancel()

    def test_request(self):
        self.client.requests.declare(self.name)
        worker = self.client.requests.echo(self.name)
        self.assertEqual(self.client.requests.call(self.name, b"ping").message.payload, b"ping")
        worker.cancel()

    def test_topic(self):
        self.client.topics.declare(self.name)
        hearers = [self.client.topics.subscriber(self.name).wait_ready() for _ in range(3)]
        self.client.topics.publish(self.name, "one", "two")
        for hearer in hearers:
            self.assertEqual([one.payload for one in hearer.wait_messages(2)], [b"one", b"two"])
            hearer.cancel()

    def test_config(self):
        watcher = self.client.config.watcher(self.name)
        self.client.config.set(self.name, b"10")
        watcher.until(lambda: watcher.there.get(self.name), what="the value")
        self.assertEqual(watcher.there[self.name].value, b"10")
        watcher.cancel()

    def test_command(self):
        address = self.daemon.address
        sluice(address, "declare", "cli", "--capacity", "3")
        sluice(address, "send", "cli", text="one\ntwo\nthree\n")
        self.assertEqual(sluice(address, "receive", "cli", "--count", "3"), "one\ntwo\nthree\n")
        sluice(address, "topic", "declare", "cli.topic", "--capacity", "8")
        heard = []
        hearer = threading.Thread(target=lambda: heard.append(
            sluice(address, "subscribe", "cli.topic", "--count", "1")))
        hearer.start()
        eventually(lambda: self.client.topics.describe("cli.topic").subscribers == 1,
                   what="a subscriber")
        sluice(address, "publish", "cli.topic", "hello")
        hearer.join(60)
        self.assertEqual(heard, ["hello\n"])
        sluice(address, "set", "cli/limit", "10")
        self.assertIn("10", sluice(address, "get", "cli/limit"))

    def test_story(self):
        """Real work over all four kinds; a worker is killed halfway and nothing is lost."""
        done = subprocess.run([os.path.join(ROOT, "tests", "story", "run"), self.daemon.address],
                              text=True, check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_http(self):
        for path in ("/healthz", "/readyz"):
            status, text = self.daemon.get(path)
            self.assertEqual(status, 200, f"{path}: {text}")
        self.client.declare(self.name)
        self.client.send(self.name, "counted")
        status, text = self.daemon.get("/metrics")
        self.assertEqual(status, 200, text)
        samples = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
        self.assertGreaterEqual(float(samples["sluice_queue_accepted_total"]), 1)


if __name__ == "__main__":
    unittest.main()
