# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of the client, with or without their leading v. Internal to waent.fleet: may change. Pure."""

from __future__ import annotations

import re
import typing as t


class Version(t.NamedTuple):
    """A version of the client. Compares by number, prints with the leading v that image tags have."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return "v{0}.{1}.{2}".format(*self)

    @property
    def line(self) -> tuple[int, int]:
        """Major and minor number: within one line an upgrade can be rolled node by node."""
        return (self.major, self.minor)


def parse_version(text: t.Any) -> Version | None:
    """C(v2.19.4) or C(2.19.4) as a Version; None for anything else."""
    if not isinstance(text, str):
        return None
    match = re.fullmatch(r"v?([0-9]{1,6})\.([0-9]{1,6})\.([0-9]{1,6})", text)
    return Version(*(int(part) for part in match.groups())) if match else None


def plain_version(text: str) -> str:
    """C(v2.19.4) as C(2.19.4). What an API reports may be no version at all, and is compared as it is."""
    return text[1:] if text.startswith("v") else text


def same_version(one: str, other: str) -> bool:
    """Whether two texts name the same version, with or without the v."""
    return plain_version(one) == plain_version(other)
