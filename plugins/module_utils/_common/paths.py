# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Absolute paths of a host, as text. Internal to waent.fleet: may change in any release. Pure."""

from __future__ import annotations


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def normalized(path: str) -> str:
    """An absolute path without what says nothing: C(//), C(/./) and a slash at the end. C(..) stays."""
    return "/" + "/".join(_parts(path))


def from_the_root(path: str) -> list[str]:
    """Itself and all directories above it, the root first."""
    parts = _parts(path)
    return ["/" + "/".join(parts[:count]) for count in range(len(parts) + 1)]
