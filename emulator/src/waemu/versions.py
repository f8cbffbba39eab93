"""Versions of the client: C(vN.N.N) as in image tags and C(meta.version)."""

from __future__ import annotations

import datetime as dt
import re
from typing import NamedTuple

_FORM = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
PUBLIC_LIFE = dt.timedelta(days=180)  # 2.1: odd middle number
BETA_LIFE = dt.timedelta(days=45)  # 2.1: even middle number


class Version(NamedTuple):
    """A client version; compares as numbers do."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"v{self.major}.{self.minor}.{self.patch}"

    @property
    def is_beta(self) -> bool:
        """Even middle numbers are beta builds."""
        return self.minor % 2 == 0

    @property
    def life(self) -> dt.timedelta:
        """How long a build works after its creation when no expiry date is given."""
        return BETA_LIFE if self.is_beta else PUBLIC_LIFE


def parse(text: str) -> Version:
    """Read C(v2.19.4) or C(2.19.4). Raises ValueError for anything else."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"version {text!r} is not of the form vN.N.N")
    return Version(*(int(part) for part in match.groups()))
