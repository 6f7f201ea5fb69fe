# SPDX-License-Identifier: Apache-2.0
"""Every clause and scenario of a finished part is named by an enabled test; every named one exists.

A test names an id in its own name (`TEST(Mpsc, P07_FullAndClosed)`, `def test_X06_full_is_typed`,
`test("X06 full is typed"`), or in a line `Clauses: M7 M8` of the comment directly above it.
"""

import re
from dataclasses import dataclass

from tree import Violation

CONTRACT = "docs/contract.md"
SCENARIOS = "docs/scenarios.md"
ID = r"[GMOBWDNPX]\d+"
CLAUSE_HEADING = re.compile(r"^- \*\*([GMOBWN]\d+)\b|^\| \*\*(D\d+)\*\*")
SCENARIO_HEADING = re.compile(r"^\*\*([PX]\d+)\*\*((?: · [^*]*)?)")

# C++ and JavaScript put a test's name in a call; a name may be on the line after the parenthesis.
CALLED_TEST = re.compile(
    r"^[ \t]*(?:(?:TYPED_)?TEST(?:_F|_P)?\(\s*\w+,\s*(\w+)\)"
    r"|(?:await )?(?:test|it)\(\s*['\"`]([^'\"`]*))",
    re.MULTILINE)
PYTHON_TEST = re.compile(r"^[ \t]*(?:async )?def (test_\w+)", re.MULTILINE)
CLAUSES_LINE = re.compile(r"^\s*(?://|#)\s*Clauses:(.*)$")
COMMENT_OR_DECORATOR = re.compile(r"^\s*(?://|#|@)")
TEST_SUFFIXES = (".cc", ".py", ".js", ".mjs", ".cjs")


@dataclass(frozen=True)
class Part:
    """A finished part: these ids must be named by tests in these folders."""
    name: str
    ids: re.Pattern
    folders: tuple


FINISHED = [
    Part("the primitives", re.compile(r"[PGMOBWD]\d+$"), ("tests/channel",)),
    Part("named channels and the daemon", re.compile(r"[XN]\d+$"), ("tests",)),
]


def known_ids(tree):
    """id -> (path, line), and the violations found on the way."""
    ids, violations = {}, []

    def add(file, number, found):
        if found in ids:
            violations.append(file.violation(number, "clauses", f"{found} is already taken"))
        ids[found] = (file.path, number)

    contract, scenarios = tree.find(CONTRACT), tree.find(SCENARIOS)
    for path, file in ((CONTRACT, contract), (SCENARIOS, scenarios)):
        if file is None:
            violations.append(Violation(path, 1, "clauses", "is missing"))
    for number, line in enumerate(contract.lines if contract else [], 1):
        match = CLAUSE_HEADING.match(line)
        if match:
            add(contract, number, match[1] or match[2])
    cited = []
    for number, line in enumerate(scenarios.lines if scenarios else [], 1):
        match = SCENARIO_HEADING.match(line)
        if match:
            add(scenarios, number, match[1])
            head = match[2].removeprefix(" · ").split(" · ")[0]
            cited += [(number, clause) for clause in re.findall(rf"\b{ID}\b", head)]
    violations += [scenarios.violation(number, "clauses", f"cites {clause}, which does not exist")
                   for number, clause in cited if clause not in ids]
    return ids, violations


def named_ids(file):
    """Yields (line, id) for every id that an enabled test of the file names."""
    pattern = PYTHON_TEST if file.suffix == ".py" else CALLED_TEST
    for match in pattern.finditer(file.text):
        name = next(group for group in match.groups() if group is not None)
        if name.startswith("DISABLED" "_"):
            continue
        line = file.text.count("\n", 0, match.end())  # index of the line that ends the name
        first = file.text.count("\n", 0, match.start())
        for token in re.split(r"[^A-Za-z0-9]+", name):
            if re.fullmatch(ID, token):
                yield line + 1, token
        above = first - 1
        while above >= 0 and COMMENT_OR_DECORATOR.match(file.lines[above]):
            clauses = CLAUSES_LINE.match(file.lines[above])
            if clauses:
                for token in re.findall(rf"\b{ID}\b", clauses[1]):
                    yield above + 1, token
            above -= 1


def clauses(tree):
    ids, violations = known_ids(tree)
    yield from violations
    covered = {}  # id -> set of paths of the tests that name it
    for file in tree.source(*TEST_SUFFIXES):
        if not file.under("tests") or file.under("tests/tidy"):
            continue
        for number, found in named_ids(file):
            if found not in ids:
                yield file.violation(number, "clauses", f"names {found}, which does not exist")
            covered.setdefault(found, set()).add(file.path)
    for part in FINISHED:
        for found, (path, number) in ids.items():
            inside = any(test.startswith(folder + "/") for test in covered.get(found, ())
                         for folder in part.folders)
            if part.ids.match(found) and not inside:
                where = " ".join(part.folders)
                yield Violation(path, number, "clauses",
                                f"{found}: no enabled test in {where} names it ({part.name})")
