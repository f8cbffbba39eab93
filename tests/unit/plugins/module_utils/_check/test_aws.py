# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an environment on AWS cannot be made, found in what was read of the account."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.aws import (
    account_problems,
    leaving_problems,
    session_manager_problems,
    shards_problems,
)
from ansible_collections.waent.fleet.plugins.module_utils._desired.aws import read_environment
from ansible_collections.waent.fleet.plugins.module_utils._state.aws import (
    Account,
    FailedResource,
    Quota,
    Stack,
    Subnet,
    Vpc,
)
from hypothesis import given
from hypothesis import strategies as st

RAW = {"environment": "production", "shards": 2, "name": "waent", "region": "eu-central-1", "cidr": "10.60.0.0/20"}
ENVIRONMENT = read_environment(RAW)[0]
ZONES = ("a", "b", "c")
ACCOUNT = Account("1", "eu-central-1", ZONES, {"network": None, "db": None, "enterprise": None}, vcpus=4)


def network(**outputs):
    return Stack("waent-production-network", "CREATE_COMPLETE", {"VpcId": "vpc-own", "Zones": "a,b,c", **outputs})


def found(account, environment=ENVIRONMENT, zones=ZONES, new=3):
    return account_problems(environment, account, zones, new, 1)


def only(problems, code):
    assert [problem.code for problem in problems] == [code]
    return problems[0].message


def test_an_empty_account_is_fine():
    assert found(ACCOUNT) == []


def test_a_region_with_one_zone_is_refused():
    assert "1 zone that offers the type" in only(found(replace(ACCOUNT, zones=("a",)), zones=("a",)), "AWS_ZONES_FEW")


def test_zones_that_are_not_there_are_named():
    environment = replace(ENVIRONMENT, zones=("a", "x"))
    assert "names x" in only(found(ACCOUNT, environment, ("a", "x")), "AWS_ZONES_UNKNOWN")


def test_another_network_with_the_same_addresses_is_named_and_our_own_is_not():
    other = Vpc("vpc-2", ("10.60.8.0/24",), "shop")
    account = replace(ACCOUNT, vpcs=(other, Vpc("vpc-3", ("10.61.0.0/16",))))
    assert "overlaps 10.60.8.0/24 of vpc-2 (shop)" in only(found(account), "AWS_CIDR_OVERLAPS")
    own = replace(ACCOUNT, vpcs=(Vpc("vpc-own", ("10.60.0.0/20",)),), stacks={**ACCOUNT.stacks, "network": network()})
    assert found(own) == []


def test_addresses_and_zones_stay_as_they_were_made():
    account = replace(ACCOUNT, stacks={**ACCOUNT.stacks, "network": network(VpcCidr="10.99.0.0/20")})
    assert "made with 10.99.0.0/20" in only(found(account), "AWS_CIDR_DIFFERS")
    account = replace(ACCOUNT, stacks={**ACCOUNT.stacks, "network": network()})
    assert "zones stay" in only(found(account, replace(ENVIRONMENT, zones=("b", "a"))), "AWS_ZONES_DIFFER")


EXISTING = replace(ENVIRONMENT, vpc="vpc-1", cidr="", subnets=("s-1", "s-2"))


@pytest.mark.parametrize(
    ("vpcs", "subnets", "code", "words"),
    [
        ((), (), "AWS_VPC_UNKNOWN", "none of those"),
        (("vpc-1",), (("s-1", "vpc-1", "a", 99),), "AWS_SUBNETS_INVALID", "s-2, which is not in vpc-1"),
        (
            ("vpc-1",),
            (("s-1", "vpc-1", "a", 99), ("s-2", "vpc-1", "a", 99)),
            "AWS_SUBNETS_INVALID",
            "several of one zone",
        ),
        (("vpc-1",), (("s-1", "vpc-1", "a", 99), ("s-2", "vpc-1", "b", 3)), "AWS_CIDR_TOO_SMALL", "s-2 has 3 free"),
    ],
)
def test_a_network_that_is_there_has_to_fit(vpcs, subnets, code, words):
    account = replace(ACCOUNT, vpcs=tuple(Vpc(one, ()) for one in vpcs), subnets=tuple(Subnet(*one) for one in subnets))
    assert words in only(found(account, EXISTING, ("a", "b")), code)


def test_a_network_that_is_there_and_fits_is_taken():
    subnets = (Subnet("s-1", "vpc-1", "a", 99), Subnet("s-2", "vpc-1", "b", 99))
    assert found(replace(ACCOUNT, vpcs=(Vpc("vpc-1", ()),), subnets=subnets), EXISTING, ("a", "b")) == []


@given(st.integers(0, 64), st.integers(0, 15), st.one_of(st.none(), st.integers(0, 64)))
def test_a_quota_refuses_exactly_what_goes_beyond_it(used, new, limit):
    account = replace(ACCOUNT, quotas={"vcpus": Quota("vCPUs", "L-1", used, limit)})
    refused = limit is not None and new > 0 and used + 4 * new > limit
    assert [problem.code for problem in found(account, new=new)] == (["AWS_QUOTA"] if refused else [])


WHOLE = {kind: Stack("waent-production-" + kind, "CREATE_COMPLETE") for kind in ("network", "db", "enterprise")}


@pytest.mark.parametrize(
    ("key", "needed", "part_of"),
    [
        ("vpcs", 1, "network"),
        ("addresses", 3, "network"),
        ("gateways", 1, "network"),
        ("databases", 1, "db"),
        ("balancers", 1, "enterprise"),
        ("file_systems", 1, "enterprise"),
    ],
)
def test_what_a_stack_takes_is_asked_for_only_where_it_is_made(key, needed, part_of):
    """The last free one is enough, one fewer is not; what is there already takes no more."""
    for free, codes in ((needed, []), (needed - 1, ["AWS_QUOTA"])):
        account = replace(ACCOUNT, quotas={key: Quota("of them", "L-1", 5 - free, 5)})
        assert [problem.code for problem in found(account)] == codes
    there = replace(ACCOUNT, stacks={**ACCOUNT.stacks, part_of: WHOLE[part_of]}, quotas={key: Quota("x", "L-1", 5, 5)})
    assert found(there) == []


def test_a_stack_that_failed_is_named_with_resource_and_reason():
    failed = (FailedResource("Database", "AWS::RDS::DBInstance", "DB instance class not available"),)
    stack = Stack("waent-production-db", "ROLLBACK_COMPLETE", {}, failed)
    message = only(found(replace(ACCOUNT, stacks={**ACCOUNT.stacks, "db": stack})), "AWS_STACK_FAILED")
    assert "waent-production-db is ROLLBACK_COMPLETE: Database (AWS::RDS::DBInstance): DB instance class" in message
    unknown = replace(stack, status="UPDATE_ROLLBACK_FAILED", failed=())
    message = only(found(replace(ACCOUNT, stacks={**ACCOUNT.stacks, "db": unknown})), "AWS_STACK_FAILED")
    assert "no reason on record" in message


@pytest.mark.parametrize("status", ["CREATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS"])
def test_a_stack_that_aws_is_at_work_on_is_left_alone(status):
    stack = Stack("waent-production-db", status)
    assert status in only(found(replace(ACCOUNT, stacks={**ACCOUNT.stacks, "db": stack})), "AWS_STACK_BUSY")


def test_what_a_change_set_left_is_no_stack():
    stack = Stack("waent-production-db", "REVIEW_IN_PROGRESS")
    assert found(replace(ACCOUNT, stacks={**ACCOUNT.stacks, "db": stack})) == []


def test_another_number_of_shards_is_for_reshard():
    stack = Stack("waent-production-enterprise", "UPDATE_COMPLETE", {"Shards": "8"})
    account = replace(ACCOUNT, stacks={**ACCOUNT.stacks, "enterprise": stack})
    assert "playbooks/reshard.yml -e shards=2" in only(shards_problems(ENVIRONMENT, account), "AWS_SHARDS_DIFFER")
    assert shards_problems(replace(ENVIRONMENT, shards=8), account) == []
    assert shards_problems(ENVIRONMENT, ACCOUNT) == []


@pytest.mark.parametrize(
    ("connection", "bucket", "program", "words"),
    [
        ("amazon.aws.aws_ssm", "b", "/usr/bin/x", []),
        ("amazon.aws.aws_ssm", "b", None, ["has no session-manager-plugin"]),
        ("community.aws.aws_ssm", "", "/usr/bin/x", ["ansible_aws_ssm_bucket_name names no bucket"]),
        ("aws_ssm", None, None, ["no session-manager-plugin", "names no bucket"]),
        ("ssh", None, None, []),
        (None, None, None, []),
        ("ansible.builtin.local", None, None, []),
    ],
)
def test_what_session_manager_lacks_here_is_said(connection, bucket, program, words):
    problems = session_manager_problems(connection, bucket, program)
    assert [problem.code for problem in problems] == ["AWS_SESSION_MANAGER"] * len(words)
    assert all(word in problem.message for word, problem in zip(words, problems))


def host(name, state="answers", containers=()):
    return {"name": name, "engine": {"state": state, "empty": False}, "containers": list(containers)}


def test_only_a_host_that_was_read_and_has_no_node_may_go():
    node = {"name": "wa-coreapp-1", "cluster": "waent"}
    read = [host("a"), host("b", containers=[node]), host("c", state="stopped"), host("d", state="absent")]
    problems = leaving_problems(["a", "b", "c", "d", "e"], read)
    assert [(problem.code, problem.host) for problem in problems] == [
        ("AWS_HOST_OCCUPIED", "b"),
        ("AWS_HOST_UNREAD", "c"),
        ("AWS_HOST_UNREAD", "e"),
    ]
    assert "playbooks/drain.yml -e host=b" in problems[0].message


def test_whose_nodes_keep_a_host_is_said_since_a_drain_empties_it_of_one_cluster():
    nodes = [{"name": "wb-master-1", "cluster": "waent-b"}]
    nodes += [{"name": name, "cluster": "waent"} for name in ("wa-coreapp-1", "wa-coreapp-2")]
    problems = leaving_problems(["a"], [host("a", containers=nodes)])
    assert [problem.message.partition(", so")[0] for problem in problems] == [
        "a still has wa-coreapp-1 and wa-coreapp-2 of the cluster waent",
        "a still has wb-master-1 of the cluster waent-b",
    ]


def test_containers_of_others_keep_no_host():
    assert leaving_problems(["a"], [host("a", containers=[{"name": "node-exporter", "cluster": ""}])]) == []
