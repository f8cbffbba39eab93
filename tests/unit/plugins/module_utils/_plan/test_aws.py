# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order on AWS: growing before the cluster, shrinking after it, hosts by number, the database never smaller."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.product import SHARD_COUNTS
from ansible_collections.waent.fleet.plugins.module_utils._desired.aws import STACKS, hosts_of, read_environment
from ansible_collections.waent.fleet.plugins.module_utils._plan.aws import (
    AFTER,
    BEFORE,
    MAKE,
    REMOVE,
    database_for,
    plan_aws,
    size_problems,
)
from ansible_collections.waent.fleet.plugins.module_utils._plan.removal import Asked
from ansible_collections.waent.fleet.plugins.module_utils._state.aws import Account, Instance, Quota, Stack
from hypothesis import given
from hypothesis import strategies as st

RAW = {
    "environment": "production",
    "shards": 2,
    "name": "waent",
    "region": "eu-central-1",
    "cidr": "10.60.0.0/20",
    "db_version": "8.0",
}
ZONES = ("a", "b", "c")
NOTHING = Account("1", "eu-central-1", ZONES, dict.fromkeys(STACKS), vcpus=4, image="ami-new", root_device="/dev/xvda")


def environment(**changes):
    found, problems = read_environment({**RAW, **changes})
    assert problems == []
    return found


RETAINED = {"MediaDeletion": "Retain"}


def made(shards, **changes):
    """An account as it is once an environment was made."""
    there = environment(shards=shards, **changes)
    database = database_for(there, None)
    stacks = {
        "network": Stack("n", "CREATE_COMPLETE", {"VpcId": "v", "VpcCidr": "10.60.0.0/20", "Zones": "a,b,c"}),
        "db": Stack(
            "d",
            "CREATE_COMPLETE",
            {
                "Class": database.db_class,
                "StorageGb": str(database.storage_gb),
                "MaxConnections": str(database.max_connections),
            },
        ),
        "enterprise": Stack("e", "CREATE_COMPLETE", {"Shards": str(shards), "Hosts": str(there.hosts), **RETAINED}),
    }
    instances = tuple(
        Instance(host.name, "i-1", host.zone, "10.60.0.9", "c5.old", "ami-old", "3") for host in hosts_of(there, ZONES)
    )
    return replace(NOTHING, stacks=stacks, instances=instances)


def read(plan):
    return [{"name": name, "engine": {"state": "answers", "empty": False}, "containers": []} for name in plan.leaving]


def test_an_environment_is_made_in_the_order_in_which_stacks_need_each_other():
    plan = plan_aws(environment(), NOTHING, MAKE)
    assert (plan.stacks, plan.problems) == (("network", "db", "enterprise"), ())
    assert [host["name"] for host in plan.aws["hosts"]] == list(plan.hosts) == list(plan.new_hosts)


def test_a_second_run_has_the_same_templates():
    first, second = (plan_aws(environment(shards=8), made(8), MAKE).aws for _run in (1, 2))
    assert first == second
    assert first["db"] == plan_aws(environment(shards=8), NOTHING, MAKE).aws["db"]


@given(st.sampled_from(SHARD_COUNTS), st.sampled_from(SHARD_COUNTS))
def test_growing_comes_before_the_cluster_and_shrinking_after_it(now, then):
    account, desired = made(now), environment(shards=then)
    before = plan_aws(desired, account, BEFORE)
    after = plan_aws(desired, account, AFTER, read(before))
    assert before.problems == after.problems == ()
    assert before.stacks == (STACKS if then >= now else ())
    assert after.stacks == (("enterprise", "db", "network") if then < now else ())
    there, target = environment(shards=now).hosts, desired.hosts
    assert len(before.new_hosts) == max(0, target - there)
    assert len(before.leaving) == max(0, there - target)
    assert before.new_hosts == () or then > now


@given(st.sampled_from(SHARD_COUNTS), st.sampled_from(SHARD_COUNTS))
def test_a_host_that_stays_is_written_as_it_was_made_and_none_that_goes_has_a_webapp_or_master(now, then):
    account, desired = made(now), environment(shards=then)
    before = plan_aws(desired, account, BEFORE)
    plan = before if then >= now else plan_aws(desired, account, AFTER, read(before))
    known = {instance.name for instance in account.instances}
    for host in plan.aws["hosts"]:
        as_made = (host["image"], host["instance_type"], host["template_version"]) == ("ami-old", "c5.old", "3")
        assert as_made == (host["name"] in known)
    kinds = {host.name: host.kinds for host in hosts_of(environment(shards=now), ZONES)}
    assert {kinds[name] for name in before.leaving} <= {("coreapp",)}


@given(st.sampled_from(SHARD_COUNTS), st.sampled_from(SHARD_COUNTS), st.sampled_from(SHARD_COUNTS))
def test_the_database_never_gets_smaller(first, second, third):
    one = database_for(environment(shards=first), None)
    two = database_for(environment(shards=second), stack_of(one))
    three = database_for(environment(shards=third), stack_of(two))
    assert three.storage_gb >= two.storage_gb >= one.storage_gb
    assert three.max_connections >= two.max_connections >= one.max_connections
    assert three == database_for(environment(shards=max(first, second, third)), None)


def stack_of(database):
    outputs = {
        "Class": database.db_class,
        "StorageGb": str(database.storage_gb),
        "MaxConnections": str(database.max_connections),
    }
    return Stack("d", "CREATE_COMPLETE", outputs)


@pytest.mark.parametrize(
    ("shards", "db_class", "storage", "connections"),
    [(2, "db.r5.large", 103, 600), (8, "db.r5.xlarge", 410, 2400), (32, "db.r5.4xlarge", 1024, 6000)],
)
def test_the_database_has_what_sizing_says_with_tls(shards, db_class, storage, connections):
    found = database_for(environment(shards=shards), None)
    assert (found.db_class, found.storage_gb, found.max_connections) == (db_class, storage, connections)


def test_classes_that_are_too_small_are_refused_with_one_that_would_do():
    problems = size_problems(environment(shards=8, db_class="db.r5.large", instance_type="c5.large"))
    assert [problem.code for problem in problems] == ["AWS_INSTANCE_TOO_SMALL", "AWS_DB_CLASS_TOO_SMALL"]
    assert "c5.xlarge would do" in problems[0].message
    assert "db.r5.xlarge would do" in problems[1].message
    assert size_problems(environment(shards=8, db_class="db.r5.xlarge", instance_type="c5.xlarge")) == []
    assert size_problems(environment(shards=8, db_class="db.x9.large", instance_type="m7i.large")) == []


def test_a_host_that_is_not_empty_stops_the_stack():
    account, desired = made(8), environment()
    hosts = read(plan_aws(desired, account, BEFORE))
    hosts[0]["containers"] = [{"name": "wa-coreapp-1", "cluster": "waent"}]
    plan = plan_aws(desired, account, AFTER, hosts)
    assert [problem.code for problem in plan.problems] == ["AWS_HOST_OCCUPIED"]
    assert plan.stacks == ()
    assert [problem.code for problem in plan_aws(desired, account, AFTER).problems] == ["AWS_HOST_UNREAD"] * 2


def test_another_number_is_refused_where_an_environment_is_made():
    assert [problem.code for problem in plan_aws(environment(), made(8), MAKE).problems] == ["AWS_SHARDS_DIFFER"]
    fewer = plan_aws(environment(shards=8, hosts=4), made(8), MAKE)
    assert [problem.code for problem in fewer.problems] == ["AWS_HOSTS_FEWER"]
    absent = plan_aws(environment(), NOTHING, BEFORE)
    assert [problem.code for problem in absent.problems] == ["AWS_NOT_MADE"]


def test_the_plan_says_what_is_made_what_costs_and_what_was_not_checked():
    account = replace(NOTHING, quotas={"vcpus": Quota("vCPUs", "L-1", 0, None, "AccessDenied")})
    text = "\n".join(
        plan_aws(environment(shards=8, instance_type="m7i.xlarge", db_class="db.x9.large"), account, MAKE).lines
    )
    assert "5 hosts for 3 webapps, 3 masters and 9 coreapps" in text
    assert "m7i.xlarge" in text
    for number, what in (
        (5, "EC2 hosts"),
        (2, "RDS MySQL"),
        (3, "with an address each"),
        (1, "by the hour and the gig"),
    ):
        assert any(line.startswith(str(number)) and what in line for line in text.splitlines())
    assert "Not checked: whether the quota L-1 leaves room for vCPUs (AccessDenied)." in text
    assert "Not checked: whether m7i.xlarge has the 3584 MB" in text
    assert "Not checked: whether db.x9.large has room for 2400 connections." in text
    grown = "\n".join(plan_aws(environment(shards=8), made(2), BEFORE).lines)
    assert "goes from db.r5.large to db.r5.xlarge: AWS switches over to its standby" in grown
    shrunk = "\n".join(plan_aws(environment(shards=2), made(8), BEFORE).lines)
    assert "hosts that go once they are empty: waent-production-4 and waent-production-5" in shrunk


def test_staging_has_one_way_out_and_production_one_in_each_zone():
    production = plan_aws(environment(), NOTHING, MAKE).aws
    staging = plan_aws(environment(environment="staging", shards=1), NOTHING, MAKE).aws
    assert [zone["nat"] for zone in production["zones"]] == ["A", "B", "C"]
    assert [zone["nat"] for zone in staging["zones"]] == ["A", "A"]


def test_a_removal_keeps_the_data_unless_it_is_asked_for():
    answers = (Asked(), Asked(True), Asked(True, "waent-production"))
    kept, media, gone = (plan_aws(environment(shards=8), made(8), REMOVE, asked=asked) for asked in answers)
    assert kept.stacks == media.stacks == gone.stacks == ("enterprise", "db", "network")
    assert [plan.updates for plan in (kept, media, gone)] == [("db",), ("db", "enterprise"), ("db", "enterprise")]
    policies = [(plan.aws["media_deletion"], plan.aws["db"]["deletion"]) for plan in (kept, media, gone)]
    assert policies == [("Retain", "Snapshot"), ("Delete", "Snapshot"), ("Delete", "Delete")]
    assert kept.aws["db"]["protected"] is False
    data, both = "-e wa_remove_data=true", "-e wa_remove_data=true -e wa_remove_database=waent-production"
    assert kept.lines[-2].startswith("Stays: the file system") and f"({data} removes them)" in kept.lines[-2]
    assert media.lines[-2].startswith("With its data: the file system")
    for plan in (kept, media):
        assert plan.lines[-1].startswith("Stays: a last snapshot") and f"({both} removes them)" in plan.lines[-1]
    assert gone.lines[-1].startswith("With its data: the database waent-production")


def test_a_removal_that_was_killed_does_not_answer_for_the_next_one():
    """The stack that it has left would take the media with it."""
    there = made(8)
    outputs = {**there.stacks["enterprise"].outputs, "MediaDeletion": "Delete"}
    left = replace(there, stacks={**there.stacks, "enterprise": Stack("e", "UPDATE_COMPLETE", outputs)})
    kept, gone = (plan_aws(environment(shards=8), left, REMOVE, asked=asked) for asked in (Asked(), Asked(True)))
    assert (kept.updates, kept.aws["media_deletion"]) == (("db", "enterprise"), "Retain")
    assert gone.updates == ("db",)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked(False, "waent-production"), "data stays as long as nobody wants it removed; add -e wa_remove_data=true"),
        (Asked(True, "waent-staging"), "allowed is the database of the environment: waent-production."),
        (Asked(True, "waentDatabase"), "wa_remove_database is waentDatabase; allowed is"),
    ],
)
def test_a_database_goes_only_by_its_own_name(asked, said):
    for account in (made(8), NOTHING):
        (problem,) = plan_aws(environment(shards=8), account, REMOVE, asked=asked).problems
        assert problem.code == "WA_REMOVE_DATABASE" and said in problem.message


def test_an_environment_that_is_gone_has_no_data():
    nothing = plan_aws(environment(), NOTHING, REMOVE)
    assert (nothing.stacks, nothing.lines) == ((), ("Nothing is there of waent-production in eu-central-1.",))


def test_a_stack_that_failed_may_be_removed_and_one_that_is_at_work_may_not():
    failed = replace(made(2), stacks={**made(2).stacks, "db": Stack("d", "ROLLBACK_COMPLETE")})
    plan = plan_aws(environment(), failed, REMOVE, asked=Asked(True, "waent-production"))
    assert (plan.stacks, plan.updates) == (("enterprise", "db", "network"), ("enterprise",))
    busy = replace(made(2), stacks={**made(2).stacks, "db": Stack("d", "DELETE_IN_PROGRESS")})
    assert [problem.code for problem in plan_aws(environment(), busy, REMOVE).problems] == ["AWS_STACK_BUSY"]
