# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packages make an engine with its command on a host. Internal to waent.fleet: may change in any release. Pure.

With some releases the command is part of the engine's package, with some a package of its own that the engine only
recommends, and recommended packages are not installed. What a release does, its own package lists say.
"""

from __future__ import annotations

import re
import typing as t

COMMANDS = frozenset(("docker-cli", "docker-ce-cli", "moby-cli"))
"""Packages that have the command C(docker) and nothing else."""


def engine_packages(desired: t.Sequence[str], records: str) -> list[str]:
    """What to install: the desired packages, and the command where one of them recommends it.

    records: what C(apt-cache show) says of the desired ones. One without a record is left for apt to complain about.
    """
    recommended = set()
    for line in records.splitlines():
        field, colon, value = line.partition(":")
        if colon and field == "Recommends":
            # Alternatives: the first is what the release means.
            recommended |= {_name(entry.split("|")[0]) for entry in value.split(",")}
    present = {_name(package) for package in desired}
    return [*desired, *sorted((recommended & COMMANDS) - present)]


def _name(package: str) -> str:
    """The name without version and architecture: C(docker-cli:amd64 (>= 26)), C(docker-cli=26.1)."""
    return re.split(r"[\s:=(]", package.strip(), maxsplit=1)[0]
