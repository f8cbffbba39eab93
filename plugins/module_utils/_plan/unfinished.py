# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What shows that an upgrade or a reshard has begun and did not end. Internal to waent.fleet: may change. Pure.

Nothing is remembered between runs, so it is known from what such a run leaves: nodes of two versions, the container of
a schema upgrade, failover timers that are still shortened, coreapps that are not needed. Each problem names the command
that goes on. A run that is under way looks the same.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.host import cluster_nodes, ours
from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import webapp_url
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.product import SCHEMA_UPGRADE, TARGET_LABEL
from ansible_collections.waent.fleet.plugins.module_utils._common.text import amount, enumerate_all
from ansible_collections.waent.fleet.plugins.module_utils._common.version import Version, parse_version
from ansible_collections.waent.fleet.plugins.module_utils._plan.timers import NAMES

Entry = t.Mapping[str, t.Any]

UPGRADE, SURPLUS, TIMERS = "UPGRADE_UNFINISHED", "COREAPPS_SURPLUS", "TIMERS_SHORTENED"

_IF_NONE_RUNS = "has begun and not ended. If no run of it is under way, go on with"


class Found(t.NamedTuple):
    """What was read. nodes: as wa_placement returns them. hosts: as wa_host_info does. health: of wa_cluster_health.

    settings: application settings, empty where they were not read. declared, shortened: those of the inventory, and
    the failover timers during a switchover.
    """

    nodes: t.Sequence[Entry]
    hosts: t.Sequence[Entry] = ()
    health: Entry = {}
    settings: Entry = {}
    declared: Entry = {}
    shortened: Entry = {}


def unfinished(found: Found) -> list[Problem]:
    """Each of the two that has begun and not ended."""
    versions = node_versions(found)
    upgrade = upgrade_problems(versions, schema_targets(found.hosts))
    reshard = reshard_problems(found)
    timers = timer_problems(found, versions) if not upgrade and not reshard else []
    return upgrade + reshard + timers


def node_versions(found: Found) -> dict[str, Version]:
    """Version of each placed node: of its container where its host was read, else as it reports itself."""
    seen = {(host["name"], c["name"]): c["version"] for host in found.hosts for c in cluster_nodes(host)}
    reported = {node["name"]: node.get("version") for node in (found.health.get("cluster") or {}).get("nodes") or ()}
    answers = {webapp["url"]: webapp.get("version") for webapp in found.health.get("webapps") or ()}
    versions = {}
    for node in found.nodes:
        says = answers.get(webapp_url(node)) if node["kind"] == "webapp" else reported.get(node["key"])
        version = parse_version(seen.get((node["host"], node["name"])) or says)
        if version is not None:
            versions[node["key"]] = version
    return versions


def schema_targets(hosts: t.Iterable[Entry]) -> list[Version]:
    """To which versions a schema upgrade was begun of which the container is still there."""
    targets = {
        parse_version(((container.get("options") or {}).get("labels") or {}).get(TARGET_LABEL))
        for host in hosts
        for container in host["containers"]
        if container["kind"] == SCHEMA_UPGRADE and ours(container, host)
    }
    return sorted(target for target in targets if target is not None)


def upgrade_problems(versions: t.Mapping[str, Version], targets: t.Sequence[Version]) -> list[Problem]:
    """Nodes of two versions, or of another than the schema is made for. The newest is where it leads."""
    there = sorted(set(versions.values()))
    begun = [target for target in targets if there and target > there[0]]
    if len(there) < 2 and not begun:
        return []
    goal = max([*there, *begun])
    counts = [
        "{0} on {1}".format(version, amount(sum(one == version for one in versions.values()), "node"))
        for version in there
    ]
    message = "An upgrade to {0} {1} {3}. Now there is {2}.".format(
        goal, _IF_NONE_RUNS, enumerate_all(counts), instruction("upgrade_unfinished", version=goal)
    )
    return [Problem(UPGRADE, message, "version", str(goal))]


def reshard_problems(found: Found) -> list[Problem]:
    """Coreapps beyond those that are needed.

    Created for shards that were not set, left by shards that went, more than what has to survive asks for by now, or
    back with a host: that nobody can see, so the sentence has both commands.
    """
    surplus = sorted(node["key"] for node in found.nodes if node["kind"] == "coreapp" and node.get("surplus"))
    shards = (found.health.get("cluster") or {}).get("shards")
    if not surplus or not shards:
        return []
    message = (
        "{0} not needed for {1} and what has to survive: {2}. {3} removes what is too much, also where a host is back"
        " whose nodes were replaced. Where a reshard stopped half-way, {4} goes on, N being the number that it was to"
        " lead to.".format(
            amount(len(surplus), "coreapp") + (" is" if len(surplus) == 1 else " are"),
            amount(shards, "shard"),
            enumerate_all(surplus),
            instruction("surplus_coreapps", shards=shards),
            instruction("reshard_unfinished"),
        )
    )
    return [Problem(SURPLUS, message, "shards", shards)]


def timer_problems(found: Found, versions: t.Mapping[str, Version]) -> list[Problem]:
    """Failover timers as a switchover has them, which nobody declared: a node that is slow loses its shard."""
    short = [
        name
        for name in NAMES
        if name in found.settings
        and found.settings[name] == found.shortened.get(name)
        and found.declared.get(name) != found.settings[name]
    ]
    if not short or not versions:
        return []
    message = (
        "{0} as short as for a switchover: an upgrade or a reshard {1} the command that it was begun with;"
        " {2}, which the nodes have, restores the timers too.".format(
            enumerate_all("{0} is {1} s".format(name, found.settings[name]) for name in short) + ",",
            _IF_NONE_RUNS,
            instruction("timers_shortened", version=max(versions.values())),
        )
    )
    return [Problem(TIMERS, message, short[0], found.settings[short[0]])]
