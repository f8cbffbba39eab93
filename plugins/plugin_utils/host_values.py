# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of another host, with their templates filled in as on that host. Internal to waent.fleet.

What C(hostvars) gives is not that: there a template which itself asks C(hostvars), as an address that is taken from the
database's host, cannot be filled in.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible.template import Templar


class HostValues(t.Mapping[str, t.Any]):
    """The variables of one host; an access raises what Ansible has for a template that cannot be filled in."""

    def __init__(self, hostvars: t.Any, host: str) -> None:
        raw = hostvars.raw_get(host)
        # A host that the inventory has not: Ansible gives something undefined.
        self._raw: dict[str, t.Any] = {**raw, "hostvars": hostvars} if isinstance(raw, Mapping) else {}
        self._templar = Templar(loader=hostvars._loader, variables=self._raw)

    def __getitem__(self, name: str) -> t.Any:
        return self._templar.template(self._raw[name])

    def __contains__(self, name: object) -> bool:
        return name in self._raw

    def __iter__(self) -> t.Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)


class ShownValues(HostValues):
    """The same; a template that cannot be filled in stays as it is written, so that whoever checks it can show it."""

    def __getitem__(self, name: str) -> t.Any:
        try:
            return super().__getitem__(name)
        except KeyError:
            raise
        except Exception:  # Ansible has a family of errors for templates, another in each release.
            return self._raw[name]


class EveryHost(t.Mapping[str, t.Mapping[str, t.Any]]):
    """What C(hostvars) is, with C(ShownValues)."""

    def __init__(self, hostvars: t.Any) -> None:
        self._hostvars = hostvars

    def __getitem__(self, host: str) -> t.Mapping[str, t.Any]:
        return ShownValues(self._hostvars, host)

    def __iter__(self) -> t.Iterator[str]:
        return iter(self._hostvars)

    def __len__(self) -> int:
        return len(self._hostvars)
