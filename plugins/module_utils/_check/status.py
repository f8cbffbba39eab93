# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a cluster, put together from what was read of hosts, database and API. Internal to waent.fleet. Pure.

Each part is the result of a module, and may be one that failed: with half of it away, the other half is still shown.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import lines_of

Result = t.Mapping[str, t.Any]

UNHEALTHY = "The cluster is not healthy."


def spares(health: Result, nodes: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """The spare coreapps. A node that the inventory does not place is nobody's spare."""
    placed = {node["key"] for node in nodes}
    return [name for name in (health.get("cluster") or {}).get("spares") or () if name in placed]


def cluster_lines(health: Result, identity: Result, nodes: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """The table of nodes, its summary, the spares, and what stays unknown."""
    lines = [*(health.get("table") or ()), "", health.get("summary") or health.get("msg") or ""]
    if health.get("cluster") is not None:
        lines.append("spare coreapps: {0}".format(", ".join(spares(health, nodes)) or "none"))
    return lines + list(identity.get("notes") or ())


def drift_lines(preflight: Result, settings: Result) -> list[str]:
    """What site.yml would change on hosts and of the application settings, under a heading; empty for nothing."""
    changed = [
        "setting {name} from {before} to {after}".format(**{name: _shown(one.get(name)) for name in one})
        for one in settings.get("changes") or ()
    ]
    found = [*(preflight.get("changes") or ()), *changed]
    return ["site.yml would change:", *("  " + line for line in found)] if found else []


def _shown(value: t.Any) -> str:
    """As the settings are written in an inventory."""
    return str(value).lower() if isinstance(value, bool) else "nothing" if value is None else str(value)


def refusal(health: Result, identity: Result, preflight: Result) -> str:
    """Everything that is wrong; empty where the cluster is healthy and the inventory's. Warnings leave it healthy."""
    wrong = not health.get("healthy") or identity.get("problems") or preflight.get("problems")
    return "\n".join(lines_of([health, identity, preflight])) or UNHEALTHY if wrong else ""
