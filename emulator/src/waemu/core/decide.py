"""What the primary master decides, from what it has read. Pure: no I/O, no clock; all times in product seconds.

Rules: reference 3.2 (shard map), 3.3 (detection) and 3.6 (promotion).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from waemu.clock import LIVENESS_STALE
from waemu.shards import CONTROL_SHARD
from waemu.store.cluster import Owner

CHECK_MARGIN = 0.05  # so that the silence is over the limit when it is read, not just under it

Changes = dict[int, Owner | None]


@dataclass(frozen=True)
class NodeView:
    """What the primary knows of one coreapp.

    instance_id: the boot that last answered, or wrote its row. generation: the set-shards generation that boot
    started in, 0 when that is not known. db_age: since its last liveness row. silent: since it first left out an
    answer to the primary; 0 when it answers. silent_elsewhere: the same for each secondary master that is alive.
    answered: it answered the primary's latest heartbeat. known_interval, known_generation: the unhealthy_interval and
    the generation that came with the last heartbeat it answered. serving: its last row says that it serves.
    """

    node_key: str
    instance_id: str
    generation: int
    db_age: float = 0.0
    silent: float = 0.0
    silent_elsewhere: tuple[float, ...] = ()
    answered: bool = True
    known_interval: float = 0.0
    known_generation: int = 0
    serving: bool = False


def serves_as_before(
    views: Mapping[str, NodeView], *, generation: int, owners: Mapping[int, Owner], interval: float
) -> list[str]:
    """Coreapps that may still serve by the shard count before set-shards: nobody else may be given a shard yet.

    One that knows of the new generation has dropped what it had, and one that is silent for as long as that
    takes has given up by itself (ownership_ends).
    """
    promoted = {owner.node_key for owner in owners.values()}
    return [
        key
        for key, view in sorted(views.items())
        if view.serving
        and key not in promoted
        and view.known_generation < generation
        and view.silent < max(interval, view.known_interval)
    ]


def unhealthy(view: NodeView, *, interval: float, db_trusted: float) -> str:
    """Why a coreapp counts as dead, or an empty string.

    interval: the setting unhealthy_interval; a node that does not know yet that it was lowered keeps the longer
    one, since it relies on it (ownership_ends). db_trusted: for how long the primary has had the database without a
    break: right after an outage all rows are old, and a node that still answers is not to blame for that.
    """
    interval = max(interval, view.known_interval)
    silent = view.silent >= interval
    if silent and any(elsewhere >= interval for elsewhere in view.silent_elsewhere):
        return "heartbeat"
    if view.db_age > LIVENESS_STALE and (silent or db_trusted > LIVENESS_STALE):
        return "liveness"
    return ""


def next_check(views: Iterable[NodeView], *, interval: float) -> float:
    """In how long the heartbeat rule can fire for the first time; infinity when no silence grows towards it."""
    waits = []
    for view in views:
        limit = max(interval, view.known_interval)
        grow = [limit - silent for silent in (view.silent, *view.silent_elsewhere) if silent < limit]
        if grow and not view.answered:
            waits.append(min(grow))
    return min(waits, default=math.inf) + CHECK_MARGIN


def assign(
    *,
    shards: int,
    generation: int,
    owners: Mapping[int, Owner],
    views: Mapping[str, NodeView],
    primary: Owner,
    interval: float,
    db_trusted: float,
) -> Changes:
    """The changes to the shard map: shard to new owner, or None to take the row out.

    A live owner keeps its shard, whoever else is there: nothing falls back (3.3). A node that was restarted while the
    map names it gets the same shard at once, as the boot it is now (our choice: the documentation is silent). A dead
    owner is replaced by the lowest standby; without one its row stays, so that it serves again if it was only cut off.
    """
    changes: Changes = {shard: None for shard in owners if not CONTROL_SHARD <= shard < shards}
    dead = {key for key, view in views.items() if unhealthy(view, interval=interval, db_trusted=db_trusted)}
    busy: set[str] = set()
    vacant: list[int] = []
    for shard in range(shards):
        kept = _keep(owners.get(shard), views, dead, busy, generation)
        if kept is None:
            vacant.append(shard)
            continue
        busy.add(kept.node_key)
        if kept != owners.get(shard):
            changes[shard] = kept
    standbys = iter(_standbys(views, dead, busy, generation))
    for shard in vacant:
        standby = next(standbys, None)
        if standby is not None:
            changes[shard] = Owner(standby.node_key, standby.instance_id)
    control = primary if shards > 1 else changes.get(0, owners.get(0))
    if owners.get(CONTROL_SHARD) != control:
        changes[CONTROL_SHARD] = control
    return changes


def _keep(
    owner: Owner | None, views: Mapping[str, NodeView], dead: set[str], busy: set[str], generation: int
) -> Owner | None:
    """The owner as it goes on, as a new boot of the same node once that is up; None when the shard is vacant."""
    if owner is None or owner.node_key in busy:
        return None
    view = views.get(owner.node_key)
    if view is None or owner.node_key in dead:
        return None
    if view.instance_id == owner.instance_id:
        return owner
    ready = view.answered and view.generation == generation
    return Owner(view.node_key, view.instance_id) if ready else owner


def _standbys(views: Mapping[str, NodeView], dead: set[str], busy: set[str], generation: int) -> list[NodeView]:
    """Coreapps that can be promoted, lowest key first: alive, booted since the last set-shards, owning nothing."""
    return [
        view
        for key, view in sorted(views.items())
        if view.answered
        and view.generation == generation
        and key not in dead
        and key not in busy
        and view.db_age <= LIVENESS_STALE
    ]


def owned(owners: Mapping[int, Owner], node: Owner) -> frozenset[int]:
    """The shards a boot of a node holds."""
    return frozenset(shard for shard, owner in owners.items() if owner == node)


def ownership_ends(*, safe_from_masters: float, confirmed_at: float, confirmed_for: float, written_at: float) -> float:
    """Until when an owner may serve without asking again; later another node could be serving in its place.

    safe_from_masters: see safe_after_heartbeat. confirmed_at: when it last wrote that it serves and then read that it
    may; its successor waits confirmed_for from there. written_at: its last liveness row; the database rule needs
    LIVENESS_STALE.
    """
    return min(max(safe_from_masters, confirmed_at + confirmed_for), written_at + LIVENESS_STALE)


def safe_after_heartbeat(heard_at: float, *, interval: float, lease_left: float) -> float:
    """Until when no master can promote another node, by the node's own clock.

    heard_at: what the node's clock was when it gave the answer that the primary says it has heard; a heartbeat
    that lay in a buffer while the node was paused proves nothing newer than that. From there the primary itself
    has to miss the node for interval, and another master would have to wait lease_left for the lease.
    """
    return heard_at + min(interval, lease_left)
