# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The product's capacity tables, and estimates from them. Internal to waent.fleet: may change in any release. Pure.

Connections. The documented measurements are 700 (no TLS) and 1200 (TLS) with 8 coreapps at 100 messages a second, and
1700 with 32 at 250 (reference 7). Per message a second that is 7.0, 12.0 and 6.8: the number follows the rate, not
the coreapps, so the estimate is rate times 7, or times 12 with TLS. The third measurement does not say whether TLS was
on; it is read as without, which is the careful way. No figure for an idle coreapp is documented.
"""

from __future__ import annotations

import math
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem

CONNECTIONS_PER_MESSAGE = 7.0
CONNECTIONS_PER_MESSAGE_TLS = 12.0
SAFETY = 2
"""C(max_connections) is to be this many times the estimate (reference 7)."""

OWN_LIMIT = 500
"""The least that a database of our own allows."""

MOST_PER_SECOND = 250
"""Messages a second the product officially supports (reference 7)."""

MOST_PER_SHARD = 12.5
"""Messages a second per shard in the fastest documented set-up below that, 100 on 8 shards (reference 7)."""

STORAGE_GB, IOPS = 1024, 10000
"""Of the database in the set-up for C(MOST_PER_SECOND) (reference 7)."""

LEAST_STORAGE_GB = 100

# Most connections of each RDS class (reference 7).
CLASSES: dict[str, int] = {
    "m3.medium": 298,
    "m3.large": 596,
    "m3.xlarge": 1192,
    "m3.2xlarge": 2384,
    "m4.large": 636,
    "m4.xlarge": 1272,
    "m4.2xlarge": 2543,
    "m4.4xlarge": 5086,
    "m4.10xlarge": 12716,
    "m4.16xlarge": 20345,
    "r4.large": 1212,
    "r4.xlarge": 2424,
    "r4.2xlarge": 4848,
    "r4.4xlarge": 9696,
    "r4.10xlarge": 19391,
    "r4.16xlarge": 38783,
    "t2.medium": 318,
    "t2.large": 636,
    "t2.xlarge": 1272,
    "t2.2xlarge": 2543,
}


class Template(t.NamedTuple):
    """A line of the vendor's later AWS template: what it sets up for a rate (reference 7)."""

    messages_per_second: int
    shards: int
    coreapps: int
    webapps: int
    database: str


TEMPLATES = (
    Template(10, 2, 3, 2, "r5.large"),
    Template(20, 2, 3, 2, "r5.xlarge"),
    Template(40, 4, 5, 2, "r5.xlarge"),
    Template(80, 8, 9, 2, "r5.2xlarge"),
    Template(120, 16, 17, 2, "r5.4xlarge"),
    Template(160, 16, 17, 2, "r5.4xlarge"),
    Template(200, 32, 33, 2, "r5.4xlarge"),
    Template(250, 32, 33, 3, "r5.8xlarge"),
    Template(300, 32, 33, 3, "r5.8xlarge"),
    Template(350, 32, 33, 3, "r5.8xlarge"),
)

SAME_MEMORY = {"m5": "m4", "m6i": "m4", "r5": "r4", "r6i": "r4", "t3": "t2"}
"""Families of now, and those in the table that have as much memory at each size, or a little less. The limit follows
the memory, and AWS makes no new database of a class of the table."""

FEW_HOSTS = {2: 2, 4: 3, 8: 5, 16: 9, 32: 17}
"""Coreapp hosts of the templates' cost-effective form, by shards; the other has one coreapp a host (reference 7)."""

MEMORY_MB = {"coreapp": 1024, "master": 1024, "webapp": 512}
"""Memory the templates reserve for a container (reference 2.5)."""


INSTANCE_MEMORY_MB = {"large": 1400, "xlarge": 3600, "2xlarge": 7000, "4xlarge": 14900}
"""Memory for containers on each size of the templates' family of hosts (reference 7)."""

INSTANCE_FAMILY = "c5"


def host_memory(coreapps: int) -> int:
    """What the containers of a host reserve that has so many coreapps, a master and a webapp."""
    return MEMORY_MB["coreapp"] * coreapps + MEMORY_MB["master"] + MEMORY_MB["webapp"]


def instance_type_for(memory_mb: int) -> str:
    """The smallest type with so much memory for containers; the largest that is documented where none has."""
    fits = [size for size, memory in INSTANCE_MEMORY_MB.items() if memory >= memory_mb]
    return "{0}.{1}".format(INSTANCE_FAMILY, (fits or list(INSTANCE_MEMORY_MB)[-1:])[0])


def instance_memory(instance_type: str) -> int | None:
    """Memory for containers, None where the product's tables do not have it."""
    family, _dot, size = instance_type.partition(".")
    return INSTANCE_MEMORY_MB.get(size) if family == INSTANCE_FAMILY else None


def usual_rate(shards: int) -> float:
    """The most messages a second for which the product is documented with this many shards."""
    return min(MOST_PER_SECOND, MOST_PER_SHARD * shards)


def connections(rate: float, tls: bool) -> int:
    """Estimated database connections at C(rate) messages a second."""
    return math.ceil(rate * (CONNECTIONS_PER_MESSAGE_TLS if tls else CONNECTIONS_PER_MESSAGE))


def own_limit(shards: t.Any, rate: t.Any, tls: bool) -> int:
    """Connections that a database of our own allows where nothing is declared.

    shards, rate: of the inventory, also what cannot be meant, which is refused elsewhere. Where the usual limit is
    enough, it stays, since another one means another container.
    """
    try:
        planned = float(rate or 0) or usual_rate(int(shards))
    except (TypeError, ValueError):
        return OWN_LIMIT
    estimate = connections(planned, tls)
    return OWN_LIMIT if estimate <= OWN_LIMIT else SAFETY * estimate


def storage(rate: float) -> tuple[int, int]:
    """Gigabytes of disk and I/O operations a second for C(rate) messages a second.

    The one documented set-up has 1024 GB and 10000 a second at 250 messages (reference 7); the figures here go with
    the rate, and never below what a disk of AWS has at least.
    """
    share = rate / MOST_PER_SECOND
    return max(LEAST_STORAGE_GB, math.ceil(STORAGE_GB * share)), math.ceil(IOPS * share)


def plain_class(name: str) -> str:
    """C(db.m4.large) as the tables have it, C(m4.large)."""
    return name[3:] if name.startswith("db.") else name


def limit_of(name: str) -> int | None:
    """Most connections of a class, also of a family of now; None where the table has nothing to go by."""
    family, _dot, size = plain_class(name).partition(".")
    return CLASSES.get("{0}.{1}".format(SAME_MEMORY.get(family, family), size))


def class_of_now(needed: int) -> str | None:
    """The smallest class of the family r5, which the vendor's later templates have, for so many connections."""
    fits = [(most, name) for name, most in CLASSES.items() if name.startswith("r4.") and most >= needed]
    return "db.r5." + min(fits)[1].partition(".")[2] if fits else None


def classes_for(needed: int, name: str | None = None) -> list[str]:
    """The smallest class of each family with at least C(needed) connections, smallest first.

    name: a class in use; its family comes first then, since staying in it is the smaller change.
    """
    family = plain_class(name).partition(".")[0] if name else None
    smallest: dict[str, tuple[int, str]] = {}
    for candidate, most in CLASSES.items():
        if most >= needed:
            own = candidate.partition(".")[0]
            smallest[own] = min(smallest.get(own, (most, candidate)), (most, candidate))
    return [c for own, (_most, c) in sorted(smallest.items(), key=lambda item: (item[0] != family, item[1]))]


def template_for(rate: float) -> Template | None:
    """The vendor's template for a rate; None beyond the last one."""
    return next((template for template in TEMPLATES if template.messages_per_second >= rate), None)


def needs(*, shards: int | None = None, rate: float | None = None, tls: bool = False) -> dict[str, t.Any]:
    """What a cluster for C(shards) at C(rate) messages a second needs. One of the two may be left out.

    Returns C({shards, messages_per_second, supported, coreapps, masters, webapps, coreapp_hosts, coreapp_hosts_few,
    connections, max_connections, rds_classes, aurora_class, memory_mb}). coreapps: with one spare. memory_mb: of all
    containers together. Raises ValueError when both are left out, or when no template has such a rate.
    """
    if shards is None:
        template = template_for(rate) if rate is not None else None
        if template is None:
            raise ValueError(
                "messages per second is {0!r}; allowed is a number up to {1}, or the number of shards".format(
                    rate, TEMPLATES[-1].messages_per_second
                )
            )
        shards = template.shards
    rate = usual_rate(shards) if rate is None else rate
    template = template_for(rate)
    webapps = template.webapps if template else TEMPLATES[-1].webapps
    counts = {"coreapp": shards + 1, "master": 2, "webapp": webapps}
    estimate = connections(rate, tls)
    gigabytes, iops = storage(rate)
    return {
        "shards": shards,
        "messages_per_second": rate,
        "supported": rate <= MOST_PER_SECOND and template is not None and template.shards <= shards,
        "coreapps": counts["coreapp"],
        "masters": counts["master"],
        "webapps": webapps,
        "coreapp_hosts": counts["coreapp"],
        "coreapp_hosts_few": FEW_HOSTS.get(shards, counts["coreapp"]),
        "connections": estimate,
        "max_connections": SAFETY * estimate,
        "rds_classes": classes_for(SAFETY * estimate),
        "aurora_class": template.database if template else None,
        "storage_gb": gigabytes,
        "iops": iops,
        "memory_mb": sum(MEMORY_MB[kind] * count for kind, count in counts.items()),
    }


def headroom_problems(
    *,
    shards_now: int,
    shards: int,
    max_connections: int,
    in_use: int,
    tls: bool = False,
    rate: float | None = None,
    database_class: str | None = None,
) -> list[Problem]:
    """Whether the database has room for C(shards).

    What others use is what is in use now beyond this cluster's own estimate; the new estimate must fit beside it. A
    cluster that does not grow is never refused. rate: messages a second to plan for, by default the most that is
    documented for the number of shards, before and after.
    """
    if shards <= shards_now:
        return []
    before = connections(min(rate, usual_rate(shards_now)) if rate is not None else usual_rate(shards_now), tls)
    after = connections(usual_rate(shards) if rate is None else rate, tls)
    needed = after + max(0, in_use - before)
    if needed <= max_connections:
        return []
    least = max(needed, SAFETY * after)
    message = (
        "{0} shards need about {1} database connections{2} at {8:g} messages a second, {3} with those in use by others,"
        " but the database allows {4} (in use now: {5}); raise max_connections (wa_database_max_connections of a"
        " database in wa_database_hosts) to at least {6}{7}, or set wa_messages_per_second if fewer messages are to be"
        " sent.".format(
            shards,
            after,
            " with TLS" if tls else "",
            needed,
            max_connections,
            in_use,
            least,
            _class_that_has(least, database_class),
            usual_rate(shards) if rate is None else rate,
        )
    )
    return [Problem("DB_CONNECTIONS_TOO_FEW", message, "max_connections", max_connections)]


def _class_that_has(least: int, database_class: str | None) -> str:
    """The end of a sentence that names the next larger class; empty where none is known."""
    if database_class is None or plain_class(database_class) not in CLASSES:
        return ""
    known = classes_for(least, database_class)
    return ", which class db.{0} has".format(known[0]) if known else ""
