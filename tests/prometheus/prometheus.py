# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus on a free port, with the configuration of deploy/prometheus made fast."""

import json
import os
import re
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

from support.eventually import eventually

from deployed import CONFIG, RULES, read
from scaled import scaled_config, scaled_rules

# Longer than anything here takes, on a machine that does much else.
BOUND = 180.0


def fetch(url, timeout=30):
    """The body of an answer, whatever its status: (status, text)."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Prometheus:
    """Scrapes these targets ("host:port") each second by the scaled rules. Ends with `stop`."""

    def __init__(self, *targets):
        self._folder = tempfile.TemporaryDirectory(prefix="prometheus.")
        self._write("prometheus.yml", scaled_config(read(CONFIG), targets))
        self._write("rules.yml", scaled_rules(read(RULES)))
        self._log = open(os.path.join(self._folder.name, "log"), "w+", encoding="utf-8")
        self._process = subprocess.Popen(
            ["prometheus", "--config.file", os.path.join(self._folder.name, "prometheus.yml"),
             "--storage.tsdb.path", os.path.join(self._folder.name, "data"),
             "--web.listen-address", "127.0.0.1:0"],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        try:
            port = eventually(self._port, BOUND, "Prometheus' port")
            self._url = f"http://127.0.0.1:{port}"
            eventually(self._is_ready, BOUND, "Prometheus")
        except AssertionError as error:
            text = self._log_text()
            self.stop()
            raise AssertionError(f"{error}\n{text}") from None

    def _write(self, name, text):
        with open(os.path.join(self._folder.name, name), "w", encoding="utf-8") as file:
            file.write(text)

    def _log_text(self):
        with open(self._log.name, encoding="utf-8") as file:
            return file.read()

    def _port(self):
        if self._process.poll() is not None:
            raise AssertionError(f"Prometheus ended with {self._process.returncode}")
        match = re.search(r'msg="?Listening on"? address=127\.0\.0\.1:(\d+)', self._log_text())
        return match and match[1]

    def _is_ready(self):
        try:
            return fetch(self._url + "/-/ready")[0] == 200
        except OSError:
            return False

    def _ask(self, path, **fields):
        query = "?" + urllib.parse.urlencode(fields) if fields else ""
        status, text = fetch(f"{self._url}/api/v1/{path}{query}")
        answer = json.loads(text)
        if answer["status"] != "success":
            raise AssertionError(f"{fields}: {status} {answer.get('error')}")
        return answer["data"]

    def query(self, expression):
        """Of an instant query: pairs of labels and value; without labels for a scalar."""
        data = self._ask("query", query=expression)
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(one["metric"], float(one["value"][1])) for one in data["result"]]

    def rules(self):
        """All rules as Prometheus has read them: dictionaries with type, name, query, ..."""
        return [rule for group in self._ask("rules")["groups"] for rule in group["rules"]]

    def firing(self):
        """The alerts that fire now: dictionaries with labels, annotations, ..."""
        return [alert for alert in self._ask("alerts")["alerts"] if alert["state"] == "firing"]

    def stop(self):
        self._process.terminate()
        self._process.wait()
        self._log.close()
        self._folder.cleanup()
