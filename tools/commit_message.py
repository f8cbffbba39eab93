#!/usr/bin/env python3
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks a commit message, as git's hook commit-msg calls it: with the file that holds the message.

The subject is C(area: verb ...) of at most 72 characters, so that C(git log --oneline) can be read; the body, after an
empty line, says why. What git writes by itself (merges, reverts, fixups) is left alone.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

LONGEST = 72
SUBJECT = re.compile(r"[a-z0-9_][a-z0-9_./-]*(, [a-z0-9_][a-z0-9_./-]*)*: [a-z]\S* ?\S.*")
OF_GIT = ("Merge ", "Revert ", "fixup! ", "squash! ", "amend! ")
CUT = "# ------------------------ >8 ------------------------"


def problems(message: str) -> list[str]:
    """What is wrong with a message, one sentence each. Comments, and all that follows git's scissors, do not count."""
    text = message.partition(CUT)[0]
    lines = [line.rstrip() for line in text.splitlines() if not line.startswith("#")]
    while lines and not lines[0]:
        del lines[0]
    subject = lines[0] if lines else ""
    if subject.startswith(OF_GIT):
        return []
    found = []
    if not SUBJECT.fullmatch(subject):
        found.append(
            f"The subject is {subject!r}; it has to be 'area: verb ...', for example 'upgrade: stop at a lost host'."
        )
    if len(subject) > LONGEST:
        found.append(f"The subject has {len(subject)} characters; at most {LONGEST} are allowed.")
    if subject.endswith("."):
        found.append("The subject ends with a full stop; leave it out.")
    if len(lines) > 1 and lines[1]:
        found.append("The second line has text; leave it empty, the body begins after it.")
    return found


def main() -> int:
    """Returns the process's exit code: 1 when something is wrong, 2 without a file."""
    if len(sys.argv) != 2:
        print("usage: commit_message.py FILE", file=sys.stderr)
        return 2
    found = problems(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for sentence in found:
        print(sentence, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
