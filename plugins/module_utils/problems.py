# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong, in one shape, whoever finds it. Internal to waent.fleet: may change in any release.

A problem has a stable code for playbooks and tests to branch on, and a sentence for the person who reads it.
Every check collects all its problems before anybody fails, so that one run tells everything there is to mend.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    code: stable, upper case, for example C(WA_SHARDS_INVALID).
    message: one sentence that names the variable, the value and what is allowed. Never holds a secret.
    variable, value: what the user can change and what it is now; C(value) is None for secrets.
    host: the inventory host or node that is concerned, None when it is the whole cluster.
    """

    code: str
    message: str
    variable: str | None = None
    value: t.Any = None
    host: str | None = None

    def as_dict(self) -> dict[str, t.Any]:
        """The shape modules return: C({code, message, variable, value, host})."""
        return asdict(self)


def summary(problems: t.Sequence[Problem]) -> str:
    """All problems as text, one line each: C([CODE] host: sentence)."""
    return "\n".join("[{0}] {1}{2}".format(p.code, p.host + ": " if p.host else "", p.message) for p in problems)
