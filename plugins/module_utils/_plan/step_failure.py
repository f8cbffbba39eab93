# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said when a step fails: where it stopped, why, the last log lines, and how to go on. Internal. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._plan.step import by_host

LOG_LINES = 8
"""So many of the last lines that the node logged are shown."""

CODES = {
    "upgrade": "UPGRADE_STOPPED",
    "reshard": "RESHARD_STOPPED",
    "drain": "DRAIN_STOPPED",
    "adopt": "ADOPT_STOPPED",
    "site": "SITE_STOPPED",
}
HEADS = {
    "upgrade": "The upgrade to {0}",
    "reshard": "The reshard to {0} shards",
    "drain": "The drain of {0}",
    "site": "The rolling change",
    "adopt": "The adoption",
}
CHANGED = {
    "replace": "Replaced", "create": "Created", "start": "Started", "remove": "Removed", "adopt": "Adopted",
    "remount": "Restarted on the share that was mounted again",
}  # fmt: skip

_SCHEMA = (
    "Masters and coreapps of the old version stay stopped, since the schema may be half upgraded. Fix what the log"
    " shows and run {0}; or restore the snapshot of the database, remove the container {1} and run {2}, OLD being the"
    " version before."
)
_AGAIN = "Nodes that were not touched serve as before. Fix the reason and run {0}: it goes on where it stopped.".format(
    instruction("step_failed")
)
_BACK = {
    "upgrade": " Within one line of versions, {0} leads back in the same order, OLD being the version before.".format(
        instruction("upgrade_back")
    ),
    "reshard": " {0} leads back in the same order, OLD being the number of shards before.".format(
        instruction("reshard_back")
    ),
}


def step_failure(
    operation: str,
    target: t.Any,
    entry: t.Mapping[str, t.Any],
    batches: t.Sequence[t.Iterable[t.Mapping[str, t.Any]]],
    why: str,
    nodes: t.Sequence[str] = (),
    log: t.Sequence[str] = (),
    still_shortened: bool = False,
    one_shot: str = "",
) -> str:
    """The whole message.

    operation: C(upgrade), C(reshard), C(drain) or C(site). target: its version, number of shards or hosts. entry: the
    one that failed, batches: all, as C(batches.py) makes them. nodes: what was found out about nodes, one line each.
    log: what the node of the entry logged. still_shortened: the failover timers could not be restored. one_shot: name
    of the container that upgrades the schema.
    """
    head = HEADS[operation].format(target)
    lines = ["[{0}] {1} stopped at step {2}: {3}".format(CODES[operation], head, entry["step"], entry["sentence"])]
    lines.append("Why: {0}".format(why))
    lines += nodes
    if log:
        lines += ["Last log lines:", *("  " + line for line in list(log)[-LOG_LINES:])]
    lines += _progress(entry, batches)
    if still_shortened:
        lines.append("The failover timers could not be restored and are still short; the next run restores them.")
    if entry["action"] == "schema_upgrade":
        lines.append(_SCHEMA.format(instruction("schema_failed"), one_shot, instruction("schema_failed_back")))
    else:
        lines += _old_container(entry)
        lines.append(_AGAIN + (_BACK.get(operation, "") if _leads_back(operation, entry, batches) else ""))
    return "\n".join(lines)


def _old_container(entry: t.Mapping[str, t.Any]) -> list[str]:
    """Until the cluster has the node that comes in its place, a container of a compose file is only stopped."""
    replaced = (entry["node"] or {}).get("replaces")
    if entry["action"] != "adopt" or not replaced:
        return []
    text = (
        "{0} of the compose file may be stopped by now and is not removed: docker stop {1}, then docker start {0}, on"
    )
    return [(text + " {2} have it serve as before.").format(replaced["name"], entry["node"]["name"], entry["host"])]


def _leads_back(
    operation: str, entry: t.Mapping[str, t.Any], batches: t.Sequence[t.Iterable[t.Mapping[str, t.Any]]]
) -> bool:
    """Whether the operation can be undone by itself: an upgrade only while a node of the old version is left."""
    later = (one for batch in batches for one in batch if one["step"] > entry["step"])
    return operation != "upgrade" or any(one["node"] and one["action"] == "replace" for one in later)


def _progress(entry: t.Mapping[str, t.Any], batches: t.Iterable[t.Iterable[t.Mapping[str, t.Any]]]) -> list[str]:
    """Which nodes were changed by the steps before, and which were not."""
    changes = [one for batch in batches for one in batch if one["node"] and one["action"] in CHANGED]
    done = [one for one in changes if one["step"] < entry["step"]]
    left = [by_host(one["node"]) for one in changes if one["step"] >= entry["step"]]
    lines = []
    for action, word in CHANGED.items():
        names = [by_host(one["node"]) for one in done if one["action"] == action]
        if names:
            lines.append("{0}: {1}.".format(word, ", ".join(names)))
    if not lines:
        lines.append("No node was changed.")
    return lines + ["Not yet: {0}.".format(", ".join(left))] if left else lines
