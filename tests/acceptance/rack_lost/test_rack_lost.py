# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All machines of a rack are lost at once while messages are sent, and come back. What the loss may cost is documented.

The rack is one that has an owner, without the primary master where there is such a one.
"""

from __future__ import annotations

import os
import time
import typing as t
from dataclasses import dataclass

import pytest
from ansible_collections.waent.fleet.tests.support import machine_power
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE
from waemu.probe import Report, Sent

# The product's own times, in seconds. With two masters left: the first missed heartbeat, then silence, promotion and
# connecting (3.3, 3.9). With one: the age of a row in the database, how often it is read, connecting (3.3, 3.6).
HEARTBEAT_SECONDS, BACK_SECONDS = 5, 35
ROW_SECONDS, READ_SECONDS, CONNECT_SECONDS = 120, 10, 5
# Until another master is primary (3.1).
LEASE_SECONDS = 40
TOLERANCE = 1.1


@dataclass(frozen=True)
class Loss:
    """What was seen.

    rack: which one. shards: those whose owner was there. documented: seconds of the product's time that these may be
    out. answers: HTTP status of every webapp elsewhere, meanwhile. outages: by shard the real seconds without an
    accepted message, through webapps elsewhere. before, after: the owners of all shards. report: of all messages.
    """

    rack: str
    shards: set[int]
    documented: float
    answers: dict[str, int]
    outages: dict[int, float]
    before: dict[int, list[str]]
    after: dict[int, list[str]]
    report: Report


class Rack(t.NamedTuple):
    """Machines that are lost together; owned: the shards of their coreapps; primary: whether they have that master."""

    name: str
    machines: list[t.Any]
    owned: set[int]
    primary: bool


def racks_of(cluster, api) -> list[Rack]:
    """Those that may be lost, which one with the database may not; the one to lose first."""
    owners, roles = served(api.owners()), {key: node.get("role") for key, node in api.health().items()}
    databases = {machine.name for machine in cluster.machines("wa_database_hosts")}
    members: dict[str, list[t.Any]] = {}
    for machine in cluster.machines():
        members.setdefault(machine.variables["rack"], []).append(machine)
    found = []
    for name, machines in members.items():
        addresses = {machine.address for machine in machines}
        owned = {shard for shard, keys in owners.items() if addresses & {host_of(key) for key in keys}}
        primary = any(role == "primary_master" and host_of(key) in addresses for key, role in roles.items())
        if not databases & {machine.name for machine in machines}:
            found.append(Rack(name, machines, owned, primary))
    return sorted(found, key=lambda rack: (not rack.owned, rack.primary, rack.name))


def served(owners: dict[int, list[str]]) -> dict[int, list[str]]:
    """Without the control shard."""
    return {shard: keys for shard, keys in owners.items() if shard >= 0}


def host_of(key: str) -> str:
    """The address in a node's key."""
    return key.rpartition(":")[0]


def documented_seconds(masters_left: int, primary_lost: bool) -> float:
    """How long a shard whose owner is lost may be out, on the product's clock."""
    if masters_left > 1:
        return HEARTBEAT_SECONDS + BACK_SECONDS + (LEASE_SECONDS if primary_lost else 0)
    return ROW_SECONDS + READ_SECONDS + CONNECT_SECONDS


def accepted_at(sends: t.Sequence[Sent], shard: int, webapps: t.Collection[str]) -> list[float]:
    """When messages to a shard were accepted by one of the webapps, in order."""
    mine = (send for send in list(sends) if send.shard == shard and send.webapp in webapps)
    return sorted(send.at + send.took for send in mine if send.ok)


def longest_gap(moments: t.Sequence[float]) -> float:
    """The longest time between two of them."""
    return max((later - earlier for earlier, later in zip(moments, moments[1:], strict=False)), default=0.0)


def wait_until(condition: t.Callable[[], bool], what: str) -> None:
    """Fails when it has not come about in a time that is long on any machine."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.fixture(scope="module")
def loss(cluster, api) -> Loss:
    """A rack is lost and comes back."""
    rack = racks_of(cluster, api)[0]
    assert rack.owned, "no shard would be lost, so nothing would be shown"
    left = [machine for machine in cluster.machines() if machine.variables["rack"] != rack.name]
    elsewhere = {url: machine for url, machine in cluster.webapps().items() if machine.variables["rack"] != rack.name}
    assert elsewhere, "every webapp would be lost"
    before, shards = served(api.owners()), range(cluster.shards)
    containers = [machine_power.machine(os.environ["MOLECULE_SCENARIO_NAME"], one.name) for one in rack.machines]

    with cluster.probe() as probe:
        began = time.monotonic()

        def accepted_since(moment: float) -> bool:
            return all(sum(at > moment for at in accepted_at(probe.sends, shard, elsewhere)) >= 5 for shard in shards)

        wait_until(lambda: accepted_since(0.0), "messages are accepted before anything is lost")
        with machine_power.frozen(containers):
            # What was on its way in that moment has its answer a second later, or gets none.
            lost_at = time.monotonic() - began + 1.0
            answers = {
                machine.name: cluster.api(machine).send("GET", "/", authorization="").status
                for machine in elsewhere.values()
            }
            wait_until(lambda: accepted_since(lost_at), "every shard is served again")
        with cluster.api(next(iter(elsewhere.values()))) as again:
            after = served(again.owners())
    outages = {shard: longest_gap(accepted_at(probe.sends, shard, elsewhere)) for shard in shards}
    masters_left = sum(machine.expected_nodes["master"] for machine in left)
    documented = documented_seconds(masters_left, rack.primary)
    print(
        "lost rack {0} with shards {1}{2}: out for {3} s of {4:.0f} s, on the product's clock".format(
            rack.name,
            sorted(rack.owned),
            " and the primary master" if rack.primary else "",
            ", ".join("{0:.1f}".format(outages[shard] * cluster.speed) for shard in sorted(rack.owned)),
            documented,
        )
    )
    return Loss(rack.name, rack.owned, documented, answers, outages, before, after, probe.report)


def test_every_webapp_elsewhere_goes_on_answering(loss: Loss) -> None:
    assert set(loss.answers.values()) == {200}, loss.answers


def test_every_shard_is_back_within_the_documented_time(cluster, loss: Loss) -> None:
    allowed = loss.documented * TOLERANCE / cluster.speed + cluster.slack
    assert {shard: outage for shard, outage in loss.outages.items() if outage > allowed} == {}, allowed


def test_shards_that_lost_nobody_keep_their_owners(loss: Loss) -> None:
    untouched = loss.before.keys() - loss.shards
    assert {shard: loss.after.get(shard) for shard in untouched} == {shard: loss.before[shard] for shard in untouched}


def test_nothing_that_was_accepted_is_lost_or_came_twice(loss: Loss) -> None:
    report = loss.report
    assert report.accepted > 0
    assert (report.lost, report.twice, report.bans) == ([], [], [])
