# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An environment on AWS as it is asked for: counts, names, classes, addresses. Internal: may change any time. Pure.

The counts are those of the product's own AWS chapter (reference 7), connections and classes those of sizing.py. Hosts
are numbered, and the zone of a number never changes: growing adds numbers, shrinking takes the last ones away.
"""

from __future__ import annotations

import ipaddress
import math
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.product import (
    DEFAULT_PORTS,
    PORTS_PER_CORE,
    SHARD_COUNTS,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.text import amount, enumerate_all, stated
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import CORE_STRIDE
from ansible_collections.waent.fleet.plugins.module_utils._desired.values import whole_number

ENVIRONMENTS = {"production": 3, "staging": 2}
"""Hosts, webapps and masters that each has at least (reference 7)."""

MOST_HOSTS = {2: 3, 4: 4, 8: 5, 16: 8, 32: 15}
"""Hosts at most, by active coreapps, which are as many as shards (reference 7)."""

STACKS = NETWORK, DB, ENTERPRISE = ("network", "db", "enterprise")
"""In the order in which they are made."""

ZONES = (2, 3)
"""A database on several zones needs two; the fourth quarter of the VPC is for what faces the outside."""

VPC_PREFIX = (16, 24)
"""The largest VPC that AWS has, and the smallest whose sixteenth is a subnet of AWS, which has 16 addresses."""

LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""The numbers of days for which CloudWatch keeps a group of logs."""

DOCKER_BRIDGE = "172.17.0.0/16"
"""Docker's own bridge: on a host with an address in it the network around it is out of reach."""

Network = ipaddress.IPv4Network


@dataclass(frozen=True)
class Environment:
    """What is asked for. hosts: their number. coreapps_per_host: on the fullest one. duties: hosts with a webapp and a
    master, the first ones. zones: as they were asked for, empty for whatever the region has."""

    name: str
    prefix: str
    region: str
    shards: int
    hosts: int
    duties: int
    zones: tuple[str, ...] = ()
    cidr: str = ""
    vpc: str = ""
    subnets: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    admins: tuple[str, ...] = ()
    instance_type: str = ""
    db_class: str = ""
    db_version: str = ""
    image: str = ""
    disk_gb: int = 40
    key_name: str = ""
    rate: float | None = None
    log_days: int = 0

    @property
    def label(self) -> str:
        """What the names of its stacks and hosts begin with; its database has this name."""
        return "{0}-{1}".format(self.prefix, self.name)

    @property
    def coreapps(self) -> int:
        """One more than shards."""
        return self.shards + 1

    @property
    def coreapps_per_host(self) -> int:
        """On the fullest host: they are levelled."""
        return math.ceil(self.coreapps / self.hosts)

    @property
    def ports(self) -> list[tuple[int, int]]:
        """First and last host port of each range that coreapps and masters may publish, also while a host is lost and
        the others have its coreapps."""
        per_host = math.ceil(self.coreapps / max(1, self.hosts - 1))
        first = [DEFAULT_PORTS["coreapp"] + CORE_STRIDE * number for number in range(per_host)]
        ranges: list[tuple[int, int]] = []
        for start in sorted({*first, DEFAULT_PORTS["master"]}):
            last = start + PORTS_PER_CORE - 1
            if ranges and ranges[-1][1] == start - 1:
                ranges[-1] = (ranges[-1][0], last)
            else:
                ranges.append((start, last))
        return ranges

    def stack(self, kind: str) -> str:
        """Name of one of its stacks."""
        return "{0}-{1}".format(self.label, kind)


@dataclass(frozen=True)
class Host:
    """A host. number: from 1. kinds: what it may run."""

    number: int
    name: str
    zone: str
    kinds: tuple[str, ...]

    @property
    def logical(self) -> str:
        """Its name in the template."""
        return "Host{0}".format(self.number)


@dataclass(frozen=True)
class Subnets:
    """Addresses of one zone: C(private) for hosts, database and media, C(public) for NAT."""

    private: str
    public: str


# --- counts -----------------------------------------------------------------------------------------------------------


def most_hosts(environment: str, shards: int) -> int:
    """The most hosts for a number of shards; never fewer than the environment has at least."""
    row = next(most for active, most in MOST_HOSTS.items() if active >= shards)
    least = ENVIRONMENTS[environment]
    return least if shards == 1 else max(least, row)


def row_for(hosts: int) -> tuple[int, int] | None:
    """The first row of the table, active coreapps and hosts, that allows so many hosts; None beyond the last."""
    return next((row for row in MOST_HOSTS.items() if row[1] >= hosts), None)


def hosts_of(environment: Environment, zones: t.Sequence[str], count: int | None = None) -> list[Host]:
    """The hosts, numbered, spread over the zones in turn. count: so many instead of what is asked for."""
    made = []
    for number in range(1, (environment.hosts if count is None else count) + 1):
        kinds = ("webapp", "master", "coreapp") if number <= environment.duties else ("coreapp",)
        name = "{0}-{1}".format(environment.label, number)
        made.append(Host(number, name, zones[(number - 1) % len(zones)], kinds))
    return made


# --- addresses --------------------------------------------------------------------------------------------------------


def layout(cidr: str, zones: int) -> list[Subnets]:
    """Subnets of each zone: a quarter of the VPC for hosts, and a quarter of the last quarter for NAT."""
    quarters = list(_network(cidr).subnets(prefixlen_diff=2))
    outside = list(quarters[3].subnets(prefixlen_diff=2))
    return [Subnets(str(quarters[zone]), str(outside[zone])) for zone in range(zones)]


def _network(cidr: str) -> Network:
    return ipaddress.IPv4Network(cidr)


def network_of(cidr: t.Any) -> Network | None:
    """The IPv4 network, None where it is none; one with host bits is none either."""
    try:
        return _network(cidr) if isinstance(cidr, str) and "/" in cidr else None
    except ValueError:
        return None


def overlapping(cidr: str, others: t.Iterable[str]) -> list[str]:
    """Those of the other networks that share an address with this one."""
    mine = network_of(cidr)
    known = [(other, network_of(other)) for other in others]
    return [other for other, network in known if mine and network and mine.overlaps(network)]


def _cidr_problems(variable: str, cidr: t.Any) -> list[Problem]:
    network = network_of(cidr)
    if network is None:
        message = "{0}; allowed is an IPv4 network such as 10.60.0.0/20, with no bit set behind its length."
        return [Problem("AWS_CIDR_INVALID", message.format(stated(variable, cidr)), variable, cidr)]
    least, most = VPC_PREFIX
    if not least <= network.prefixlen <= most:
        size = "small" if network.prefixlen > most else "large"
        message = "{0} is {1}, which is too {2}; allowed is a length from /{3} to /{4}."
        text = message.format(variable, cidr, size, least, most)
        return [Problem("AWS_CIDR_TOO_" + size.upper(), text, variable, cidr)]
    if overlapping(cidr, [DOCKER_BRIDGE]):
        message = "{0} is {1}, which overlaps {2}, the bridge that Docker makes on every host; choose another network."
        return [Problem("AWS_CIDR_OVERLAPS", message.format(variable, cidr, DOCKER_BRIDGE), variable, cidr)]
    return []


# --- reading ----------------------------------------------------------------------------------------------------------

_PREFIX = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")


def read_environment(raw: t.Mapping[str, t.Any]) -> tuple[Environment | None, list[Problem]]:
    """The environment, or everything that is wrong with it. No call is needed for any of this.

    raw: C(environment), C(shards), and the variables wa_aws_... by their names without that; None or empty is left out.
    """
    name, shards = raw.get("environment"), whole_number(raw.get("shards"))
    problems = [*_environment_problems(name), *_shards_problems(raw.get("shards"))]
    problems += _text_problems(raw)
    if raw.get("vpc"):
        problems += _existing_problems(raw)
    else:
        problems += _cidr_problems("wa_aws_cidr", raw.get("cidr"))
    for variable in ("clients", "admins"):
        problems += _ranges_problems(variable, raw.get(variable) or [])
    problems += _log_days_problems(raw.get("log_days"))
    zones = tuple(raw.get("zones") or ())
    if zones and not ZONES[0] <= len(set(zones)) <= ZONES[1]:
        message = "wa_aws_zones names {0}; allowed are {1} or {2} different ones, such as eu-central-1a."
        text = message.format(amount(len(set(zones)), "zone"), *ZONES)
        problems.append(Problem("AWS_ZONES_INVALID", text, "wa_aws_zones", list(zones)))
    if name not in ENVIRONMENTS or shards not in SHARD_COUNTS:
        return None, problems
    hosts, found = _hosts(str(name), shards or 0, raw.get("hosts"))
    environment = Environment(
        name=str(name),
        prefix=str(raw.get("name") or ""),
        region=str(raw.get("region") or ""),
        shards=shards or 0,
        hosts=hosts,
        duties=min(hosts, ENVIRONMENTS[str(name)]),
        zones=zones,
        cidr="" if raw.get("vpc") else str(raw.get("cidr")),
        vpc=str(raw.get("vpc") or ""),
        subnets=tuple(raw.get("subnets") or ()),
        clients=tuple(raw.get("clients") or ()),
        admins=tuple(raw.get("admins") or ()),
        instance_type=str(raw.get("instance_type") or ""),
        db_class=str(raw.get("db_class") or ""),
        db_version=str(raw.get("db_version") or ""),
        image=str(raw.get("image") or ""),
        disk_gb=whole_number(raw.get("disk_gb")) or 0,
        key_name=str(raw.get("key_name") or ""),
        rate=float(raw["rate"]) if raw.get("rate") else None,
        log_days=whole_number(raw.get("log_days")) or 0,
    )
    problems += found
    return (None if problems else environment), problems


def _environment_problems(value: t.Any) -> list[Problem]:
    if value in ENVIRONMENTS:
        return []
    message = "{0}; allowed are {1}.".format(stated("wa_aws_environment", value or None), enumerate_all(ENVIRONMENTS))
    return [Problem("AWS_ENVIRONMENT_UNKNOWN", message, "wa_aws_environment", value)]


def _shards_problems(value: t.Any) -> list[Problem]:
    if whole_number(value) in SHARD_COUNTS:
        return []
    message = "{0}; allowed are the whole numbers {1}.".format(stated("shards", value), enumerate_all(SHARD_COUNTS))
    return [Problem("AWS_SHARDS_INVALID", message, "shards", value)]


def _text_problems(raw: t.Mapping[str, t.Any]) -> list[Problem]:
    problems = []
    region, prefix = raw.get("region"), raw.get("name")
    if not isinstance(region, str) or not re.match(r"[a-z]{2}(-[a-z]+)+-[0-9]+\Z", region):
        message = "{0}; allowed is the name of a region, such as eu-central-1.".format(
            stated("wa_aws_region", region or None)
        )
        problems.append(Problem("AWS_REGION_INVALID", message, "wa_aws_region", region))
    if not isinstance(prefix, str) or not _PREFIX.match(prefix) or len(prefix) > LONGEST_PREFIX:
        message = (
            "{0}; allowed are a lower-case letter and up to {1} more letters, digits and single inner hyphens, since"
            " names of everything on AWS begin with it."
        )
        text = message.format(stated("wa_aws_name", prefix), LONGEST_PREFIX - 1)
        problems.append(Problem("AWS_NAME_INVALID", text, "wa_aws_name", prefix))
    return problems


def _log_days_problems(value: t.Any) -> list[Problem]:
    if (whole_number(value) or 0) in (0, *LOG_DAYS):
        return []
    message = "{0}; CloudWatch keeps logs for {1} days, and 0 leaves them on the hosts."
    text = message.format(stated("wa_aws_log_days", value), enumerate_all(LOG_DAYS))
    return [Problem("AWS_LOG_DAYS_INVALID", text, "wa_aws_log_days", value)]


LONGEST_PREFIX = 16
"""The name of a load balancer has 32 characters at most."""


def _existing_problems(raw: t.Mapping[str, t.Any]) -> list[Problem]:
    count = len(set(raw.get("subnets") or ()))
    if ZONES[0] <= count <= ZONES[1]:
        return []
    message = "wa_aws_vpc is {0!r} and wa_aws_subnets names {1}; allowed are {2} or {3} subnets, each in another zone."
    text = message.format(raw["vpc"], amount(count, "subnet"), *ZONES)
    return [Problem("AWS_SUBNETS_INVALID", text, "wa_aws_subnets", raw.get("subnets"))]


def _ranges_problems(variable: str, ranges: t.Sequence[t.Any]) -> list[Problem]:
    """Ranges that may come in. The whole internet is none of them: the API and SSH are for those who are known."""
    name = "wa_aws_" + variable
    problems = []
    for cidr in ranges:
        network = network_of(cidr)
        if network is None or network.prefixlen == 0:
            message = "{0} has {1!r}; allowed are IPv4 networks such as 192.0.2.0/24, and not the whole internet."
            problems.append(Problem("AWS_RANGE_INVALID", message.format(name, cidr), name, cidr))
    return problems


def _hosts(environment: str, shards: int, asked: t.Any) -> tuple[int, list[Problem]]:
    """How many hosts there are to be. A number beyond the table is refused with the row that would do."""
    most, least, hosts = most_hosts(environment, shards), ENVIRONMENTS[environment], whole_number(asked)
    if not hosts:
        return most, []
    if least <= hosts <= most:
        return hosts, []
    row = row_for(hosts)
    if hosts < least:
        advice = "{0} has {1} at least".format(environment, least)
    elif row is None:
        advice = "the last row has {0}, with 32 shards".format(MOST_HOSTS[32])
    else:
        advice = "the first row with so many has {0} with {1} shards".format(row[1], row[0])
    message = "wa_aws_hosts is {0}; {1} with {2} takes {3} at most, and {4}.".format(
        hosts, environment, amount(shards, "shard"), amount(most, "host"), advice
    )
    return hosts, [Problem("AWS_HOSTS_INVALID", message, "wa_aws_hosts", asked)]
