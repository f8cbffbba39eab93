# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was read to the result of wa_rotation. Internal to waent.fleet: may change in any release. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.host import cluster_nodes
from ansible_collections.waent.fleet.plugins.module_utils._check.rotation import (
    MISSING,
    SECRETS,
    Found,
    left_problems,
    nobody_problems,
    rotation_lines,
    rotation_problems,
)
from ansible_collections.waent.fleet.plugins.module_utils._check.status import unread_problems
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._plan.site import differences

Entry = t.Mapping[str, t.Any]


def answer(params: Entry) -> tuple[dict[str, t.Any], list[Problem]]:
    """The module's result for its options, and what keeps the secret from being rotated."""
    asked = str(params["rotate"])
    found = nodes_that_differ(params["nodes"], params["hosts"])
    names = [node.name for node in found if node.differs & set(SECRETS[asked].environment)]
    result = {
        "nodes": names,
        "sentences": rotation_lines(asked, names),
        "outage": SECRETS[asked].outage and bool(names),
    }
    if asked == "admin_password":
        return result, []
    # Unknown is not absent: a node on a host that was not read may have any secret.
    unread = unread_problems(params["unread"], params["spared"])
    if unread:
        return result, unread
    if params["done"]:
        return result, left_problems(asked, found)
    site = instruction("rotate_other_changes")
    if all(node.other == MISSING for node in found) and len(found) == len(params["nodes"]):
        return result, nobody_problems(site)
    return result, rotation_problems(asked, found, site) if names else []


def nodes_that_differ(nodes: t.Iterable[Entry], hosts: t.Iterable[Entry]) -> list[Found]:
    """The placed nodes whose containers are not as desired, or not there, on hosts that were read."""
    by_host = {host["name"]: host for host in hosts}
    found = []
    for node in nodes:
        host = by_host.get(node["host"])
        container = next((one for one in cluster_nodes(host) if one["name"] == node["name"]), None) if host else None
        name = "{0} on {1}".format(node["name"], node["host"])
        if host is None:
            continue
        if container is None:
            found.append(Found(name, frozenset(), MISSING))
            continue
        other = [one.text for one in differences(host, node, container) if not one.text.startswith("environment: ")]
        differs = frozenset(container["environment_differs"])
        if differs or other:
            found.append(Found(name, differs, tuple(other)))
    return found
