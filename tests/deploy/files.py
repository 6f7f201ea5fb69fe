# SPDX-License-Identifier: Apache-2.0
"""Where the files of deploy/ are, and what the daemon knows of its options."""

import os
import re
import subprocess

from support.daemon import EXECUTABLE, plain_environment

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def path_of(name):
    return os.path.join(ROOT, "deploy", name)


def read(name):
    with open(path_of(name), encoding="utf-8") as file:
        return file.read()


def run(*options, env=None):
    """The daemon with these very options, where it only has something to say: code, out, err."""
    done = subprocess.run([EXECUTABLE, *options], stdin=subprocess.DEVNULL, text=True, check=False,
                          capture_output=True, timeout=60,
                          env={**plain_environment(), **(env or {})})
    return done.returncode, done.stdout, done.stderr


def run_well(*options):
    code, out, err = run(*options)
    assert (code, err) == (0, ""), (code, err)
    return out


def flags():
    """Every option of the daemon, with its dashes."""
    return set(re.findall(r"^ +(?:-\w,)?(--[a-z-]+)", run_well("--help"), re.MULTILINE))


def refused_arguments(arguments):
    """None: the daemon takes them. Else its sentence."""
    code, _, err = run(*arguments, "--check-config")
    return None if code == 0 else err
