# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of a cluster, read from raw variables and refused where it cannot be meant.

Internal to waent.fleet: may change in any release. Pure, and no host is needed, so it runs before any is contacted.
Every function returns all problems it finds, never only the first.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.waent.fleet.plugins.module_utils._common import addresses
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.product import DEFAULT_PORTS, KINDS, SHARD_COUNTS
from ansible_collections.waent.fleet.plugins.module_utils._common.text import amount, enumerate_all, not_text, stated
from ansible_collections.waent.fleet.plugins.module_utils._common.version import Version, parse_version
from ansible_collections.waent.fleet.plugins.module_utils._desired.values import (
    Raw,
    bad_number,
    blank_problems,
    invalid_address,
    whole_number,
)
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import switch_on


@dataclass(frozen=True)
class FaultTolerance:
    """What may be lost at once: C(count) of C(unit), hosts or racks. Count 0: one coreapp, wherever it is."""

    unit: str = "hosts"
    count: int = 0


@dataclass(frozen=True)
class HostSpec:
    """One host as the inventory has it.

    kinds: what it may run. counts: numbers fixed by hand per kind (C(wa_coreapps) ...); a kind not in it is
    free. ports: first host port per kind. drained: it runs nothing, and nodes that are there have to go.
    """

    name: str
    rack: str
    address: str
    api_address: str
    kinds: tuple[str, ...]
    counts: t.Mapping[str, int]
    ports: t.Mapping[str, int]
    drained: bool = False


@dataclass(frozen=True)
class ClusterSpec:
    """The desired state of a cluster, after all checks that need no host. without: names of hosts that are left out."""

    shards: int
    version: Version | None
    survive: FaultTolerance
    allow_no_ha: bool
    hosts: tuple[HostSpec, ...]
    name_prefix: str = "wa"
    without: tuple[str, ...] = ()


def read_cluster_spec(raw: Raw) -> tuple[ClusterSpec | None, list[Problem]]:
    """The cluster in C(raw), or None and everything that is wrong with it. Hosts in C(without) are left out.

    raw: C(shards), C(version) (left out or None: not checked), C(survive), C(allow_no_ha), C(name_prefix),
    C(coreapp_port), C(master_port), C(webapp_port), C(hosts): a list of
    C({name, rack, address, api_address, kinds, pins, drained, coreapp_port, master_port, webapp_port}).
    """
    problems: list[Problem] = []
    shards = _shards(raw.get("shards"), problems)
    version = _version(raw.get("version"), problems)
    survive = _survive(raw.get("survive"), problems)
    prefix = _name_prefix(raw.get("name_prefix"), problems)
    ports = _ports(raw, DEFAULT_PORTS, None, problems)
    hosts = [_host(entry, ports, problems) for entry in raw.get("hosts") or []]
    problems += _hosts_together(hosts, survive)
    if problems or shards is None or survive is None:
        return None, problems
    without = tuple(raw.get("without") or ())
    there = tuple(host for host in hosts if host.name not in without)
    spec = ClusterSpec(shards, version, survive, bool(raw.get("allow_no_ha")), there, prefix, without)
    return spec, []


def _shards(value: t.Any, problems: list[Problem]) -> int | None:
    shards = whole_number(value)
    if shards in SHARD_COUNTS:
        return shards
    problems.append(
        Problem(
            "WA_SHARDS_INVALID",
            "{0}; allowed are the whole numbers {1}.".format(stated("wa_shards", value), enumerate_all(SHARD_COUNTS)),
            "wa_shards",
            value,
        )
    )
    return None


def _version(value: t.Any, problems: list[Problem]) -> Version | None:
    version = parse_version(value)
    if version is None and value is not None:
        problems.append(
            Problem(
                "WA_VERSION_INVALID",
                "wa_version is {0!r}{1}; allowed is vN.N.N or N.N.N, for example v2.19.4{2}.".format(
                    value, *(("", "") if isinstance(value, str) else (", which is not text", ", in quotes"))
                ),
                "wa_version",
                value,
            )
        )
    return version


def _survive(value: t.Any, problems: list[Problem]) -> FaultTolerance | None:
    if value is None or value == {}:
        return FaultTolerance()
    if isinstance(value, t.Mapping) and len(value) == 1:
        unit, raw_count = next(iter(value.items()))
        count = whole_number(raw_count)
        if unit in ("hosts", "racks") and count:
            return FaultTolerance(unit, count)
    problems.append(
        Problem(
            "WA_SURVIVE_INVALID",
            "wa_survive is {0!r}; allowed are {{}} (one spare), {{hosts: N}} and {{racks: N}} from 1.".format(value),
            "wa_survive",
            value,
        )
    )
    return None


def _name_prefix(value: t.Any, problems: list[Problem]) -> str:
    prefix = "wa" if value is None else value
    if isinstance(prefix, str) and re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", prefix):
        return prefix
    problems.append(
        Problem(
            "WA_NAME_PREFIX_INVALID",
            "wa_name_prefix is {0!r}; allowed are 1 to 32 lower-case letters, digits and inner hyphens,"
            " since container host names begin with it.".format(value),
            "wa_name_prefix",
            value,
        )
    )
    return "wa"


def _ports(raw: Raw, default: t.Mapping[str, int], host: str | None, problems: list[Problem]) -> dict[str, int]:
    ports = dict(default)
    for kind in KINDS:
        value = raw.get(kind + "_port")
        if value is None:
            continue
        port = whole_number(value)
        if port is None or not 1 <= port <= 65535:
            problems.append(
                Problem(
                    "WA_PORT_INVALID",
                    "wa_{0}_port is {1!r}; allowed is a port number from 1 to 65535.".format(kind, value),
                    "wa_{0}_port".format(kind),
                    value,
                    host,
                )
            )
        else:
            ports[kind] = port
    return ports


def _host(raw: Raw, ports: t.Mapping[str, int], problems: list[Problem]) -> HostSpec:
    name = raw.get("name")
    if not isinstance(name, str) or not name:
        problems.append(Problem("WA_HOST_NAME_MISSING", "An entry of hosts has no name.", "hosts", name))
        name = ""
    address = _text(raw.get("address")) or name
    api_address = _text(raw.get("api_address")) or address
    rack = _text(raw.get("rack"))
    problems += blank_problems({"wa_address": address, "wa_api_address": raw.get("api_address"), "rack": rack}, name)
    problems += [
        Problem("WA_VALUE_NOT_TEXT", not_text(variable, value), variable, value, name)
        for variable, value, default in (
            ("wa_address", raw.get("address"), None),
            ("wa_api_address", raw.get("api_address"), raw.get("address")),
        )
        if value is not None and value != default and not isinstance(value, str)
    ]
    problems += _address_problems(name, address.strip(), api_address.strip())
    kinds = tuple(raw.get("kinds") or ())
    for kind in kinds:
        if kind not in KINDS:
            problems.append(
                Problem(
                    "WA_KIND_INVALID",
                    "A host may run {0}, not {1!r}.".format(enumerate_all(KINDS), kind),
                    "kinds",
                    kind,
                    name,
                )
            )
    counts = _counts(raw.get("pins") or {}, kinds, name, problems)
    drained = switch_on(raw.get("drained"))
    if drained:
        # Whatever is there has to go, also a kind whose group the host has left.
        kinds, counts = KINDS, dict.fromkeys(KINDS, 0)
    return HostSpec(name, rack, address, api_address, kinds, counts, _ports(raw, ports, name, problems), drained)


def _address_problems(name: str, address: str, api_address: str) -> list[Problem]:
    """What no node, or no call to the API, can reach. The name of a host that stands for its address is not checked."""
    wrong = [
        text
        for text in dict.fromkeys((address, api_address))
        if (text != name and not addresses.names_a_host(text)) or (text == name and bad_number(text))
    ]
    found = [invalid_address(text) for text in wrong]
    if address in wrong:
        return found
    if addresses.means_this_machine(address):
        message = (
            "wa_address is {0!r}; in a container that is the container itself. Allowed is a name or address by which"
            " the nodes of all hosts reach this host."
        )
        found.append(Problem("WA_ADDRESS_LOOPBACK", message.format(address), "wa_address", address, name))
    elif addresses.is_ipv6(address):
        message = (
            "wa_address is {0!r}; nodes advertise it with their ports behind a colon, and nothing is known of IPv6"
            " there. Allowed is a DNS name or an IPv4 address; wa_api_address may be IPv6."
        )
        found.append(Problem("WA_ADDRESS_IPV6", message.format(address), "wa_address", address, name))
    return found


def _text(value: t.Any) -> str:
    return "" if value is None else str(value)


def _counts(pins: Raw, kinds: tuple[str, ...], host: str, problems: list[Problem]) -> dict[str, int]:
    counts = {}
    for kind, value in pins.items():
        problem, count = _count_problem(kind, value, kinds, host), whole_number(value)
        if problem is not None:
            problems.append(problem)
        elif count is not None:
            counts[kind] = count
    return counts


def _count_problem(kind: str, value: t.Any, kinds: tuple[str, ...], host: str) -> Problem | None:
    """What is wrong with a number of nodes that is fixed for a host; None is no opinion."""
    if kind not in KINDS:
        message = "A number of nodes can be fixed for {0}, not for {1!r}.".format(enumerate_all(KINDS), kind)
        return Problem("WA_KIND_INVALID", message, "pins", kind, host)
    variable, count = "wa_{0}s".format(kind), whole_number(value)
    if value is not None and count is None:
        message = "{0} is {1!r}; allowed is a whole number from 0.".format(variable, value)
        return Problem("WA_COUNT_INVALID", message, variable, value, host)
    if count and kind not in kinds:
        message = "{0} is {1}, but the host is not in group wa_{2}_hosts; add it, or set 0."
        return Problem("WA_COUNT_WRONG_HOST", message.format(variable, count, kind), variable, value, host)
    return None


def _hosts_together(hosts: t.Sequence[HostSpec], survive: FaultTolerance | None) -> list[Problem]:
    """What is wrong with the hosts as a set: none at all, twins, racks without a name where they count."""
    if not hosts:
        message = "The inventory group wa_cluster has no hosts; at least one is needed."
        return [Problem("WA_HOSTS_MISSING", message, "hosts")]
    problems: list[Problem | None] = []
    by_name: dict[str, HostSpec] = {}
    by_address: dict[str, HostSpec] = {}
    for host in hosts:
        address = host.address.lower().rstrip(".")
        problems.append(_twin_problem(host, by_name.get(host.name), by_address.get(address)))
        problems.append(_rack_problem(host, survive))
        by_name.setdefault(host.name, host)
        by_address.setdefault(address, host)
    return [problem for problem in problems if problem is not None]


def _twin_problem(host: HostSpec, of_name: HostSpec | None, of_address: HostSpec | None) -> Problem | None:
    """Another host before this one, that has its name, or its address."""
    if of_name is not None:
        message = "The host is given twice; each may be given once."
        return Problem("WA_HOST_DUPLICATE", message, "hosts", host.name, host.name)
    if of_address is not None:
        message = (
            "wa_address is {0!r}, which {1} has too; every host needs one of its own, since nodes are reached by it."
        ).format(host.address, of_address.name)
        return Problem("WA_ADDRESS_DUPLICATE", message, "wa_address", host.address, host.name)
    return None


def _rack_problem(host: HostSpec, survive: FaultTolerance | None) -> Problem | None:
    if survive is None or survive.unit != "racks" or host.rack:
        return None
    message = (
        "rack is not set; it must name the host's rack, as wa_survive asks that the loss of {0} be survived."
    ).format(amount(survive.count, "rack"))
    return Problem("WA_RACK_MISSING", message, "rack", None, host.name)
