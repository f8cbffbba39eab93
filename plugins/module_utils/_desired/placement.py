# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host runs which nodes, on which ports. Internal to waent.fleet: may change in any release. Pure.

Nodes of a kind are placed one by one, always in the least used place, so where the first ones are never depends on how
many follow: growing a cluster moves nothing. Existing nodes stay, and placing goes on from there.

A master and a coreapp share a host only where it cannot be helped: an owner of a shard that is lost together with the
primary master is away longer than one that is lost alone.
"""

from __future__ import annotations

import itertools
import typing as t
from collections import Counter
from dataclasses import dataclass, replace

from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.product import (
    KINDS,
    PORTS_PER_CORE,
    container_name,
    node_key,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.text import amount, enumerate_all
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import (
    ClusterSpec,
    FaultTolerance,
    HostSpec,
)

CORE_STRIDE = 2 * PORTS_PER_CORE
"""From one coreapp's first port to the next one's on the same host: the masters' ranges lie in between."""


OF_THE_HOSTS_THERE = ("WA_SURVIVE_IMPOSSIBLE", "WA_KIND_NOWHERE", "WA_NODES_TOO_FEW", "WA_NO_HA")
"""Problems that may be due to hosts that are left out."""

APART = {"master": "coreapp", "coreapp": "master"}
"""The kinds that keep away from each other."""


@dataclass(frozen=True, order=True)
class Slot:
    """Where a node is: C(index) counts the nodes of a kind on a host from 1."""

    host: str
    kind: str
    index: int


@dataclass(frozen=True)
class Node:
    """One container of the cluster.

    ports: host ports, four for a coreapp or master (messaging, contacts, control, health), one for a webapp.
    exists: it was there before. surplus: it exists, and the desired state would be met without it. leaving: it exists
    on a host that is drained, and has to go.
    """

    slot: Slot
    name: str
    rack: str
    address: str
    api_address: str
    ports: tuple[int, ...]
    exists: bool = False
    surplus: bool = False
    leaving: bool = False

    @property
    def key(self) -> str:
        """The node's name in C(/v1/health) and C(/v1/support): advertised host and container host name."""
        return node_key(self.address, self.name)

    def as_dict(self) -> dict[str, t.Any]:
        """The shape modules return. C(external_ports) is the value for C(COREAPP_EXTERNAL_PORTS)."""
        return {
            "name": self.name,
            "host": self.slot.host,
            "rack": self.rack,
            "kind": self.slot.kind,
            "index": self.slot.index,
            "address": self.address,
            "api_address": self.api_address,
            "key": self.key,
            "ports": list(self.ports),
            "external_ports": ",".join(str(port) for port in self.ports),
            "exists": self.exists,
            "surplus": self.surplus,
        }


@dataclass(frozen=True)
class Demand:
    """How many nodes of a kind are needed.

    total: by default. left: after the worst loss. floor: where the user gave up high availability. preferred: after
    the worst loss, where that takes no second node of the kind on a host.
    """

    total: int
    left: int
    floor: int
    preferred: int = 0


@dataclass(frozen=True)
class Placement:
    """The answer: all nodes, those that exist among them, or what keeps the desired state from being met."""

    nodes: tuple[Node, ...]
    problems: tuple[Problem, ...]


def demand(kind: str, shards: int) -> Demand:
    """Two masters keep the fast detection rule (reference 3.3); there is a coreapp for every shard (3.2).

    With one master left after a loss, lost owners are noticed after two minutes instead of half a one.
    """
    return {
        "master": Demand(total=2, left=1, floor=1, preferred=2),
        "webapp": Demand(total=1, left=1, floor=1),
        "coreapp": Demand(total=shards + 1, left=shards, floor=shards),
    }[kind]


def place(spec: ClusterSpec, running: t.Iterable[Slot] = ()) -> Placement:
    """Nodes for every host. C(running): what exists already, in whatever state; it is kept where it is.

    Existing nodes on a host that may not run their kind are no part of the answer. Where hosts are left out, the same
    rules hold for those that are there: what must survive is what may be lost besides.
    """
    running = tuple(running)
    placement = _place(spec, running)
    if not spec.without or not placement.problems:
        return placement
    return replace(placement, problems=tuple(_left_out(problem, spec, running) for problem in placement.problems))


def _left_out(problem: Problem, spec: ClusterSpec, running: t.Sequence[Slot]) -> Problem:
    """What is missing is missing without some hosts; who knows the risk may ask for less until they are back."""
    if problem.code not in OF_THE_HOSTS_THERE:
        return problem
    advice = "have one of them back" if len(spec.without) > 1 else "have it back"
    lesser = _lesser(spec, running) if problem.code == "WA_SURVIVE_IMPOSSIBLE" else None
    if lesser is not None:
        value = {lesser.unit: lesser.count} if lesser.count else {}
        advice += ", or, where a further loss may cost the service until then, add {0} to the command".format(
            instruction("survive_impossible", survive=value)
        )
    text = "{0} That is without {1} (wa_without_hosts): {2}."
    return replace(problem, message=text.format(problem.message, enumerate_all(spec.without), advice))


def _lesser(spec: ClusterSpec, running: t.Sequence[Slot]) -> FaultTolerance | None:
    """The most that may still be asked to survive; None where even nothing is too much."""
    unit, count = spec.survive.unit, spec.survive.count
    asked = [FaultTolerance(unit, fewer) for fewer in range(count - 1, 0, -1)]
    asked += [FaultTolerance("hosts", fewer) for fewer in range(count, 0, -1)] if unit == "racks" else []
    fits = (one for one in (*asked, FaultTolerance()) if not _place(replace(spec, survive=one), running).problems)
    return next(fits, None)


def _place(spec: ClusterSpec, running: t.Iterable[Slot]) -> Placement:
    existing = sorted(set(running))
    drained = {host.name for host in spec.hosts if host.drained}
    slots: list[Slot] = []
    surplus: set[Slot] = set()
    problems: list[Problem] = []
    for kind in KINDS:
        mine = [slot for slot in existing if slot.kind == kind]
        # Existing nodes of kinds whose turn is later count as well: a new master keeps away from them.
        others = set(slots) | {slot for slot in existing if slot.kind != kind}
        scheduler = Scheduler(spec, kind, mine, {slot for slot in others if slot.host not in drained})
        scheduler.run()
        slots += scheduler.slots
        surplus |= scheduler.surplus()
        problems += scheduler.problems()
    hosts = {host.name: host for host in spec.hosts}
    order = {host.name: number for number, host in enumerate(spec.hosts)}
    slots.sort(key=lambda slot: (order[slot.host], KINDS.index(slot.kind), slot.index))
    nodes = tuple(_node(slot, hosts[slot.host], spec.name_prefix, slot in existing, slot in surplus) for slot in slots)
    problems += port_problems(nodes)
    return Placement(nodes, tuple(problems))


Spread = t.Mapping[str, int]
"""How many nodes of a kind each host has."""


def _load(slots: t.Iterable[Slot]) -> Counter[str]:
    return Counter(slot.host for slot in slots)


def _sums(spread: Spread, unit_of: t.Mapping[str, str]) -> Counter[str]:
    """The same nodes by unit."""
    sums: Counter[str] = Counter()
    for name, count in spread.items():
        sums[unit_of[name]] += count
    return sums


def survivors(per_unit: t.Iterable[int], lost: int) -> int:
    """How many nodes are left in the worst case, when C(lost) units (hosts or racks) fall away."""
    counts = sorted(per_unit, reverse=True)
    return sum(counts[lost:])


class Scheduler:
    """Places the nodes of one kind.

    existing: where such nodes are already. others: the nodes of other kinds that are placed or exist.
    """

    def __init__(self, spec: ClusterSpec, kind: str, existing: t.Sequence[Slot], others: t.Collection[Slot]) -> None:
        self.survive = spec.survive
        self.spec = spec
        self.kind = kind
        self.demand = demand(kind, spec.shards)
        self.hosts = [host for host in spec.hosts if kind in host.kinds]
        self.fixed = {host.name: host.counts[kind] for host in self.hosts if kind in host.counts}
        self.drained = [host.name for host in self.hosts if host.drained]
        self.rack_of = {host.name: host.rack for host in self.hosts}
        # The thing that is lost at once with a host.
        self.unit_of = self.rack_of if self.survive.unit == "racks" else {host.name: host.name for host in self.hosts}
        self.slots = [slot for slot in existing if slot.host in self.rack_of]
        self.before = tuple(self.slots)
        self.load = _load(others)
        racks = {host.name: host.rack for host in spec.hosts}
        apart = [slot for slot in others if slot.kind == APART.get(kind) and slot.host in racks]
        self.apart = _load(apart)
        self.apart_racks = Counter(racks[slot.host] for slot in apart)
        self.needed_by_other = {host.name: APART.get(kind) in host.kinds for host in self.hosts}
        self.aim = max(self.demand.left, self._preferred())

    def _preferred(self) -> int:
        """The nodes left that are preferred; 0 where nothing has to survive, or where it takes doubled hosts."""
        one_each = {host.name: self.fixed.get(host.name, 1) for host in self.hosts}
        reached = self.survive.count and self.left(one_each) >= self.demand.preferred
        return self.demand.preferred if reached else 0

    def run(self) -> None:
        """Meets the numbers fixed by hand, then places nodes until there are enough, or more would not help."""
        for name, count in self.fixed.items():
            for _number in range(_load(self.slots)[name], count):
                self._add(name)
        free = [host.name for host in self.hosts if host.name not in self.fixed]
        spread = self.lasting()
        while not self.met(spread) and self._helps(free, spread):
            racks = _sums(spread, self.rack_of)
            name = min(free, key=lambda name: self._use(name, spread, racks))
            self._add(name)
            spread[name] += 1

    def lasting(self) -> Counter[str]:
        """What counts: nodes that exist beyond a number fixed by hand do not, since they are going to go."""
        spread = _load(self.slots)
        return Counter({name: min(count, self.fixed.get(name, count)) for name, count in spread.items()})

    def left(self, spread: Spread) -> int:
        """How many of these nodes are there after the worst loss."""
        return survivors(_sums(spread, self.unit_of).values(), self.survive.count)

    def met(self, spread: Spread) -> bool:
        """Whether these nodes are what the user wants."""
        return sum(spread.values()) >= self.demand.total and self.left(spread) >= self.aim

    def _use(self, name: str, spread: Spread, racks: Spread) -> tuple[int, ...]:
        """The least used place comes first.

        What must survive is levelled first, since that decides how many nodes are needed. Then a host without the kind
        to keep apart from, then the racks, then a host the other kind cannot use anyway, then the hosts' load.
        """
        rack = self.rack_of[name]
        by_host, by_rack = spread.get(name, 0), racks.get(rack, 0)
        racks_first = self.survive.count and self.survive.unit == "racks"
        level = (by_rack, by_host, self.apart[name]) if racks_first else (by_host, self.apart[name], by_rack)
        return (*level, self.apart_racks[rack], self.needed_by_other[name], self.load[name] + by_host)

    def _helps(self, free: t.Sequence[str], spread: Spread) -> bool:
        """Once each free unit alone has all that must be left, more nodes only make the worst loss bigger."""
        units = _sums(spread, self.unit_of)
        return bool(free) and (
            sum(spread.values()) < self.demand.total or any(units[self.unit_of[name]] < self.aim for name in free)
        )

    def _add(self, name: str) -> None:
        taken = {slot.index for slot in self.slots if slot.host == name}
        index = next(number for number in itertools.count(1) if number not in taken)
        self.slots.append(Slot(name, self.kind, index))

    def surplus(self, rank: t.Callable[[Slot], int] = lambda _slot: 0) -> set[Slot]:
        """Existing nodes that could go together: as many as possible, those of low C(rank) before others.

        Nodes beyond a number fixed by hand are among them always.
        """
        order = sorted(self.before, key=lambda slot: (rank(slot), -slot.index, slot.host))
        kept, loose = self.lasting(), _load(slot for slot in self.before if slot.host not in self.fixed)
        excess = _load(self.slots) - kept
        gone: set[Slot] = set()
        for slot in order:
            if excess[slot.host] > 0:
                gone.add(slot)
                excess[slot.host] -= 1
        if not self.met(kept):
            return gone
        fewest = self._fewest(kept, loose)
        for slot in order:
            if slot.host in self.fixed:
                continue
            one = Counter({slot.host: 1})
            if self.met(kept - one) and self._fewest(kept - one, loose - one) == fewest:
                kept, loose = kept - one, loose - one
                gone.add(slot)
        return gone

    def _fewest(self, kept: Spread, loose: Spread) -> int:
        """How few nodes would do if only C(loose) ones of C(kept) may be taken, when the fullest places give first."""
        units, takeable = _sums(kept, self.unit_of), _sums(loose, self.unit_of)
        total = sum(units.values())
        while True:
            fullest = max((unit for unit in takeable if takeable[unit]), key=lambda unit: units[unit], default=None)
            if fullest is None or total == self.demand.total:
                return total
            units[fullest] -= 1
            takeable[fullest] -= 1
            if survivors(units.values(), self.survive.count) < self.aim:
                return total
            total -= 1

    def problems(self) -> list[Problem]:
        """What keeps the desired state from being met, in the user's words."""
        lasting, kind = self.lasting(), self.kind
        total = sum(lasting.values())
        variable = "wa_{0}s".format(kind)
        if self.drained and len(self.drained) == len(self.hosts):
            return [
                Problem(
                    "WA_KIND_NOWHERE",
                    "No host is left that may run a {0}: {1}; a host that is not drained has to be in"
                    " wa_{0}_hosts.".format(kind, self._who_is_drained()),
                    "wa_drained",
                )
            ]
        if not self.hosts:
            return [
                Problem(
                    "WA_KIND_NOWHERE",
                    "No host may run a {0}: wa_{0}_hosts is empty and needs at least one host.".format(kind),
                    "wa_{0}_hosts".format(kind),
                )
            ]
        if total < self.demand.floor:
            return [
                Problem(
                    "WA_NODES_TOO_FEW",
                    "{0} fixes {1}; {2} at least {3}.".format(
                        variable, amount(total, kind), self._who_needs(), self.demand.floor
                    ),
                    variable,
                    total,
                )
            ]
        if total < self.demand.total and not self.spec.allow_no_ha:
            return [
                Problem(
                    "WA_NO_HA",
                    "{0} fixes {1}, fewer than the {2} that high availability needs; allow that with"
                    " wa_allow_no_ha=true.".format(variable, amount(total, kind), self.demand.total),
                    variable,
                    total,
                )
            ]
        left = self.left(lasting)
        if self.survive.count and left < self.demand.left:
            return [self._cannot_survive(left)]
        return []

    def _who_is_drained(self) -> str:
        return "{0} {1} drained".format(enumerate_all(self.drained), "is" if len(self.drained) == 1 else "are")

    def _who_needs(self) -> str:
        if self.kind != "coreapp":
            return "a cluster needs"
        return "{0} {1}".format(amount(self.spec.shards, "shard"), "needs" if self.spec.shards == 1 else "need")

    def _cannot_survive(self, left: int) -> Problem:
        survive, kind = self.survive, self.kind
        singular = survive.unit[:-1]
        units = sorted({self.unit_of[host.name] for host in self.hosts if host.counts.get(kind) != 0})
        value = {survive.unit: survive.count}
        loss = "wa_survive asks that the loss of {0} be survived".format(amount(survive.count, singular))
        if len(units) <= survive.count:
            return Problem(
                "WA_SURVIVE_IMPOSSIBLE",
                "{0}: hosts for {1}s are in {2} ({3}), need {4}{5}.".format(
                    loss,
                    kind,
                    amount(len(units), singular),
                    ", ".join(units) or "none",
                    survive.count + 1,
                    "; " + self._who_is_drained() if self.drained else "",
                ),
                "wa_survive",
                value,
            )
        return Problem(
            "WA_SURVIVE_IMPOSSIBLE",
            "{0}: with the numbers fixed by wa_{1}s, {2} would be left in the worst case, need {3}.".format(
                loss, kind, amount(left, kind), self.demand.left
            ),
            "wa_survive",
            value,
        )


def _node(slot: Slot, host: HostSpec, prefix: str, exists: bool, surplus: bool) -> Node:
    name = container_name(prefix, slot.kind, slot.index)
    ports = ports_of(slot, host.ports)
    return Node(slot, name, host.rack, host.address, host.api_address, ports, exists, surplus, host.drained)


def ports_of(slot: Slot, first: t.Mapping[str, int]) -> tuple[int, ...]:
    """The host ports of a node, from the first port of its kind on the host."""
    if slot.kind == "webapp":
        return (first["webapp"] + slot.index - 1,)
    start = first[slot.kind] + CORE_STRIDE * (slot.index - 1)
    return tuple(range(start, start + PORTS_PER_CORE))


def port_problems(nodes: t.Sequence[Node]) -> list[Problem]:
    """Ports beyond the last one there is, and nodes of one host that would publish the same port.

    A clash between two kinds is reported once per host: the first pair shows it.
    """
    problems = [_port_range_problem(node) for node in nodes if node.ports[-1] > 65535]
    seen = set()
    for one, other in itertools.combinations(nodes, 2):
        clash = (one.slot.host, one.slot.kind, other.slot.kind)
        if one.slot.host == other.slot.host and set(one.ports) & set(other.ports) and clash not in seen:
            seen.add(clash)
            problems.append(_ports_overlap(one, other))
    return problems


def _port_range_problem(node: Node) -> Problem:
    variable = "wa_{0}_port".format(node.slot.kind)
    message = "{0} would publish port {1}; {2} must leave all of them below 65536."
    message = message.format(node.name, node.ports[-1], variable)
    return Problem("WA_PORT_RANGE", message, variable, node.ports[-1], node.slot.host)


def _ports_overlap(one: Node, other: Node) -> Problem:
    common = sorted(set(one.ports) & set(other.ports))
    variables = sorted({"wa_{0}_port".format(node.slot.kind) for node in (one, other)})
    message = (
        "{0} and {1} would both publish {2}; change {3} so that the ranges are apart (a coreapp or master takes {4}"
        " ports, the next of its kind begins {5} further on)."
    ).format(
        one.name,
        other.name,
        ", ".join(str(port) for port in common),
        " or ".join(variables),
        PORTS_PER_CORE,
        CORE_STRIDE,
    )
    return Problem("WA_PORTS_OVERLAP", message, variables[0], common[0], one.slot.host)
