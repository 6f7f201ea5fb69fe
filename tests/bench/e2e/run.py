# SPDX-License-Identifier: Apache-2.0
"""One channel over the wire beside NATS: messages per second, five alternations, the median ratio.

Three processes each time: a producer, the daemon (or nats-server), a consumer. 128-byte payloads
with sequence and checksum, every one verified by the consumer.
  --kind queue   SendStream to ReceiveStream with every message acknowledged at both ends, queue and
                 clients at their defaults; a run ends with the last ack
  --kind topic   PublishStream to Subscribe, every message acknowledged to the publisher, policy
                 BLOCK, so that nothing is missed; a run ends with the last message and the last ack
NATS each time: core publish to subscribe with its C client, no acks; a run ends with the last
message.
"""

import argparse
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

START_BOUND_S = 20
RUN_BOUND_S = 300


class Server:
    """A server process on a free port, ended by SIGTERM; `cpu_s` is what it has used so far."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(START_BOUND_S)


TOPIC_VERBS = {"produce": "publish", "consume": "subscribe"}


class Sluice(Server):
    name = "sluice"

    def __init__(self, build, kind, capacity):
        self.kind, self.capacity = kind, capacity
        super().__init__([f"{build}/server/sluiced", "--listen", "127.0.0.1:0",
                          "--http", "off"])
        line = self.process.stdout.readline()
        match = re.search(r"port (\d+)$", line.strip())
        if not match:
            sys.exit(f"sluiced did not start: {line!r}")
        self.bench = [f"{build}/tests/bench/e2e/ends_bench", "--address",
                      f"127.0.0.1:{match[1]}"]
        self.rounds = 0

    def end(self, role, messages):
        verb = {"queue": role, "topic": TOPIC_VERBS[role]}[self.kind]
        return [*self.bench, "--channel", f"bench.{self.rounds}", "--capacity",
                str(self.capacity), "--messages", str(messages), verb]


class Nats(Server):
    name = "nats"

    def __init__(self, build, _kind, _capacity):
        path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
        executable = shutil.which("nats-server", path=path)
        if executable is None:
            sys.exit("nats-server is not installed (deploy/packages-bench.txt)")
        with tempfile.TemporaryDirectory() as ports:
            super().__init__([executable, "-a", "127.0.0.1", "-p", "-1",
                              "--ports_file_dir", ports])
            url = self._url(ports)
        self.bench = [f"{build}/tests/bench/e2e/nats_bench", "--url", url]
        self.rounds = 0

    @staticmethod
    def _url(folder):
        bound = time.monotonic() + START_BOUND_S
        while time.monotonic() < bound:
            for name in os.listdir(folder):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    text = file.read()
                if text.rstrip().endswith("}"):
                    return json.loads(text)["nats"][0]
            time.sleep(0.05)
        sys.exit("nats-server did not start")

    def end(self, role, messages):
        subject = f"bench.{self.rounds}"
        return [*self.bench, "--subject", subject, "--messages", str(messages), role]


def start_end(command):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline().strip()
    if line != "ready":
        process.kill()
        sys.exit(f"{command[0]} did not start: {line!r}")
    return process


def result_of(process):
    output, _ = process.communicate(timeout=RUN_BOUND_S + 20)
    lines = output.split()
    if not lines:
        sys.exit(f"{process.args[0]}: no figures, exit code {process.returncode}")
    return json.loads(lines[-1])


def measure(server, messages):
    """One run: messages/s from the producer's first act to the last of both, and what was wrong."""
    server.rounds += 1
    cpu_before = server.cpu_s()
    consumer = start_end(server.end("consume", messages))
    producer = start_end(server.end("produce", messages))
    produced, consumed = result_of(producer), result_of(consumer)
    ended_ns = max(produced["ended_ns"], consumed["ended_ns"])
    wrong = {key: consumed[key] for key in ("lost", "duplicated", "out_of_order", "corrupt")}
    wrong["refused"] = produced["refused"]
    cpu_s = {"producer": produced["cpu_s"], "server": round(server.cpu_s() - cpu_before, 2),
             "consumer": consumed["cpu_s"]}
    rate = consumed["received"] / (ended_ns - produced["began_ns"]) * 1e9
    return {"rate": rate, "wrong": wrong, "cpu_s": cpu_s}


def describe(run):
    wrong = ", ".join(f"{key} {value}" for key, value in run["wrong"].items() if value) or "none"
    cpu = "/".join(f"{run['cpu_s'][who]:.2f}" for who in ("producer", "server", "consumer"))
    return f"{run['rate'] / 1e6:6.2f} M/s   cpu s {cpu:16}   wrong: {wrong}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--kind", choices=["queue", "topic"], default="queue")
    parser.add_argument("--capacity", type=int, default=0, help="0: the daemon's default")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=4_000_000)
    parser.add_argument("--only", choices=["sluice", "nats"], help="one of the two, no ratio")
    parser.add_argument("--json", action="store_true", help="also a JSON object at the end")
    options = parser.parse_args()

    print(f"a {options.kind}: {options.messages:,} messages of 128 bytes a run, "
          f"{os.cpu_count()} cores, {platform.machine()}; cpu of producer/server/consumer")
    kinds = [kind for kind in (Sluice, Nats) if options.only in (None, kind.name)]
    servers = [kind(options.build, options.kind, options.capacity) for kind in kinds]
    runs = {server.name: [] for server in servers}
    try:
        for server in servers:
            measure(server, options.messages // 10)  # Warms up, and does not count.
        for number in range(1, options.rounds + 1):
            for server in servers if number % 2 else reversed(servers):
                run = measure(server, options.messages)
                runs[server.name].append(run)
                print(f"  {number}  {server.name:6}  {describe(run)}", flush=True)
    finally:
        for server in servers:
            server.stop()
    return report(options, runs)


def report(options, runs):
    medians = {name: statistics.median(run["rate"] for run in of) for name, of in runs.items()}
    for name, median in medians.items():
        print(f"median {name:6} {median / 1e6:6.2f} M messages/s")
    summary = {"messages": options.messages, "median_rate": medians, "runs": runs}
    if len(medians) == 2:
        pairs = zip(runs["sluice"], runs["nats"])
        ratios = [ours["rate"] / theirs["rate"] for ours, theirs in pairs]
        summary["median_ratio"] = statistics.median(ratios)
        print(f"median ratio sluice / nats: {summary['median_ratio']:.2f} "
              f"(of {', '.join(f'{ratio:.2f}' for ratio in ratios)})")
    if options.json:
        print(json.dumps(summary))
    wrong = any(any(run["wrong"].values()) for run in runs.get("sluice", []))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
