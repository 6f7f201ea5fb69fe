# SPDX-License-Identifier: Apache-2.0
"""The rules of form: direction of includes, who may include what, sizes, words, paths in docs."""

import glob
import os
import re

# What a layer may include of ours; files directly in server/ build the parts and see all.
LAYERS = {
    "base": {"base"},
    "channel": {"channel", "base"},
    "wire": {"wire", "base"},
    "storage": {"storage", "base"},
    "broker": {"broker", "channel", "storage", "base"},
    "rpc": {"rpc", "wire", "broker", "channel", "base"},
    "admin": {"admin", "broker", "base"},
}

# Headers that a layer may include beside those: plain snapshots and bounds, without gRPC in them.
OPEN_HEADERS = {
    "admin": {"rpc/bound.h", "rpc/call_stats.h", "rpc/connections.h", "rpc/limits.h",
              "rpc/stream_table.h"},
}

# (what, pattern on a line of code, folders it is looked for in, paths that may have it)
ONLY_HERE = [
    ("gRPC and generated protos",
     r'#\s*include\s+([<"](grpc|grpcpp|google/protobuf)/|[<"].*\.pb\.h)', ("server", "client"),
     r"server/rpc/|client/(src|cli)/"),
    ("Boost", r'#\s*include\s+[<"]boost/', ("server", "client"), r"server/admin/"),
    ("the metrics library", r'#\s*include\s+[<"]prometheus/', ("server", "client"),
     r"server/admin/"),
    ("a standard mutex (use base/mutex.h)",
     r"#\s*include\s+<(mutex|shared_mutex|condition_variable)>", ("server",),
     r"server/base/mutex\.h$"),
    ("reading a clock (take a Clock&)", r"_clock::now\(", ("server",),
     r"server/base/clock\.(h|cc)$"),
    ("files", r"#\s*include\s+<(fstream|fcntl\.h)>|\bf(open|sync)\(", ("server",),
     r"server/storage/|server/[^/]+\.cc$|server/admin/process_figures\.cc$"),
    ("sleeping (wait for a condition, or turn a manual clock)",
     r"\b(sleep_for|sleep_until|usleep|nanosleep)\b", ("server", "client", "tests"),
     r"tests/(support|bench|torture)/"),
]

LINES_MAX = {".h": 300, ".cc": 350, ".py": 350}
COLUMNS_MAX = 100
CODE = (".h", ".cc", ".proto", ".py", ".js", ".mjs", ".cjs", ".rs")
# Path -> why this one file may be longer. A waiver that is not needed is itself a violation.
SIZE_WAIVERS = {}

BANNED = [
    (r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b", "finish it, or leave it out"),
    (r"(?i)\bincarn" r"ation\b", "epoch"),
    (r"(?i)\bqui" r"esce|graceful" r"[_ ]?stop", "drain"),
]
# Names of types that say nothing about what they are.
EMPTY_NAME = re.compile(
    r"^\s*(?:class|struct)\s+(?:\[\[\w+\]\]\s+)?(\w+(?:Manager|Helper|Utils?|Impl))\b")
EMPTY_FILE = re.compile(r"(^|_)(utils?|common|misc|helpers?)\.(h|cc|py)$")
DISABLED = re.compile(
    r"\bDISABLED" r"_|GTEST" r"_SKIP|@unittest\." r"skip|\bself\.skip" r"Test|pytest\." r"skip"
    r"|\b(?:test|it|describe)\." r"skip\(|^\s*#\s*if 0" r"\b")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
DOC_PATH = re.compile(r"`((?:server|proto|client|deploy|tests|docs|cmake|\.ci)/[\w./*-]*)`")
DOC_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def layers(tree):
    for file in tree.source(".h", ".cc"):
        parts = file.path.split("/")
        for number, line in enumerate(file.lines, 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            target = match[1].split("/")[0]
            if parts[0] == "server" and len(parts) > 2:
                allowed = LAYERS.get(parts[1])
                if allowed is None:
                    yield file.violation(number, "layers", f"{parts[1]} is no layer of LAYERS")
                elif match[1] in OPEN_HEADERS.get(parts[1], ()):
                    continue
                elif target in ("client", "tests") or target in LAYERS and target not in allowed:
                    yield file.violation(number, "layers",
                                         f"{parts[1]} may not include {match[1]}")
            elif parts[0] == "client" and target in {*LAYERS, "server", "tests"} - {"wire"} and (
                    # One example runs on the primitives, too.
                    target != "channel" or not file.under("client/examples")):
                yield file.violation(number, "layers", f"client may not include {match[1]}")


def only_here(tree):
    for what, pattern, folders, allowed in ONLY_HERE:
        seen = re.compile(pattern)
        home = re.compile(allowed)
        for file in tree.source(".h", ".cc"):
            if not file.under(*folders) or home.match(file.path):
                continue
            for number, line in enumerate(file.lines, 1):
                if seen.search(line.split("//")[0]):
                    yield file.violation(number, "only-here", f"{what} belongs to {allowed}")


def sizes(tree):
    for file in tree.files:
        limit = LINES_MAX.get(file.suffix)
        too_long = limit is not None and len(file.lines) > limit
        if too_long and file.path not in SIZE_WAIVERS:
            yield file.violation(limit, "size", f"{len(file.lines)} lines, at most {limit}")
        if not too_long and file.path in SIZE_WAIVERS:
            yield file.violation(1, "size", "its waiver is not needed any more")
        if file.suffix in CODE or file.name == "dev":
            for number, line in enumerate(file.lines, 1):
                if len(line) > COLUMNS_MAX and "http" not in line:
                    yield file.violation(number, "columns",
                                         f"{len(line)} columns, at most {COLUMNS_MAX}")


def words(tree):
    for file in tree.files:
        if EMPTY_FILE.search(file.name):
            yield file.violation(1, "words", "a file's name says what is in it")
        for number, line in enumerate(file.lines, 1):
            for pattern, instead in BANNED:
                match = re.search(pattern, line)
                if match:
                    yield file.violation(number, "words", f'"{match[0]}": {instead}')
            match = EMPTY_NAME.match(line)
            if match and file.suffix in (".h", ".cc"):
                yield file.violation(number, "words", f'"{match[1]}" says nothing of what it is')


def licence(tree):
    for file in tree.source(*CODE):
        if not any("SPDX-License-Identifier: Apache-2.0" in line for line in file.lines[:2]):
            yield file.violation(1, "licence", "no SPDX line at the top")
        if file.suffix == ".h" and "#pragma once" not in file.lines:
            yield file.violation(1, "licence", "no #pragma once")


def disabled(tree):
    for file in tree.source(*CODE):
        for number, line in enumerate(file.lines, 1):
            if DISABLED.search(line):
                yield file.violation(number, "disabled", "a test is run, or it is not there")


def registered(tree):
    """A source that no CMakeLists.txt names is not built, so its tests would not run."""
    lists = " ".join(file.text for file in tree.files if file.name == "CMakeLists.txt")
    named = set(re.findall(r"[\w.-]+\.cc\b", lists))
    for file in tree.source(".cc"):
        if file.under("server", "client", "tests") and file.name not in named:
            yield file.violation(1, "registered", "named by no CMakeLists.txt: it is never built")


def doc_paths(tree):
    for file in tree.source(".md"):
        for number, line in enumerate(file.lines, 1):
            for path in DOC_PATH.findall(line):
                if not glob.glob(os.path.join(tree.root, path)):
                    yield file.violation(number, "docs", f"{path} does not exist")
            for link in DOC_LINK.findall(line):
                if not tree.exists(os.path.join(os.path.dirname(file.path), link)):
                    yield file.violation(number, "docs", f"link to {link}, which does not exist")


ALL = [layers, only_here, sizes, words, licence, disabled, registered, doc_paths]
