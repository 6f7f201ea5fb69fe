#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The code's own rules, run by ctest: prints violations as path:line: rule: text, fails on any.

Usage: tidy_test.py [--root FOLDER]
"""

import argparse
import os
import sys

sys.dont_write_bytecode = True  # the source tree stays as it is
import clauses
import rules
from tree import Tree

RULES = [*rules.ALL, clauses.clauses]


def violations(root):
    tree = Tree(root)
    return [violation for rule in RULES for violation in rule(tree)]


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(here)))
    found = violations(parser.parse_args().root)
    for violation in found:
        print(violation)
    print(f"tidy: {len(found)} violations" if found else "tidy: clean")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
