# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of another host, with their templates filled in as on that host. Internal to waent.fleet.

What C(hostvars) gives is not that: there a template which itself asks C(hostvars), as an address that is taken from the
database's host, cannot be filled in.
"""

from __future__ import annotations

import multiprocessing
import typing as t
from collections.abc import Mapping

from ansible.template import Templar

_RAW: dict[tuple[int, str], t.Any] = {}
"""What C(raw_variables) has found out in this process."""


def raw_variables(hostvars: t.Any, host: str) -> t.Any:
    """The variables of a host, with their templates as they are written.

    Ansible puts them together for each question, from all files and groups. A process that works on one task sees none
    of them change, so there they are put together once for each host.
    """
    if multiprocessing.parent_process() is None:
        return hostvars.raw_get(host)
    key = id(hostvars), host
    if key not in _RAW:
        _RAW[key] = hostvars.raw_get(host)
    return _RAW[key]


def registered(hostvars: t.Any, host: str, name: str) -> t.Any:
    """What a task has registered or set for a host; None where there is nothing.

    Ansible keeps that apart. All variables of a host would have to be put together to find one of them in there, and
    the results of every host are needed several times.
    """
    kept = getattr(getattr(hostvars, "_variable_manager", None), "_nonpersistent_fact_cache", None)
    found = raw_variables(hostvars, host) if kept is None else kept.get(host) or {}
    return found.get(name)


def may_be_template(value: t.Any) -> bool:
    """Whether there may be something to fill in; what is not text of a known kind may always hold some."""
    if isinstance(value, str):
        return "{" in value or value.startswith("#jinja2")
    return not (value is None or isinstance(value, (bool, int, float)))


class HostValues(t.Mapping[str, t.Any]):
    """The variables of one host; an access raises what Ansible has for a template that cannot be filled in."""

    def __init__(self, hostvars: t.Any, host: str) -> None:
        raw = raw_variables(hostvars, host)
        # A host that the inventory has not: Ansible gives something undefined.
        self._raw: dict[str, t.Any] = {**raw, "hostvars": hostvars} if isinstance(raw, Mapping) else {}
        self._loader = hostvars._loader
        self._templar: Templar | None = None

    def __getitem__(self, name: str) -> t.Any:
        value = self._raw[name]
        if not may_be_template(value):
            return value
        self._templar = self._templar or Templar(loader=self._loader, variables=self._raw)
        return self._templar.template(value)

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
