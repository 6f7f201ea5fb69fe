#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy over our sources in a compilation database, and remembers what passed.

Usage: clang_tidy.py BUILD_FOLDER [--changed]

A file is looked at again when it, a header of ours that it reaches, its command or .clang-tidy
changes. --changed takes only files that differ from the main branch, or reach a header that does.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CHECKED = ("server/", "client/")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
CLANG_TIDY = "clang-tidy-14"


def relative(path):
    return os.path.relpath(path, ROOT)


def reached(path, seen):
    """Adds the file and every header of ours that it includes, directly or not."""
    if path in seen:
        return seen
    seen.add(path)
    with open(path, encoding="utf-8") as handle:
        included = INCLUDE.findall(handle.read())
    for name in included:
        for folder in (os.path.dirname(path), ROOT, os.path.join(ROOT, "server"),
                       os.path.join(ROOT, "client/include")):
            candidate = os.path.normpath(os.path.join(folder, name))
            if os.path.isfile(candidate):
                reached(candidate, seen)
                break
    return seen


def stamp_of(entry, files):
    digest = hashlib.sha256(entry.get("command", "").encode())
    for path in [os.path.join(ROOT, ".clang-tidy"), *sorted(files)]:
        with open(path, "rb") as handle:
            digest.update(handle.read())
    return digest.hexdigest()


def git(*arguments):
    return subprocess.run(["git", "-C", ROOT, *arguments], check=False, text=True,
                          capture_output=True).stdout.split()


def changed_files():
    base = git("merge-base", "HEAD", "origin/main") or git("rev-parse", "--verify", "-q", "HEAD~1")
    names = git("diff", "--name-only", *base) + git("ls-files", "--others", "--exclude-standard")
    return {os.path.join(ROOT, name) for name in names}


def check(build, path):
    run = subprocess.run(
        [CLANG_TIDY, "-p", build, "--quiet", "--extra-arg=-Wno-unknown-warning-option", path],
        check=False, text=True, capture_output=True)
    return run.returncode, run.stdout + (run.stderr if run.returncode else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--changed", action="store_true")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    passed = os.path.join(build, "clang-tidy-passed")
    os.makedirs(passed, exist_ok=True)

    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as handle:
        entries = {os.path.join(entry["directory"], entry["file"]): entry
                   for entry in json.load(handle)}
    changed = changed_files() if options.changed else None
    stamps = {}
    for path, entry in sorted(entries.items()):
        if not relative(path).startswith(CHECKED):
            continue
        files = reached(path, set())
        if changed is None or changed & files:
            stamps[path] = os.path.join(passed, stamp_of(entry, files))
    todo = [path for path, stamp in stamps.items() if not os.path.exists(stamp)]

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, (code, output) in zip(todo, pool.map(lambda path: check(build, path), todo)):
            if code == 0:
                open(stamps[path], "w", encoding="utf-8").close()
                continue
            failed += 1
            print(f"{relative(path)}:\n{output}", flush=True)
    print(f"clang-tidy: {len(stamps)} files, {len(todo)} looked at, {failed} failed")
    return 1 if failed or (changed is None and not stamps) else 0


if __name__ == "__main__":
    sys.exit(main())
