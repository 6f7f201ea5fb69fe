# SPDX-License-Identifier: Apache-2.0
"""Writes a manual page from what a program says of itself: manual_page.py PROGRAM VERSION."""

import os
import subprocess
import sys


def roff(text):
    """As it stands, in a typewriter's face."""
    lines = (line.replace("\\", "\\e").replace("-", "\\-") for line in text.splitlines())
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in lines)


def main():
    program, version = sys.argv[1:]
    name = os.path.basename(program)
    environment = {"PATH": os.environ["PATH"], "HOME": "/", "COLUMNS": "100"}
    help_text = subprocess.run([program, "--help"], env=environment, text=True, check=True,
                               capture_output=True).stdout
    what, _, rest = help_text.strip().partition("\n")
    what = what.split(": ", 1)[-1]
    print(f'.TH {name.upper()} 1 "" "sluice {version}" "Sluice"\n'
          f".SH NAME\n{name} \\- {roff(what)}\n"
          f".SH DESCRIPTION\n.nf\n{roff(rest.strip())}\n.fi\n"
          ".SH SEE ALSO\n" + ("sluice(1)" if name == "sluiced" else "sluiced(1)"))


if __name__ == "__main__":
    main()
