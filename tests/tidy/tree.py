# SPDX-License-Identifier: Apache-2.0
"""The repository's files as the tidy rules see them."""

import os
from dataclasses import dataclass
from functools import cached_property

SKIPPED_FOLDERS = {"build", "node_modules", "__pycache__", ".git", ".cache", "target", "corpus"}
TEXT_SUFFIXES = {".h", ".cc", ".proto", ".py", ".js", ".mjs", ".cjs", ".rs", ".sh", ".md", ".cmake"}
TEXT_NAMES = {"dev", "run", "CMakeLists.txt", "packages.txt"}


@dataclass(frozen=True)
class Violation:
    path: str
    line: int
    rule: str
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.text}"


@dataclass(frozen=True)
class File:
    path: str  # relative to the root, with forward slashes
    text: str

    @property
    def suffix(self):
        return os.path.splitext(self.path)[1]

    @property
    def name(self):
        return os.path.basename(self.path)

    @cached_property
    def lines(self):
        return self.text.splitlines()

    def under(self, *folders):
        return any(self.path.startswith(folder + "/") for folder in folders)

    def violation(self, line, rule, text):
        return Violation(self.path, line, rule, text)


class Tree:
    def __init__(self, root):
        self.root = root
        self.files = sorted(self._read(), key=lambda file: file.path)

    def _read(self):
        for folder, names, files in os.walk(self.root):
            names[:] = [name for name in names if name not in SKIPPED_FOLDERS]
            for name in files:
                if os.path.splitext(name)[1] not in TEXT_SUFFIXES and name not in TEXT_NAMES:
                    continue
                full = os.path.join(folder, name)
                with open(full, encoding="utf-8") as handle:
                    yield File(os.path.relpath(full, self.root).replace(os.sep, "/"), handle.read())

    def exists(self, path):
        return os.path.exists(os.path.join(self.root, path))

    def find(self, path):
        return next((file for file in self.files if file.path == path), None)

    def source(self, *suffixes):
        return [file for file in self.files if file.suffix in suffixes]
