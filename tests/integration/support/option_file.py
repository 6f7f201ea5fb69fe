# SPDX-License-Identifier: Apache-2.0
"""A file of options for as long as a test runs."""

import os
import tempfile


def option_file(case, text):
    """Its path; it is removed at the end of the test `case`."""
    handle, path = tempfile.mkstemp(suffix=".toml")
    case.addCleanup(os.unlink, path)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return path
