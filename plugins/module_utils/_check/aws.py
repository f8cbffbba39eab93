# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an environment on AWS cannot be made or changed as asked. Internal: may change in any release. Pure.

All of it is found before the first call that changes anything.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.text import amount, enumerate_all, one_line
from ansible_collections.waent.fleet.plugins.module_utils._desired.aws import (
    DB,
    ENTERPRISE,
    NETWORK,
    ZONES,
    Environment,
    overlapping,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.aws import NOTHING_IN_IT, Account, Stack
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import may_hold_unseen

SPARE_ADDRESSES = 8
"""Addresses of a zone beside those of hosts: balancer, media, database and its standby, and those being replaced."""

VCPUS, VPCS, ADDRESSES, GATEWAYS = "vcpus", "vpcs", "addresses", "gateways"
DATABASES, BALANCERS, FILE_SYSTEMS = "databases", "balancers", "file_systems"


def account_problems(
    environment: Environment, account: Account, zones: t.Sequence[str], new_hosts: int, per_zone: int
) -> list[Problem]:
    """What is wrong with the account for it. zones: those to be used. new_hosts: so many are added.

    per_zone: hosts of the fullest zone.
    """
    problems = stack_problems(account.stacks.values())
    if environment.vpc:
        problems += _existing_vpc(environment, account, per_zone)
    else:
        problems += _zones(environment, account, zones)
        problems += _overlaps(environment, account)
    return problems + _zones_stay(environment, account) + _quotas(environment, account, zones, new_hosts)


SESSION_MANAGER = re.compile(r"(?:(?:amazon|community)\.aws\.)?aws_ssm\Z")


def session_manager_problems(connection: t.Any, bucket: t.Any, program: str | None) -> list[Problem]:
    """What a connection by Session Manager lacks on the machine that runs Ansible. Waiting for a host would not help.

    program: path of session-manager-plugin, None where there is none.
    """
    if not isinstance(connection, str) or not SESSION_MANAGER.match(connection):
        return []
    message = "ansible_connection is {0}, and {1}; docs/guides/aws.md says what it needs."
    missing = {
        "session-manager-plugin": "" if program else "the machine that runs Ansible has no session-manager-plugin",
        "ansible_aws_ssm_bucket_name": "" if bucket else "ansible_aws_ssm_bucket_name names no bucket",
    }
    return [
        Problem("AWS_SESSION_MANAGER", message.format(connection, what), name) for name, what in missing.items() if what
    ]


def stack_problems(stacks: t.Iterable[Stack | None]) -> list[Problem]:
    """Stacks that are neither whole nor absent: which resource, and why."""
    return [
        _busy(stack) if stack.busy else _failed(stack)
        for stack in stacks
        if stack is not None and not stack.stands and stack.status != NOTHING_IN_IT
    ]


def _busy(stack: Stack) -> Problem:
    message = "The stack {0} is {1}, and still is after the time it was given; wait until AWS is done, and run {2}."
    text = message.format(stack.name, stack.status, instruction("aws_stack_busy"))
    return Problem("AWS_STACK_BUSY", text, "stack", stack.status)


def _failed(stack: Stack) -> Problem:
    shown = ["{0} ({1}): {2}".format(one.resource, one.kind, one_line(one.reason)) for one in stack.failed[:3]]
    why = "; ".join(shown) or "AWS has no reason on record"
    if stack.status in ("ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED"):
        advice = "remove what is in the way, delete this stack, and run {0}".format(instruction("aws_stack_failed"))
    else:
        advice = "have AWS continue its rollback, and run {0}".format(instruction("aws_stack_failed"))
    message = "The stack {0} is {1}: {2}; {3}.".format(stack.name, stack.status, why, advice)
    return Problem("AWS_STACK_FAILED", message, "stack", stack.status)


def _zones(environment: Environment, account: Account, zones: t.Sequence[str]) -> list[Problem]:
    missing = [zone for zone in environment.zones if zone not in account.zones]
    if missing:
        message = "wa_aws_zones names {0}; in {1} those that are there and offer the type of the hosts are {2}."
        text = message.format(enumerate_all(missing), account.region, _named(account.zones))
        return [Problem("AWS_ZONES_UNKNOWN", text, "wa_aws_zones", missing)]
    if len(zones) < ZONES[0]:
        message = "{0} has {1} that offers the type of the hosts ({2}); {3} are needed: take another region or type."
        text = message.format(account.region, amount(len(account.zones), "zone"), _named(account.zones), ZONES[0])
        return [Problem("AWS_ZONES_FEW", text, "wa_aws_region", account.region)]
    return []


def _named(zones: t.Sequence[str]) -> str:
    return enumerate_all(zones) if zones else "none"


def _overlaps(environment: Environment, account: Account) -> list[Problem]:
    """Another VPC with the same addresses can never be connected with this one. Our own is none of them."""
    network = account.stacks.get(NETWORK)
    own = network.outputs.get("VpcId") if network else None
    if network and network.stands and network.outputs.get("VpcCidr", environment.cidr) != environment.cidr:
        message = "wa_aws_cidr is {0}, but the stack {1} was made with {2}; a VPC keeps its addresses."
        text = message.format(environment.cidr, network.name, network.outputs["VpcCidr"])
        return [Problem("AWS_CIDR_DIFFERS", text, "wa_aws_cidr", environment.cidr)]
    found = []
    for vpc in account.vpcs:
        common = overlapping(environment.cidr, vpc.cidrs) if vpc.vpc != own else []
        if common:
            name = "{0} ({1})".format(vpc.vpc, vpc.name) if vpc.name else vpc.vpc
            message = "wa_aws_cidr is {0}, which overlaps {1} of {2} in {3}; the two could never be connected."
            text = message.format(environment.cidr, enumerate_all(common), name, account.region)
            found.append(Problem("AWS_CIDR_OVERLAPS", text, "wa_aws_cidr", environment.cidr))
    return found


def _existing_vpc(environment: Environment, account: Account, per_zone: int) -> list[Problem]:
    if environment.vpc not in {vpc.vpc for vpc in account.vpcs}:
        message = "wa_aws_vpc is {0!r}, which is none of those in {1}."
        text = message.format(environment.vpc, account.region)
        return [Problem("AWS_VPC_UNKNOWN", text, "wa_aws_vpc", environment.vpc)]
    known = {subnet.subnet: subnet for subnet in account.subnets}
    outside = [name for name in environment.subnets if name not in known or known[name].vpc != environment.vpc]
    if outside:
        message = "wa_aws_subnets names {0}, which {1} not in {2}."
        verb = "is" if len(outside) == 1 else "are"
        text = message.format(enumerate_all(outside), verb, environment.vpc)
        return [Problem("AWS_SUBNETS_INVALID", text, "wa_aws_subnets", list(environment.subnets))]
    subnets = [known[name] for name in environment.subnets]
    if len({subnet.zone for subnet in subnets}) < len(subnets):
        message = "wa_aws_subnets has several of one zone ({0}); each has to be in another one."
        text = message.format(enumerate_all("{0} in {1}".format(one.subnet, one.zone) for one in subnets))
        return [Problem("AWS_SUBNETS_INVALID", text, "wa_aws_subnets", list(environment.subnets))]
    needed = 0 if _made(account) else per_zone + SPARE_ADDRESSES
    full = [subnet for subnet in subnets if subnet.free < needed]
    return [
        Problem(
            "AWS_CIDR_TOO_SMALL",
            "{0} has {1} free addresses; {2} are needed in each zone.".format(one.subnet, one.free, needed),
            "wa_aws_subnets",
            one.free,
        )
        for one in full
    ]


def _made(account: Account) -> bool:
    return account.stacks.get(ENTERPRISE) is not None


def _zones_stay(environment: Environment, account: Account) -> list[Problem]:
    """The zone of a host goes by its number, so other zones would move hosts: AWS would replace them."""
    network = account.stacks.get(NETWORK)
    there = network.list_of("Zones") if network and network.stands else []
    if not there or not environment.zones or list(environment.zones) == there:
        return []
    message = "wa_aws_zones is {0}, but {1} was made in {2}; zones stay as they are."
    text = message.format(enumerate_all(environment.zones), environment.stack(NETWORK), enumerate_all(there))
    return [Problem("AWS_ZONES_DIFFER", text, "wa_aws_zones", list(environment.zones))]


def _quotas(environment: Environment, account: Account, zones: t.Sequence[str], new_hosts: int) -> list[Problem]:
    desired = {VCPUS: new_hosts * account.vcpus}
    if account.stacks.get(NETWORK) is None and not environment.vpc:
        desired.update({VPCS: 1, ADDRESSES: nat_gateways(environment, zones), GATEWAYS: 1})
    desired.update({DATABASES: 1} if account.stacks.get(DB) is None else {})
    desired.update({BALANCERS: 1, FILE_SYSTEMS: 1} if account.stacks.get(ENTERPRISE) is None else {})
    problems = []
    for key, more in desired.items():
        quota = account.quotas.get(key)
        if quota is None or quota.limit is None or more == 0 or quota.used + more <= quota.limit:
            continue
        message = "{0} more {1} are needed, but {2} are in use in {3} and the quota {4} allows {5:g}; have it raised."
        text = message.format(more, quota.what, "{0:g}".format(quota.used), account.region, quota.code, quota.limit)
        problems.append(Problem("AWS_QUOTA", text, quota.code, quota.limit))
    return problems


def nat_gateways(environment: Environment, zones: t.Sequence[str]) -> int:
    """One in each zone in production, so that no zone needs another one; one elsewhere."""
    return len(zones) if environment.name == "production" else 1


def shards_problems(environment: Environment, account: Account) -> list[Problem]:
    """aws.yml makes an environment; another number of shards of one that is there is for reshard.yml."""
    stack = account.stacks.get(ENTERPRISE)
    there = stack.number("Shards") if stack and stack.stands else 0
    if not there or there == environment.shards:
        return []
    message = (
        "shards is {0}, but the hosts of {1} are there for {2}; the cluster has to go along, so run {3}, which changes"
        " both in the right order."
    )
    text = message.format(
        environment.shards, environment.name, there, instruction("aws_shards_differ", shards=environment.shards)
    )
    return [Problem("AWS_SHARDS_DIFFER", text, "shards", environment.shards)]


def leaving_problems(leaving: t.Sequence[str], hosts_read: t.Sequence[t.Mapping[str, t.Any]]) -> list[Problem]:
    """Hosts that are to go and still have nodes, of whichever cluster, or of which nobody knows.

    hosts_read: what wa_host_info returned as C(host).
    """
    # A stopped engine, or one that does not answer, may hold anything.
    known = {host["name"]: host for host in hosts_read if not may_hold_unseen(host["engine"])}
    found = []
    for name in leaving:
        if name not in known:
            message = "What {0} runs could not be read, so it is not removed; have it back, and run {1}."
            text = message.format(name, instruction("aws_host_unread"))
            found.append(Problem("AWS_HOST_UNREAD", text, "host", None, name))
            continue
        containers = known[name]["containers"]
        for cluster in sorted({container["cluster"] for container in containers if container["cluster"]}):
            nodes = [container["name"] for container in containers if container["cluster"] == cluster]
            message = (
                "{0} still has {1} of the cluster {2}, so it is not removed; run {3} with the inventory of that"
                " cluster, and then the same command again."
            )
            drain = instruction("aws_host_occupied", host=name)
            text = message.format(name, enumerate_all(nodes), cluster, drain)
            found.append(Problem("AWS_HOST_OCCUPIED", text, "host", nodes, name))
    return found
