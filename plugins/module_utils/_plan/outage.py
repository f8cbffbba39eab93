# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the loss of one host or rack takes with it. Internal to waent.fleet: may change in any release. Pure.

Who owns which shard is known only while a cluster runs, and changes with every failover. So this is the worst case:
every coreapp on what is lost owned a shard, and a master there was the primary.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.waent.fleet.plugins.module_utils._common.text import amount

CONNECT_SECONDS = 5
"""Promotion, and connecting to WhatsApp, which takes 3 to 5 s (reference 3.6)."""
LEASE_SECONDS = 40
"""Until another master is primary. Not documented: 30 s of lease, 10 s between two tries in the emulator."""
ONE_MASTER_SECONDS = 130
"""With one master left a coreapp counts as lost when its row in the database is 120 s old, read every 10 s (3.3)."""

PlacedNode = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Outage:
    """The worst that losing C(name), a host or a rack, does.

    shards: how many can be without service at most. seconds: for how long, None where nothing takes them over.
    webapps: how many are left.
    """

    name: str
    shards: int
    seconds: int | None
    webapps: int

    def as_dict(self) -> dict[str, t.Any]:
        """The shape modules return."""
        return asdict(self)


def failover_seconds(masters: int, *, primary_lost: bool, unhealthy_interval: int) -> int:
    """Until a lost shard is in service again, at most. masters: how many are left, at least one."""
    lease = LEASE_SECONDS if primary_lost else 0
    # Every master pings every coreapp (3.3), so the silence goes on while another one waits for the lease.
    return max(lease, unhealthy_interval if masters > 1 else ONE_MASTER_SECONDS) + CONNECT_SECONDS


def worst_outage(unit: str, nodes: t.Sequence[PlacedNode], shards: int, unhealthy_interval: int) -> Outage | None:
    """The worst loss of one unit, C(host) or C(rack); None without nodes.

    nodes: as wa_placement returns them. unhealthy_interval: the application setting, in seconds.
    """
    names = list(dict.fromkeys(node[unit] for node in nodes))
    found = [_outage(name, unit, nodes, shards, unhealthy_interval) for name in names]
    return max(found, key=_badness, default=None)


def worst_outages(
    nodes: t.Sequence[PlacedNode], shards: int, unhealthy_interval: int, afresh: t.Sequence[PlacedNode] = ()
) -> list[dict[str, t.Any]]:
    """Of hosts, and of racks where there are several: what modules return, with the unit and the sentence.

    afresh: the nodes as they would be placed if none existed; what that would gain is said.
    """
    units = ["host"] + (["rack"] if len({node["rack"] for node in nodes}) > 1 else [])
    found = []
    for unit in units:
        outage = worst_outage(unit, nodes, shards, unhealthy_interval)
        if outage is not None:
            better = worst_outage(unit, afresh, shards, unhealthy_interval)
            shown = sentence(unit, outage, shards) + gain(outage, better)
            found.append({"unit": unit, **outage.as_dict(), "sentence": shown})
    return found


def gain(outage: Outage, afresh: Outage | None) -> str:
    """What could be had by moving nodes, to be appended to the sentence; empty where that is nothing."""
    if afresh is None or _badness(afresh)[:3] >= _badness(outage)[:3]:
        return ""
    if outage.webapps == 0 and afresh.webapps:
        better = "{0} would be left".format(amount(afresh.webapps, "webapp"))
    else:
        better = "it would be about {0} s".format(afresh.seconds) if afresh.shards else "every shard would stay"
    return " Placed afresh, {0}; existing nodes are not moved for that.".format(better)


def _badness(outage: Outage) -> tuple[t.Any, ...]:
    """No webapp, or shards that nobody takes over, are worse than any time."""
    endless = outage.shards > 0 and outage.seconds is None
    return (outage.webapps == 0, endless, outage.seconds or 0, outage.shards, -outage.webapps)


def _outage(name: str, unit: str, nodes: t.Sequence[PlacedNode], shards: int, unhealthy_interval: int) -> Outage:
    def count(kind: str, *, lost: bool) -> int:
        return sum(node["kind"] == kind and (node[unit] == name) is lost for node in nodes)

    gone = min(count("coreapp", lost=True), shards)
    seconds: int | None = 0
    if gone:
        seconds = None
        masters = count("master", lost=False)
        if masters and count("coreapp", lost=False) >= shards:
            lost = count("master", lost=True) > 0
            seconds = failover_seconds(masters, primary_lost=lost, unhealthy_interval=unhealthy_interval)
    return Outage(name, gone, seconds, count("webapp", lost=False))


def sentence(unit: str, outage: Outage, shards: int) -> str:
    """The outage as it is shown before a rollout."""
    start = "If one {0} is lost, at worst {1}: ".format(unit, outage.name)
    if outage.webapps == 0:
        return start + "no webapp is left, the API is out of reach until it is back."
    webapps = "{0} left".format(amount(outage.webapps, "webapp"))
    if outage.shards == 0:
        return "{0}every shard stays in service, {1}.".format(start, webapps)
    which = "{0} of {1} {2} without service".format(
        outage.shards, amount(shards, "shard"), "is" if outage.shards == 1 else "are"
    )
    if outage.seconds is None:
        return "{0}{1} until it is back, nothing takes over; {2}.".format(start, which, webapps)
    return "{0}up to {1} for about {2} s; {3}.".format(start, which, outage.seconds, webapps)
