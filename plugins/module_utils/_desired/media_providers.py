# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: media providers, the names under which the API keeps credentials for fetching media by link (reference 4.4).

Internal to waent.fleet: may change in any release. No sentence and nothing that is shown holds a credential.
"""

from __future__ import annotations

import collections
import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem

_NAME = re.compile(r"[^\x00-\x1f\x7f/]{1,100}\Z")

Provider = t.Mapping[str, t.Any]


class Change(t.NamedTuple):
    """One provider that differs. action: C(added), C(replaced) or C(deleted)."""

    name: str
    action: str


class Plan(t.NamedTuple):
    """What is sent. write: providers as the API takes them; delete: names."""

    changes: t.List[Change]
    write: t.List[t.Dict[str, t.Any]]
    delete: t.List[str]


def provider_problems(desired: t.Sequence[Provider], absent: t.Sequence[str] = ()) -> list[Problem]:
    """What cannot be meant."""
    found = []
    names = [str(provider["name"]) for provider in desired]
    for provider in desired:
        name = str(provider["name"])
        if not _NAME.match(name):
            text = "providers has the name {0!r}; allowed are 1 to 100 characters without / and control characters."
            found.append(_problem(text.format(name), name))
        said = _credentials_wrong(provider)
        if said:
            found.append(_problem("Provider {0!r} {1}.".format(name, said), name))
    for name, times in sorted(collections.Counter(names).items()):
        if times > 1:
            found.append(
                _problem("providers names {0!r} {1} times; each name is allowed once.".format(name, times), name)
            )
    for name in sorted(set(names) & set(absent)):
        found.append(_problem("{0!r} is in providers and in absent; it can be in one of them.".format(name), name))
    return found


def _credentials_wrong(provider: Provider) -> str | None:
    bearer, username, password = (provider.get(key) for key in ("bearer", "username", "password"))
    if bearer and (username or password):
        return "has a bearer and a username or password; one of the two ways is allowed"
    if not bearer and not (username and password):
        return "needs a bearer, or a username and a password"
    return None


def _problem(text: str, name: str) -> Problem:
    return Problem("MEDIA_PROVIDER_INVALID", text, "providers", name)


def as_api(provider: Provider) -> dict[str, t.Any]:
    """A provider as the API takes and answers it."""
    config: dict[str, t.Any] = {"bearer": provider.get("bearer")}
    if not config["bearer"]:
        config = {"basic": {"username": provider["username"], "password": provider["password"]}}
    return {"name": provider["name"], "type": "www", "config": config}


def plan(desired: t.Sequence[Provider], absent: t.Sequence[str], exclusive: bool, actual: t.Sequence[Provider]) -> Plan:
    """What leads from the actual providers, as the API answers them, to the desired ones.

    exclusive: those that are not desired go. A provider whose credentials the API does not show is taken for another.
    """
    asked = [as_api(provider) for provider in desired]
    now = {str(provider.get("name")): provider for provider in actual}
    write = [provider for provider in asked if not _same(provider, now.get(provider["name"]))]
    gone = set(now) - {provider["name"] for provider in asked} if exclusive else set(absent) & set(now)
    changes = [Change(one["name"], "replaced" if one["name"] in now else "added") for one in write]
    return Plan(sorted(changes + [Change(name, "deleted") for name in gone]), write, sorted(gone))


def _same(desired: Provider, actual: Provider | None) -> bool:
    if actual is None:
        return False
    return all(_set_only(actual.get(key)) == desired[key] for key in ("type", "config"))


def _set_only(value: t.Any) -> t.Any:
    """Without members that are null: how the API shows the one of two ways that is not used is not documented."""
    if isinstance(value, t.Mapping):
        return {key: _set_only(inner) for key, inner in value.items() if inner is not None}
    return value


def shown(provider: Provider, credentials: str) -> dict[str, str]:
    """A provider of the API as it may be shown, without its name. credentials: what to show in place of them."""
    config = provider.get("config")
    kinds = sorted(key for key, value in (config if isinstance(config, t.Mapping) else {}).items() if value)
    return {"kind": " and ".join(kinds) or "unknown", "credentials": credentials}


def both_sides(planned: Plan, actual: t.Sequence[Provider]) -> dict[str, dict[str, dict[str, str]]]:
    """C(before) and C(after) of the difference by name, without what stays as it is."""
    changed = {change.name for change in planned.changes}
    now = {str(provider.get("name")): provider for provider in actual}
    return {
        "before": {name: shown(now[name], "as they are") for name in sorted(changed & set(now))},
        "after": {str(one["name"]): shown(one, "new (not shown)") for one in planned.write},
    }
