# SPDX-License-Identifier: Apache-2.0
"""The primitives beside tokio's: nanoseconds per operation, and the ratio of the two.

Both sides do the same work under the same names: channel_bench (Google Benchmark) and
tests/bench/tokio (Rust, on Debian's librust-tokio-dev, built offline). They run alternately; each
figure is the median over the rounds, and so is the ratio. Below 1.00, ours takes less. What one
thread does alone is measured in the time that thread ran; contention, by the clock.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOKIO = os.path.join(os.path.dirname(HERE), "tokio")
RUN_BOUND_S = 900


def build_tokio(build):
    """Builds a copy, so that cargo's lock file does not end up in the source tree."""
    cargo = shutil.which("cargo")
    if cargo is None:
        sys.exit("cargo is missing: apt-get install cargo rustc librust-tokio-dev")
    copy = os.path.join(build, "tests/bench/tokio")
    shutil.copytree(TOKIO, copy, dirs_exist_ok=True)
    subprocess.run([cargo, "build", "--release", "--offline", "--quiet"], cwd=copy, check=True)
    return os.path.join(copy, "target/release/tokio-bench")


def run(command):
    return subprocess.run(command, capture_output=True, text=True, check=True,
                          timeout=RUN_BOUND_S).stdout


def ours(binary, name_filter):
    command = [binary, "--benchmark_format=json", "--benchmark_min_time=0.1"]
    if name_filter:
        command.append(f"--benchmark_filter={name_filter}")
    figures = {}
    for item in json.loads(run(command) or '{"benchmarks": []}')["benchmarks"]:
        name = item["run_name"].removesuffix("/real_time")
        figures[name] = 1e9 / item["items_per_second"]
    return figures


def tokios(binary, name_filter):
    command = [binary] + ([name_filter] if name_filter else [])
    lines = (line.split() for line in run(command).splitlines())
    return {name: float(figure) for name, figure in lines}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release", help="the build folder")
    parser.add_argument("--rounds", type=int, default=5, help="alternations, at least 1")
    parser.add_argument("--filter", default="", help="only names that contain this text")
    arguments = parser.parse_args()

    build = os.path.abspath(arguments.build)
    bench = os.path.join(build, "tests/bench/channel/channel_bench")
    if not os.path.exists(bench):
        sys.exit(f"{bench} is missing: build the target channel_bench")
    tokio = build_tokio(build)

    rounds = []
    for _ in range(arguments.rounds):
        rounds.append((ours(bench, arguments.filter), tokios(tokio, arguments.filter)))

    first, second = rounds[0]
    alone = sorted(first.keys() ^ second.keys())
    if alone:
        sys.exit("only one side measures: " + ", ".join(alone))
    print(f"{'':44}{'sluice ns':>12}{'tokio ns':>12}{'ratio':>8}   ({len(rounds)} alternations)")
    for name in first:
        mine = [mine[name] for mine, _ in rounds]
        theirs = [theirs[name] for _, theirs in rounds]
        ratio = statistics.median(a / b for a, b in zip(mine, theirs))
        print(f"{name:44}{statistics.median(mine):12.1f}{statistics.median(theirs):12.1f}"
              f"{ratio:8.2f}")


if __name__ == "__main__":
    main()
