# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/reference, one page for each module, filter and role, from their own documentation: C(make docs).

The index has two shelves: what users call and set, and what only the playbooks use. On which one something stands is
decided by its documentation: modules and filters with the fragment C(waent.fleet.attributes.internal) are the
playbooks', roles whose description begins with C(VARIABLES) hold variables for users.

With C(--check) nothing is written: it fails where the committed pages are not what would be written, and where the
documentation breaks a rule of antsibull-docs, for example by naming a module that does not exist.
"""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "reference"
FRESH = ROOT / ".cache" / "reference"
TOOLS = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PATH": os.pathsep.join([str(TOOLS), os.environ.get("PATH", os.defpath)])}


COLLECTION = "waent.fleet."
INTERNAL = "Used by the playbooks of this collection."
VARIABLES = "Its variables are for the inventory"
OF_ROLES = (VARIABLES, "Used by the playbooks")
"""How the entry point begins that describes its whole role, where that is not C(main)."""
TITLES = {"module": "Modules", "lookup": "Lookups", "filter": "Filters", "role": "Roles"}


class Entry(t.NamedTuple):
    """One page of the reference. kind: module, filter or role. text: its description, for roles that of all of it."""

    kind: str
    name: str
    summary: str
    text: str

    @property
    def for_users(self) -> bool:
        """Which shelf it stands on."""
        return self.text.startswith(VARIABLES) if self.kind == "role" else INTERNAL not in self.text

    def line(self) -> str:
        """Its line of the index."""
        return f"* `{self.name} <{self.name}_{self.kind}.rst>`__ -- {self.summary}"


def documented() -> list[Entry]:
    """All there is to document, by kind and name. Raises CalledProcessError where ansible-doc cannot read it."""
    command = [str(TOOLS / "ansible-doc"), "--metadata-dump", "--no-fail-on-errors", COLLECTION.rstrip(".")]
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, check=True, capture_output=True, text=True)
    everything = json.loads(done.stdout)["all"]
    return [
        entry_of(kind, name.removeprefix(COLLECTION), everything[kind][name])
        for kind in TITLES
        for name in sorted(everything.get(kind, ()))
        if name.startswith(COLLECTION)
    ]


def entry_of(kind: str, name: str, found: dict[str, t.Any]) -> Entry:
    """One plugin or role as ansible-doc describes it."""
    doc = entry_point(found["entry_points"]) if kind == "role" else found["doc"]
    return Entry(kind, name, doc["short_description"], " ".join([*doc["description"], *doc.get("notes", [])]))


def entry_point(found: dict[str, dict[str, t.Any]]) -> dict[str, t.Any]:
    """The entry point that describes its role."""
    describing = (doc for doc in found.values() if doc["description"][0].startswith(OF_ROLES))
    return next(describing, None) or found["main"]


def index(entries: list[Entry]) -> str:
    """The first page of the reference."""
    users = [entry for entry in entries if entry.for_users]
    playbooks = [entry for entry in entries if not entry.for_users]
    title = "Reference of waent.fleet"
    intro = "All of the collection, by who uses it. Written by ``make docs``; guides are in `docs <../README.md>`__."
    lines = [title, "=" * len(title), "", intro]
    lines += shelf("For users", users, {**TITLES, "role": "Variables, by role"}, ("role", "module", "lookup", "filter"))
    lines += shelf("Used by the playbooks", playbooks, TITLES, ("module", "lookup", "filter", "role"))
    return "\n".join([*lines, ""])


def shelf(title: str, entries: list[Entry], titles: t.Mapping[str, str], order: t.Sequence[str]) -> list[str]:
    """One part of the index, with a list for each kind of which there is something."""
    lines = ["", title, "-" * len(title)]
    for kind in order:
        of_kind = [entry.line() for entry in entries if entry.kind == kind]
        if of_kind:
            lines += ["", titles[kind], "~" * len(titles[kind]), "", *of_kind]
    return lines


def antsibull_docs(*arguments: str) -> bool:
    """Run antsibull-docs with its output shown; whether it succeeded."""
    command = [str(TOOLS / "antsibull-docs"), *arguments]
    return subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, check=False).returncode == 0


def write_pages(directory: Path) -> bool:
    """Write all pages into an empty directory; whether every one could be."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    written = antsibull_docs(
        "--config-file",
        "tools/antsibull-docs.cfg",
        "collection",
        "--use-current",
        "--squash-hierarchy",
        "--fail-on-error",
        "--output-format",
        "simplified-rst",
        "--dest-dir",
        str(directory),
        "waent.fleet",
    )
    (directory / "index.rst").write_text(index(documented()))
    return written


def differences(committed: Path, fresh: Path) -> list[str]:
    """One sentence for each page that is missing, left over or out of date."""
    compared = filecmp.dircmp(committed, fresh)
    _, changed, unreadable = filecmp.cmpfiles(committed, fresh, compared.common_files, shallow=False)
    return (
        [f"{name} is missing" for name in compared.right_only]
        + [f"{name} belongs to nothing" for name in compared.left_only]
        + [f"{name} is out of date" for name in changed + unreadable]
    )


def check() -> int:
    """Compare with what is committed; returns the process's exit code."""
    content = write_pages(FRESH)
    PAGES.mkdir(parents=True, exist_ok=True)
    found = differences(PAGES, FRESH)
    for sentence in found:
        print(f"docs/reference: {sentence}")
    if found:
        print("make docs writes them.")
    follows_rules = antsibull_docs("lint-collection-docs", "--plugin-docs", "--skip-rstcheck", ".")
    return 0 if content and follows_rules and not found else 1


def main() -> int:
    """Returns the process's exit code."""
    if sys.argv[1:] == ["--check"]:
        return check()
    return 0 if write_pages(PAGES) else 1


if __name__ == "__main__":
    sys.exit(main())
