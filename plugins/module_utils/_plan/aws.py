# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made, changed and removed on AWS, in which order. Internal to waent.fleet: may change in any release. Pure.

Growing updates the stacks before the cluster, shrinking after it. Which hosts go is said here, by number, and never
left to AWS, which does not know who owns a shard: hosts are resources of their own, and one that is there keeps the
image, type and version of the launch template that it was made with. The database never gets smaller by itself.
"""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass, field

from ansible_collections.waent.fleet.plugins.module_utils._check.aws import (
    account_problems,
    leaving_problems,
    nat_gateways,
    shards_problems,
    stack_problems,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.table import aligned
from ansible_collections.waent.fleet.plugins.module_utils._common.text import amount, enumerate_all
from ansible_collections.waent.fleet.plugins.module_utils._desired.aws import (
    DB,
    ENTERPRISE,
    NETWORK,
    STACKS,
    ZONES,
    Environment,
    Host,
    hosts_of,
    layout,
)
from ansible_collections.waent.fleet.plugins.module_utils._plan.removal import (
    Asked,
    no_data_problem,
    wrong_name_problem,
)
from ansible_collections.waent.fleet.plugins.module_utils._plan.sizing import (
    class_of_now,
    host_memory,
    instance_memory,
    instance_type_for,
    limit_of,
    needs,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.aws import Account, Instance, Stack

MAKE, BEFORE, AFTER, REMOVE = STAGES = ("make", "before", "after", "remove")
"""aws.yml makes an environment; a reshard changes one before or after the cluster; aws_remove.yml removes it."""

BACKUP_DAYS = {"production": 14, "staging": 7}


KEEP = Asked()


@dataclass(frozen=True)
class AwsPlan:
    """What is to be done. stacks: kinds, in their order. leaving: names of the hosts that are to have no node, since
    they go. added: those that have to be prepared. updates: kinds that are updated before they are removed. aws: what
    the templates are made of. lines: for people."""

    stacks: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    new_hosts: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    updates: tuple[str, ...] = ()
    aws: t.Mapping[str, t.Any] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Database:
    """The database as it is to be."""

    db_class: str
    storage_gb: int
    max_connections: int


def instance_type(environment: Environment) -> str:
    """The type of new hosts."""
    return environment.instance_type or instance_type_for(host_memory(environment.coreapps_per_host))


def size_problems(environment: Environment) -> list[Problem]:
    """Classes that were asked for and are too small. Nothing has to be read for it."""
    problems = []
    memory, needed = instance_memory(instance_type(environment)), host_memory(environment.coreapps_per_host)
    if memory is not None and memory < needed:
        message = (
            "wa_aws_instance_type is {0}, with {1} MB for containers; the fullest of {2} takes {3} MB ({4}, a master"
            " and a webapp), for which {5} would do."
        )
        text = message.format(
            environment.instance_type,
            memory,
            amount(environment.hosts, "host"),
            needed,
            amount(environment.coreapps_per_host, "coreapp"),
            instance_type_for(needed),
        )
        problems.append(Problem("AWS_INSTANCE_TOO_SMALL", text, "wa_aws_instance_type", environment.instance_type))
    desired = needs(shards=environment.shards, rate=environment.rate, tls=True)
    limit = limit_of(environment.db_class) if environment.db_class else None
    if limit is not None and limit < desired["max_connections"]:
        message = (
            "wa_aws_db_class is {0}, which allows {1} connections; {2} need {3} at {4:g} messages a second with TLS,"
            " for which {5} would do."
        )
        text = message.format(
            environment.db_class,
            limit,
            amount(environment.shards, "shard"),
            desired["max_connections"],
            desired["messages_per_second"],
            class_of_now(desired["max_connections"]),
        )
        problems.append(Problem("AWS_DB_CLASS_TOO_SMALL", text, "wa_aws_db_class", environment.db_class))
    return problems


def asked_problems(environment: Environment, asked: Asked) -> list[Problem]:
    """What is wrong with the name of a database that is to go. Nothing has to be read for it: it has the name of its
    environment, also when a run that was killed has removed it already."""
    if not asked.database:
        return []
    if not asked.data:
        return [no_data_problem(asked, instruction("aws_data_stays"))]
    if asked.database == environment.label:
        return []
    message = "wa_remove_database is {0}; allowed is the database of the environment: {1}."
    return [wrong_name_problem(message.format(asked.database, environment.label), asked)]


def database_for(environment: Environment, stack: Stack | None) -> Database:
    """The database, at least as large as it is."""
    desired = needs(shards=environment.shards, rate=environment.rate, tls=True)
    connections, storage, there = desired["max_connections"], desired["storage_gb"], ""
    if stack is not None:
        connections = max(connections, stack.number("MaxConnections"))
        storage = max(storage, stack.number("StorageGb"))
        there = stack.outputs.get("Class", "")
    enough = there if there and (limit_of(there) or connections) >= connections else ""
    db_class = environment.db_class or enough or class_of_now(connections) or ""
    return Database(db_class, storage, connections)


def zones_for(environment: Environment, account: Account) -> list[str]:
    """The zones in use, or those to be used, in the order of the hosts' numbers."""
    if environment.vpc:
        zone_of = {subnet.subnet: subnet.zone for subnet in account.subnets}
        return [zone_of[name] for name in environment.subnets if name in zone_of]
    network = account.stacks.get(NETWORK)
    there = network.list_of("Zones") if network and network.stands else []
    most = ZONES[1] if environment.name == "production" else ZONES[0]
    return there or list(environment.zones or account.zones[:most])


def hosts_there(account: Account) -> int:
    """How many hosts the stack has."""
    stack = account.stacks.get(ENTERPRISE)
    return stack.number("Hosts") if stack and stack.stands else 0


def plan_aws(
    environment: Environment,
    account: Account,
    stage: str,
    hosts_read: t.Sequence[t.Mapping[str, t.Any]] = (),
    asked: Asked = KEEP,
) -> AwsPlan:
    """What is to be done at one stage. hosts_read: what wa_host_info read of the hosts that go, after a reshard. asked:
    which data is to go, when the environment does."""
    if stage == REMOVE:
        return _removal(environment, account, asked)
    zones, there = zones_for(environment, account), hosts_there(account)
    enterprise = account.stacks.get(ENTERPRISE)
    shrinks = environment.hosts < there or (enterprise is not None and environment.shards < enterprise.number("Shards"))
    problems = list(shards_problems(environment, account)) if stage == MAKE else []
    if stage == MAKE and not problems and environment.hosts < there:
        problems.append(_fewer_hosts(environment, there))
    new = max(0, environment.hosts - there)
    spread = math.ceil(environment.hosts / max(1, len(zones)))
    problems += account_problems(environment, account, zones, new, spread)
    if stage != MAKE and enterprise is None and not problems:
        problems.append(_not_made(environment))
    if problems:
        return AwsPlan(problems=tuple(problems))
    desired = hosts_of(environment, zones)
    leaving = tuple(host.name for host in hosts_of(environment, zones, there)[environment.hosts :])
    stacks = _order(stage, shrinks)
    if stage == AFTER:
        problems = leaving_problems(leaving, hosts_read)
        if problems:
            return AwsPlan(leaving=leaving, problems=tuple(problems))
    values = values_of(environment, account, zones, desired, stage)
    return AwsPlan(
        stacks=stacks,
        leaving=leaving,
        hosts=tuple(host.name for host in desired),
        new_hosts=tuple(host.name for host in desired[there:]),
        added=tuple(host.name for host in desired) if stage == BEFORE and not shrinks else (),
        aws=values,
        lines=tuple(_lines(environment, account, values, stage, shrinks, leaving)),
    )


def _order(stage: str, shrinks: bool) -> tuple[str, ...]:
    """Ports are open before the hosts that need them are there, and closed when they are gone."""
    if stage == MAKE or (stage == BEFORE and not shrinks):
        return STACKS
    return (ENTERPRISE, DB, NETWORK) if stage == AFTER and shrinks else ()


def _fewer_hosts(environment: Environment, there: int) -> Problem:
    message = (
        "wa_aws_hosts is {0}, but {1} has {2}; run {3}, which empties hosts before it has them taken away, also with"
        " the same number of shards."
    )
    again = instruction("aws_hosts_fewer", shards=environment.shards)
    text = message.format(environment.hosts, environment.stack(ENTERPRISE), there, again)
    return Problem("AWS_HOSTS_FEWER", text, "wa_aws_hosts", environment.hosts)


def _not_made(environment: Environment) -> Problem:
    message = "There is no stack {0} in {1}, so there is nothing to change; run {2}, which makes it."
    making = instruction("aws_not_made", shards=environment.shards)
    text = message.format(environment.stack(ENTERPRISE), environment.region, making)
    return Problem("AWS_NOT_MADE", text, "wa_aws_environment", environment.name)


# --- what the templates are made of -----------------------------------------------------------------------------------


def values_of(
    environment: Environment,
    account: Account,
    zones: t.Sequence[str],
    hosts: t.Sequence[Host],
    stage: str = MAKE,
    asked: Asked = KEEP,
) -> dict[str, t.Any]:
    """C(aws) in the templates."""
    letters = "ABC"
    database = database_for(environment, account.stacks.get(DB))
    protected = environment.name == "production" and stage != REMOVE
    known = {instance.name: instance for instance in account.instances}
    return {
        "label": environment.label,
        "environment": environment.name,
        "region": environment.region,
        "shards": environment.shards,
        "stack": {kind: environment.stack(kind) for kind in STACKS},
        "vpc": environment.vpc,
        "vpc_reference": environment.vpc or "!Ref Vpc",
        "cidr": environment.cidr,
        "zones": _zones(environment, zones, letters),
        "clients": list(environment.clients),
        "admins": list(environment.admins),
        "ports": [list(ports) for ports in environment.ports],
        "db": {
            "class": database.db_class,
            "version": environment.db_version,
            "storage_gb": database.storage_gb,
            "max_connections": database.max_connections,
            "backup_days": BACKUP_DAYS[environment.name],
            "protected": protected,
            "deletion": "Delete" if asked.database else "Snapshot",
        },
        "media_deletion": "Delete" if asked.data else "Retain",
        "disk_gb": environment.disk_gb,
        "key_name": environment.key_name,
        "log_days": environment.log_days,
        "root_device": account.root_device,
        "hosts": [_host(environment, account, host, letters[zones.index(host.zone)], known) for host in hosts],
    }


def _zones(environment: Environment, zones: t.Sequence[str], letters: str) -> list[dict[str, str]]:
    made = [] if environment.vpc else layout(environment.cidr, len(zones))
    gateways = nat_gateways(environment, zones)
    found = []
    for number, zone in enumerate(zones):
        letter = letters[number]
        found.append(
            {
                "letter": letter,
                "zone": zone,
                "private": made[number].private if made else "",
                "public": made[number].public if made else "",
                "nat": letter if number < gateways else letters[0],
                "subnet": environment.subnets[number] if environment.vpc else "!Ref Private" + letter,
            }
        )
    return found


def template_name(environment: Environment, letter: str) -> str:
    """Name of the launch template of a zone."""
    return "{0}-{1}".format(environment.label, letter.lower())


def _host(
    environment: Environment, account: Account, host: Host, letter: str, known: t.Mapping[str, Instance]
) -> dict[str, t.Any]:
    """A host that is there is written down as it is."""
    there = known.get(host.name)
    # One that this very update makes is for the hosts after it: then the template is the same in every run.
    newest = account.template_versions.get(template_name(environment, letter), "1")
    version = (there.template_version if there else "") or newest
    return {
        "logical": host.logical,
        "name": host.name,
        "letter": letter,
        "kinds": list(host.kinds),
        "image": there.image if there else account.image,
        "instance_type": there.instance_type if there else instance_type(environment),
        "template_version": version,
    }


# --- what people see --------------------------------------------------------------------------------------------------


def _lines(
    environment: Environment,
    account: Account,
    values: t.Mapping[str, t.Any],
    stage: str,
    shrinks: bool,
    leaving: t.Sequence[str],
) -> list[str]:
    zones = [zone["zone"] for zone in values["zones"]]
    head = "{0} on AWS: {1} in {2} (account {3}), zones {4}.".format(
        values["label"], amount(environment.shards, "shard"), account.region, account.account, enumerate_all(zones)
    )
    lines = [head, ""]
    lines += aligned([("stack", "now", "what is in it"), *_stack_rows(environment, account, values)])
    lines += ["", *aligned([("number", "class", "what costs"), *cost_drivers(environment, values)])]
    lines += ["", *_order_lines(stage, shrinks, leaving)]
    lines += _notes(environment, account, values)
    return lines


def _stack_rows(
    environment: Environment, account: Account, values: t.Mapping[str, t.Any]
) -> t.Iterator[tuple[str, str, str]]:
    coreapps = environment.coreapps
    network = "security groups in {0}".format(environment.vpc)
    if not environment.vpc:
        network = "VPC {0} with {1} and security groups".format(environment.cidr, amount(len(values["zones"]), "zone"))
    what = {
        NETWORK: network,
        DB: "MySQL {0} in two zones, encrypted, TLS required, {1} connections".format(
            values["db"]["version"], values["db"]["max_connections"]
        ),
        ENTERPRISE: "{0} for {1}, {2} and {3}; media; balancer".format(
            amount(len(values["hosts"]), "host"),
            amount(environment.duties, "webapp"),
            amount(environment.duties, "master"),
            amount(coreapps, "coreapp"),
        ),
    }
    for kind in STACKS:
        stack = account.stacks.get(kind)
        yield environment.stack(kind), stack.status if stack else "absent", what[kind]


def cost_drivers(environment: Environment, values: t.Mapping[str, t.Any]) -> list[tuple[str, str, str]]:
    """Number, class and what of everything that AWS counts by the hour or the gigabyte. Prices are AWS's own."""
    types: dict[str, int] = {}
    for host in values["hosts"]:
        types[host["instance_type"]] = types.get(host["instance_type"], 0) + 1
    count = len(values["hosts"])
    rows = [(str(number), name, "EC2 hosts") for name, number in sorted(types.items())]
    rows.append((str(count), "gp3 {0} GB".format(values["disk_gb"]), "disks of the hosts"))
    rows.append(("2", values["db"]["class"], "RDS MySQL, the second one as standby"))
    rows.append(("2", "gp3 {0} GB".format(values["db"]["storage_gb"]), "disks of the database"))
    if not environment.vpc:
        gateways = len({zone["nat"] for zone in values["zones"]})
        rows.append((str(gateways), "NAT gateway", "with an address each, and by the gigabyte"))
    rows.append(("1", "network balancer", "by the hour and the gigabyte"))
    rows.append(("1", "EFS elastic", "media, by the gigabyte"))
    if environment.log_days:
        rows.append(("1", "log group", "CloudWatch, by the gigabyte, kept for {0} days".format(environment.log_days)))
    return rows


def _order_lines(stage: str, shrinks: bool, leaving: t.Sequence[str]) -> list[str]:
    if stage == MAKE:
        return ["Order: network, db, enterprise; wait for the hosts; then the cluster is installed."]
    if not shrinks:
        return ["Order: the stacks, wait for the hosts, then the cluster and set-shards."]
    goes = "; hosts that go once they are empty: {0}".format(enumerate_all(leaving)) if leaving else ""
    return ["Order: set-shards first, then the hosts are emptied, and the stacks last{0}.".format(goes)]


def _notes(environment: Environment, account: Account, values: t.Mapping[str, t.Any]) -> list[str]:
    notes = []
    for quota in account.quotas.values():
        if quota.limit is None:
            text = "Not checked: whether the quota {0} leaves room for {1} ({2})."
            notes.append(text.format(quota.code, quota.what, quota.why))
    needed = host_memory(environment.coreapps_per_host)
    small = [
        instance.name
        for instance in account.instances
        if instance.name in {host["name"] for host in values["hosts"]}
        and (instance_memory(instance.instance_type) or needed) < needed
    ]
    if small:
        text = "Careful: {0} have less memory than the {1} MB that the fullest host takes."
        notes.append(text.format(enumerate_all(small), needed))
    kind = values["hosts"][-1]["instance_type"]
    if instance_memory(kind) is None:
        notes.append("Not checked: whether {0} has the {1} MB that the fullest host takes.".format(kind, needed))
    if limit_of(values["db"]["class"]) is None:
        text = "Not checked: whether {0} has room for {1} connections."
        notes.append(text.format(values["db"]["class"], values["db"]["max_connections"]))
    db = account.stacks.get(DB)
    before = db.outputs.get("Class") if db else None
    if before and before != values["db"]["class"]:
        text = (
            "The database goes from {0} to {1}: AWS switches over to its standby, and all connections end for a minute."
        )
        notes.append(text.format(before, values["db"]["class"]))
    return notes


def _removal(environment: Environment, account: Account, asked: Asked) -> AwsPlan:
    """Hosts first, then the database, then the network. What holds data stays unless it was asked for."""
    problems = asked_problems(environment, asked)
    if problems:
        return AwsPlan(problems=tuple(problems))
    zones = zones_for(environment, account)
    there = {kind: stack for kind, stack in account.stacks.items() if stack is not None}
    enterprise = there.get(ENTERPRISE)
    busy = [stack for stack in there.values() if stack.busy]
    if busy:
        return AwsPlan(problems=tuple(stack_problems(busy)))
    if not there:
        return AwsPlan(lines=("Nothing is there of {0} in {1}.".format(environment.label, account.region),))
    hosts = hosts_of(environment, zones, hosts_there(account)) if zones else []
    gone = [environment.stack(kind) for kind in reversed(STACKS) if kind in there]
    lines = ["Removed from {0} (account {1}): {2}.".format(account.region, account.account, enumerate_all(gone))]
    if hosts:
        lines.append("The cluster ends with its hosts: {0}.".format(enumerate_all(host.name for host in hosts)))
    lines += _data_lines(environment, there, asked)
    values = values_of(environment, account, zones, hosts, REMOVE, asked)
    stand = {kind for kind, stack in there.items() if stack.stands}
    # Where a run that was killed has left another answer, that one does not count.
    other = enterprise is not None and enterprise.outputs.get("MediaDeletion") != values["media_deletion"]
    updates = tuple(kind for kind in (DB, ENTERPRISE) if kind in stand and (kind == DB or other))
    return AwsPlan(
        stacks=tuple(kind for kind in reversed(STACKS) if kind in there),
        updates=updates if NETWORK in stand else (),
        aws=values,
        lines=tuple(lines),
    )


def _data_lines(environment: Environment, there: t.Container[str], asked: Asked) -> list[str]:
    """What becomes of the data in the stacks that are there."""
    lines = []
    if ENTERPRISE in there and asked.data:
        lines.append("With its data: the file system with all media, and the logs in CloudWatch, where there are any.")
    elif ENTERPRISE in there:
        text = (
            "Stays: the file system with all media, and the logs in CloudWatch, where there are any ({0} removes them)."
        )
        lines.append(text.format(instruction("aws_data_stays")))
    if DB in there and asked.database:
        text = "With its data: the database {0} without a last snapshot, with the registration and all messages."
        lines.append(text.format(environment.label))
    elif DB in there:
        text = (
            "Stays: a last snapshot of the database and its automated backups, with the registration and all messages"
            " ({0} removes them)."
        )
        lines.append(text.format(instruction("aws_database_stays", database=environment.label)))
    return lines
