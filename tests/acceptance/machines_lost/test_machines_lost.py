# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines are lost while messages are sent, and come back: each rack as a whole, one host, one that is cut off.

Each has owners when it is lost, and one rack the primary master too. What a loss may cost is documented.
"""

from __future__ import annotations

import os
import time
import typing as t
from collections import Counter
from dataclasses import dataclass

import pytest
from ansible_collections.waent.fleet.tests.support import machine_power
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, Run, play
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE
from waemu.probe import Report, Sent

# The product's own times, in seconds. With two masters left: the first missed heartbeat, then silence, promotion and
# connecting (3.3, 3.9). With one: the age of a row in the database, how often it is read, connecting (3.3, 3.6).
HEARTBEAT_SECONDS, BACK_SECONDS = 5, 35
ROW_SECONDS, READ_SECONDS, CONNECT_SECONDS = 120, 10, 5
TOLERANCE = 1.1
STATUS_SECONDS = 30
"""What status.yml may take while a rack is away: nobody waits longer for the picture at 3 a.m."""
Taken = t.Callable[[t.Sequence[t.Any]], t.ContextManager[None]]
"""What happens to the containers that are machines, and ends with the context."""

# With the primary master among the lost: the silence goes on while another one waits for the lease (3.1).
WITH_PRIMARY_SECONDS = 60


class Part(t.NamedTuple):
    """Machines that are lost together; owned: the shards of their coreapps; primary: whether they have that master."""

    name: str
    machines: list[t.Any]
    owned: set[int]
    primary: bool


@dataclass(frozen=True)
class Loss:
    """What was seen of one.

    allowed: seconds of the product's time that a shard may be out. answers: HTTP status of every webapp elsewhere,
    meanwhile. status: status.yml, run meanwhile. outages: by shard the real seconds without an accepted message,
    through webapps elsewhere. before, after: the owners of all shards. report: of all messages.
    """

    part: Part
    allowed: float
    answers: dict[str, int]
    status: Run
    outages: dict[int, float]
    before: dict[int, list[str]]
    after: dict[int, list[str]]
    report: Report


def parts_of(cluster, api, name_of: t.Callable[[t.Any], str]) -> list[Part]:
    """Those that may be lost, which one with the database may not; the one to lose first. name_of: of a machine's."""
    owners, roles = served(api.owners()), {key: node.get("role") for key, node in api.health().items()}
    databases = {machine.name for machine in cluster.machines("wa_database_hosts")}
    members: dict[str, list[t.Any]] = {}
    for machine in cluster.machines():
        members.setdefault(name_of(machine), []).append(machine)
    found = []
    for name, machines in members.items():
        addresses = {machine.address for machine in machines}
        owned = {shard for shard, keys in owners.items() if addresses & {host_of(key) for key in keys}}
        primary = any(role == "primary_master" and host_of(key) in addresses for key, role in roles.items())
        if not databases & {machine.name for machine in machines}:
            found.append(Part(name, machines, owned, primary))
    return sorted(found, key=lambda part: (not part.owned, part.primary, part.name))


def names_of(part: Part) -> set[str]:
    """Those of its machines."""
    return {machine.name for machine in part.machines}


def rack_of(machine: t.Any) -> str:
    """The rack that it is in."""
    return machine.variables["rack"]


def host_itself(machine: t.Any) -> str:
    """A part by itself."""
    return machine.name


def served(owners: dict[int, list[str]]) -> dict[int, list[str]]:
    """Without the control shard."""
    return {shard: keys for shard, keys in owners.items() if shard >= 0}


def host_of(key: str) -> str:
    """The address in a node's key."""
    return key.rpartition(":")[0]


def allowed_seconds(masters_left: int, primary_lost: bool) -> float:
    """How long a shard may be out, on the product's clock."""
    if masters_left < 2:
        return (ROW_SECONDS + READ_SECONDS + CONNECT_SECONDS) * TOLERANCE
    return WITH_PRIMARY_SECONDS if primary_lost else (HEARTBEAT_SECONDS + BACK_SECONDS) * TOLERANCE


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


def wait_until_whole(cluster, api) -> None:
    """Return when every node is there in its role and every shard has its owner."""
    desired = cluster.expected_nodes()
    roles = Counter(primary_master=1, secondary_master=desired["master"] - 1, coreapp=desired["coreapp"])

    def whole() -> bool:
        seen = Counter(node.get("role") for node in api.health().values())
        holders = {shard: len(keys) for shard, keys in served(api.owners()).items()}
        return (
            seen == roles
            and holders == dict.fromkeys(range(cluster.shards), 1)
            and len(api.connected_coreapps()) == cluster.shards
            and len(api.standby_coreapps()) == desired["coreapp"] - cluster.shards
        )

    wait_until(whole, "the cluster is whole")


def lose(cluster, api, part: Part, taken: Taken = machine_power.frozen) -> Loss:
    """The machines are lost and come back. taken: how."""
    assert part.owned, "no shard would be lost, so nothing would be shown"
    lost = names_of(part)
    left = [machine for machine in cluster.machines() if machine.name not in lost]
    elsewhere = {url: machine for url, machine in cluster.webapps().items() if machine.name not in lost}
    assert elsewhere, "every webapp would be lost"
    before, shards = served(api.owners()), range(cluster.shards)
    containers = [machine_power.machine(os.environ["MOLECULE_SCENARIO_NAME"], one.name) for one in part.machines]

    with cluster.probe() as probe:
        began = time.monotonic()

        def accepted_since(moment: float) -> bool:
            return all(sum(at > moment for at in accepted_at(probe.sends, shard, elsewhere)) >= 5 for shard in shards)

        wait_until(lambda: accepted_since(0.0), "messages are accepted before anything is lost")
        with taken(containers):
            # What was on its way in that moment has its answer a second later, or gets none.
            lost_at = time.monotonic() - began + 1.0
            answers = {
                machine.name: cluster.api(machine).send("GET", "/", authorization="").status
                for machine in elsewhere.values()
            }
            wait_until(lambda: accepted_since(lost_at), "every shard is served again")
            with cluster.api(next(iter(elsewhere.values()))) as again:
                after = served(again.owners())
            status = play("playbooks/status.yml", "-i", cluster.inventory)
        wait_until_whole(cluster, api)
    outages = {shard: longest_gap(accepted_at(probe.sends, shard, elsewhere)) for shard in shards}
    allowed = allowed_seconds(sum(machine.expected_nodes["master"] for machine in left), part.primary)
    print(
        "lost {0} with shards {1}{2}: out for {3} s of {4:.0f} s, on the product's clock;"
        " status.yml took {5:.0f} s".format(
            part.name,
            sorted(part.owned),
            " and the primary master" if part.primary else "",
            ", ".join("{0:.1f}".format(outages[shard] * cluster.speed) for shard in sorted(part.owned)),
            allowed,
            status.seconds,
        )
    )
    return Loss(part, allowed, answers, status, outages, before, after, probe.report)


@pytest.fixture(scope="module")
def losses(cluster, api) -> list[Loss]:
    """One after the other. Which comes next follows from what the last loss has moved."""
    found: list[Loss] = []

    def not_lost_yet(name_of: t.Callable[[t.Any], str]) -> list[Part]:
        wait_until_whole(cluster, api)
        lost = [names_of(loss.part) for loss in found]
        return [part for part in parts_of(cluster, api, name_of) if names_of(part) not in lost]

    while racks := not_lost_yet(rack_of):
        found.append(lose(cluster, api, racks[0]))
    # A host is a rack of its own where there are no others. The worst one has an owner and the primary master.
    if hosts := not_lost_yet(host_itself):
        found.append(lose(cluster, api, max(hosts, key=lambda host: (bool(host.owned), host.primary))))
    wait_until_whole(cluster, api)
    found.append(lose(cluster, api, parts_of(cluster, api, host_itself)[0], machine_power.cut_off))
    return found


def test_an_owner_and_the_primary_master_were_lost_together(losses: list[Loss]) -> None:
    assert any(loss.part.primary for loss in losses)


def test_every_webapp_elsewhere_goes_on_answering(losses: list[Loss]) -> None:
    assert [loss.answers for loss in losses if set(loss.answers.values()) != {200}] == []


def test_status_names_the_machines_that_are_lost_in_time(losses: list[Loss]) -> None:
    for loss in losses:
        sentences = loss.status.sentences("HOST_NOT_READ")
        lost = names_of(loss.part)
        assert loss.status.code == FAILED and {one.partition(":")[0] for one in sentences} == lost, loss.status.output
        assert loss.status.seconds <= STATUS_SECONDS, loss.status.output


def test_every_shard_is_back_in_the_documented_time(cluster, losses: list[Loss]) -> None:
    late = {
        (loss.part.name, shard): (outage, loss.allowed)
        for loss in losses
        for shard, outage in loss.outages.items()
        if outage > loss.allowed / cluster.speed + cluster.slack
    }
    assert late == {}


def test_shards_that_lost_nobody_keep_their_owners(losses: list[Loss]) -> None:
    for loss in losses:
        untouched = loss.before.keys() - loss.part.owned
        assert {shard: loss.after.get(shard) for shard in untouched} == {
            shard: loss.before[shard] for shard in untouched
        }, loss.part.name


def test_nothing_that_was_accepted_is_lost_or_came_twice(losses: list[Loss]) -> None:
    for loss in losses:
        report = loss.report
        assert report.accepted > 0
        assert (report.lost, report.twice, report.bans) == ([], [], []), loss.part.name
