# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ordered steps of an upgrade. Internal to waent.fleet: may change in any release. Pure.

Rolling, within one line of versions: standbys, owners one at a time, each with a switchover to a standby that is new
already, secondary masters, the primary, webapps; then, host by host, those whose media share has to be mounted again.
Schema, between lines: everything that writes stops, the schema is
upgraded once, everything starts again (reference 6.4). Planned again from what is read, it is the rest of the old plan.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.text import amount
from ansible_collections.waent.fleet.plugins.module_utils._common.version import Version
from ansible_collections.waent.fleet.plugins.module_utils._plan.remount import remount_problems, remounts
from ansible_collections.waent.fleet.plugins.module_utils._plan.simulate import simulate
from ansible_collections.waent.fleet.plugins.module_utils._plan.step import (
    RESTART_SECONDS,
    Step,
    downtime,
    listed,
    shards_text,
    switchover,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import DONE, ClusterState, NodeState

SCHEMA_SECONDS = 180
"""A schema upgrade of a small database between two restarts of everything. Large ones take far longer."""

STRATEGIES = ("auto", "rolling", "schema")

PUBLIC_LINES = (
    (2, 19), (2, 21), (2, 23), (2, 25), (2, 27), (2, 29), (2, 31), (2, 33), (2, 35), (2, 37), (2, 39), (2, 41),
    (2, 43), (2, 45), (2, 53), (2, 57), (2, 63),
)  # fmt: skip
"""Lines of versions that were published (reference 6.4)."""

MOST_LINES = 2
"""A jump of more lines at once is warned about."""


@dataclass(frozen=True)
class UpgradePlan:
    """The steps, the strategy they follow, what forbids to begin, and what the reader should know before."""

    strategy: str
    steps: tuple[Step, ...]
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def plan_upgrade(
    state: ClusterState, desired: Version, strategy: str = "auto", allow_no_ha: bool = False
) -> UpgradePlan:
    """The steps to the version. None when every node is in its desired state and alive."""
    chosen = chosen_strategy(state, desired, strategy)
    if not _pending(state, desired):
        return UpgradePlan(chosen, ())
    problems = _version_problems(state, desired, chosen)
    if chosen == "rolling":
        problems += _spare_problems(state, desired, allow_no_ha)
        problems += remount_problems(state, allow_no_ha)
    if problems:
        return UpgradePlan(chosen, (), tuple(problems))
    steps = _rolling(state, desired) if chosen == "rolling" else _schema(state, desired)
    return UpgradePlan(chosen, tuple(steps), warnings=tuple(_jump_warnings(state, desired)))


def chosen_strategy(state: ClusterState, desired: Version, strategy: str) -> str:
    """What the user has asked for; where that is C(auto), what fits."""
    return choose_strategy(state, desired) if strategy == "auto" else strategy


def choose_strategy(state: ClusterState, desired: Version) -> str:
    """C(rolling) where every core is of the target's line, C(schema) otherwise, and while a schema upgrade is on."""
    lines = {node.version.line for node in state.nodes if node.version and node.kind != "webapp"}
    if lines <= {desired.line}:
        return "rolling"
    return "schema"


def _pending(state: ClusterState, desired: Version) -> bool:
    return any(node.outdated(desired) or not node.alive or node.remount for node in state.nodes)


# Refusals


def _version_problems(state: ClusterState, desired: Version, strategy: str) -> list[Problem]:
    versions = {node.version for node in state.nodes if node.version}
    newer = sorted(version for version in versions if version > desired)
    problems = []
    if newer and (newer[-1].line != desired.line or desired not in versions):
        message = (
            "version is {0}, but the cluster runs {1} already; the product knows no downgrade. Going back is possible"
            " only while an upgrade within one line is under way; otherwise restore the snapshot of the database that"
            " was taken before.".format(desired, newer[-1])
        )
        problems.append(Problem("DOWNGRADE", message, "version", str(desired)))
    other = sorted({version for version in versions if version.line != desired.line})
    cores = {node.version for node in state.nodes if node.kind != "webapp" and node.version}
    if strategy == "rolling" and any(version.line != desired.line for version in cores):
        message = (
            "upgrade_strategy is rolling, but from {0} to {1} the schema of the database may change; allowed is schema"
            " or auto.".format(other[0], desired)
        )
        problems.append(Problem("STRATEGY_NEEDS_SCHEMA", message, "upgrade_strategy", strategy))
    return problems


def _spare_problems(state: ClusterState, desired: Version, allow_no_ha: bool) -> list[Problem]:
    """Rolling needs somebody to take over, for coreapps and for masters. Dead nodes are started first and count."""
    problems: list[Problem] = []
    coreapps, masters = state.of("coreapp"), state.of("master")
    if allow_no_ha:
        return problems
    if any(node.alive and node.outdated(desired) for node in coreapps) and len(coreapps) <= state.shards:
        message = (
            "{0} for {1}: none could take over while another is recreated; raise wa_survive, or wa_coreapps of a host,"
            " and run {3}, which adds a coreapp, or set wa_allow_no_ha to true and accept about {2} s without service"
            " on each shard.".format(
                amount(len(coreapps), "coreapp"),
                amount(state.shards, "shard"),
                RESTART_SECONDS,
                instruction("no_spare"),
            )
        )
        problems.append(Problem("NO_SPARE", message, "wa_allow_no_ha", allow_no_ha))
    if any(node.alive and node.outdated(desired) for node in masters) and len(masters) < 2:
        message = (
            "There is 1 master: nobody watches the coreapps while it is recreated; raise wa_survive, or wa_masters of a"
            " host, and run {0}, which adds a master, or set wa_allow_no_ha to true."
        ).format(instruction("no_second_master"))
        problems.append(Problem("NO_SECOND_MASTER", message, "wa_allow_no_ha", allow_no_ha))
    return problems


def _jump_warnings(state: ClusterState, desired: Version) -> list[Problem]:
    versions = [node.version for node in state.nodes if node.version]
    oldest = min(versions, default=desired)
    lines = [line for line in PUBLIC_LINES if oldest.line < line <= desired.line]
    if len(lines) <= MOST_LINES:
        return []
    message = (
        "From {0} to {1} is a jump over {2} published lines of versions; nobody documents that it works, try it on a"
        " copy first.".format(oldest, desired, len(lines))
    )
    return [Problem("VERSION_JUMP", message, "version", str(desired))]


# Rolling


def _rolling(state: ClusterState, desired: Version) -> list[Step]:
    steps = _revive(state, desired)
    for step in list(steps):
        state = simulate(state, step, desired)
    changes = [step for part in (_standbys, _owners, _masters, _webapps) for step in part(state, desired)]
    for step in changes:
        state = simulate(state, step, desired)
    return steps + changes + remounts(state)


def _revive(state: ClusterState, desired: Version) -> list[Step]:
    """What is dead serves nobody, so it costs nothing; alive and new, it can take a shard over."""
    dead = [node for node in state.nodes if not node.alive and node.kind != "webapp"]
    if not dead:
        return []
    keys = _keys(dead)
    return [_replace(state, keys, "Run what does not report, as {0}: {1}.".format(desired, ", ".join(keys)))]


def _standbys(state: ClusterState, desired: Version) -> list[Step]:
    """One first, to see that the new version works here; it is the spare while the others follow all at once."""
    standbys = [node for node in state.of("coreapp") if not node.shards]
    old = [node for node in standbys if node.outdated(desired)]
    proven = len(old) < len(standbys)
    batches = [old] if proven else [old[:1], old[1:]]
    return [
        _replace(
            state,
            _keys(batch),
            "Replace {0} without a shard: {1}.".format(amount(len(batch), "coreapp"), ", ".join(_keys(batch))),
        )
        for batch in batches
        if batch
    ]


def _owners(state: ClusterState, desired: Version) -> list[Step]:
    spare = any(node.alive and not node.shards for node in state.of("coreapp"))
    steps = []
    for node in state.of("coreapp"):
        if not node.shards or not node.outdated(desired):
            continue
        shards = sorted(node.shards)
        if not spare:
            sentence = "Replace {0}, which owns {1}; nobody can take over, about {2} s without service there.".format(
                node.key, shards_text(shards), RESTART_SECONDS
            )
            steps.append(_replace(state, (node.key,), sentence, downtime(shards, RESTART_SECONDS)))
            continue
        steps.append(switchover(node.key, shards, "an up-to-date standby"))
        sentence = "Replace {0}, which owns nothing any more; it is a standby from then on.".format(node.key)
        steps.append(_replace(state, (node.key,), sentence))
    return steps


def _masters(state: ClusterState, desired: Version) -> list[Step]:
    """The primary last, so that it is followed by one that is new."""
    masters = sorted(state.of("master"), key=lambda node: (node.primary, node.key))
    steps = []
    for node in masters:
        if not node.outdated(desired):
            continue
        role = "the primary master" if node.primary else "a secondary master"
        effect = "; another master follows it" if node.primary and len(masters) > 1 else ""
        if len(masters) == 1:
            effect = "; until it is back nobody takes over from a coreapp that fails"
        sentence = "Replace {0}, {1}{2}.".format(node.key, role, effect)
        steps.append(_replace(state, (node.key,), sentence))
    return steps


def _webapps(state: ClusterState, desired: Version) -> list[Step]:
    """One at a time. The only one there is takes the API with it while it starts."""
    webapps = state.of("webapp")
    steps = []
    for node in sorted(webapps, key=lambda node: (node.alive, node.key)):
        if node.alive and not node.outdated(desired):
            continue
        only = node.alive and len(webapps) == 1
        sentence = "Replace {0}, a webapp{1}.".format(
            node.key, ", the only one: no API for about {0} s".format(RESTART_SECONDS) if only else ""
        )
        steps.append(
            _replace(state, (node.key,), sentence, downtime(range(state.shards), RESTART_SECONDS) if only else ())
        )
    return steps


# Schema


def _schema(state: ClusterState, desired: Version) -> list[Step]:
    """Nothing of the old line runs while the schema changes, and nothing of it runs afterwards."""
    cores = [node for node in state.nodes if node.kind != "webapp"]
    old = [node for node in cores if node.outdated(desired)]
    moved = any(node.alive and not node.outdated(desired) for node in cores)
    steps = [] if moved or state.schema else _before_schema(old)
    for kind in ("coreapp", "master"):
        running = _keys(node for node in old if node.kind == kind and node.alive)
        if running:
            sentence = "Stop {0}.".format(listed(kind, running))
            steps.append(Step("stop", running, (("away", list(running)),), _outage(state, kind), sentence))
    if not moved and state.schema != DONE:
        sentence = "Upgrade the schema of the database to {0}, until the one-shot container ends with code 0.".format(
            desired
        )
        steps.append(Step("schema_upgrade", (), (("schema", str(desired)),), sentence=sentence))
    for kind in ("master", "coreapp"):
        keys = _keys(node for node in state.of(kind) if node.outdated(desired) or not node.alive)
        if keys:
            sentence = "Replace {0}.".format(listed(kind, keys))
            steps.append(_replace(state, keys, sentence))
    return steps + _webapps(state, desired)


def _outage(state: ClusterState, kind: str) -> tuple[tuple[int, int], ...]:
    return downtime(range(state.shards), SCHEMA_SECONDS) if kind == "coreapp" else ()


def _before_schema(old: t.Sequence[NodeState]) -> list[Step]:
    """A snapshot to come back to, and as few old messages as possible; the cleanup needs coreapps that run."""
    steps = [Step("snapshot", (), (), sentence="Take a snapshot of the database, the only way back.")]
    if any(node.kind == "coreapp" and node.alive for node in old):
        steps.append(Step("cleanup", (), (), sentence="Clean up old messages, which makes the upgrade shorter."))
    return steps


# Shared


def _keys(nodes: t.Iterable[NodeState]) -> tuple[str, ...]:
    return tuple(sorted(node.key for node in nodes))


def _replace(state: ClusterState, keys: tuple[str, ...], sentence: str, cost: tuple[tuple[int, int], ...] = ()) -> Step:
    return Step("replace", keys, (("alive", list(keys)), ("connected", state.shards)), cost, sentence)
