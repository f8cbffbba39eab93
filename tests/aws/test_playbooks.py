# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aws.yml, the two sides of a reshard, the inventory and aws_remove.yml, against an account on this machine.

One account goes through the whole life of an environment, as its user sees it: what a run leaves is what the next one
finds. That aws.yml goes on with site.yml shows in how it ends: this inventory has no secrets, which site.yml refuses
before any host is contacted.
"""

from __future__ import annotations

import json
import subprocess
import typing as t

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import read_cluster_spec
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import place
from ansible_collections.waent.fleet.tests.support.aws import Aws
from ansible_collections.waent.fleet.tests.support.aws_environment import NAMES, Environment, account, unfolded
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, environment
from ansible_collections.waent.fleet.tests.support.printed import commands


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Environment]:
    """From nothing to nothing."""
    with account(tmp_path_factory.mktemp("aws")) as made:
        yield made


def test_check_mode_shows_everything_and_makes_nothing(production: Environment) -> None:
    done = production.play("playbooks/aws.yml", "-e", "shards=2", "--check")
    assert done.code == OK, done.output
    assert "3 hosts for 3 webapps, 3 masters and 3 coreapps" in done.output
    assert [line for line in done.output.splitlines() if line.endswith(": would be made")] == [
        f"{name}: would be made" for name in NAMES
    ]
    assert production.aws.changes() == []


def test_killed_between_two_stacks_it_is_run_again(production: Environment) -> None:
    production.killed("playbooks/aws.yml", ("CreateStack", NAMES[0]), "-e", "shards=2")
    assert production.shards() is None
    done = production.play("playbooks/aws.yml", "-e", "shards=2")
    assert [change for change in production.aws.changes() if change[0] == "CreateStack"][-1] == (
        "CreateStack",
        NAMES[2],
    )
    assert list(production.aws.hosts()) == ["waent-production-1", "waent-production-2", "waent-production-3"]
    assert done.code == FAILED
    assert "WA_SECRET_MISSING" in done.codes, done.output


def test_what_was_made_is_what_was_planned(production: Environment) -> None:
    aws = production.aws
    outputs = [aws.outputs(name) for name in NAMES]
    assert outputs[0]["VpcCidr"] == "10.60.0.0/20"
    assert (outputs[1]["Class"], outputs[1]["MaxConnections"]) == ("db.r5.large", "600")
    assert (outputs[2]["Shards"], outputs[2]["Hosts"]) == ("2", "3")
    (database,) = aws.client("rds").describe_db_instances()["DBInstances"]
    assert (database["MultiAZ"], database["StorageEncrypted"], database["PubliclyAccessible"]) == (True, True, False)
    assert database["DeletionProtection"] is True
    for host in aws.hosts().values():
        assert host["MetadataOptions"]["HttpTokens"] == "required"
        assert host["PrivateIpAddress"].startswith("10.60.")
        assert "PublicIpAddress" not in host
        assert [group["GroupId"] for group in host["SecurityGroups"]] == [outputs[0]["HostGroup"]]
    (targets,) = aws.client("elbv2").describe_target_groups()["TargetGroups"]
    health = aws.client("elbv2").describe_target_health(TargetGroupArn=targets["TargetGroupArn"])
    registered = {one["Target"]["Id"] for one in health["TargetHealthDescriptions"]}
    assert registered == {host["InstanceId"] for host in aws.hosts().values()}
    secret = aws.client("secretsmanager").get_secret_value(SecretId=outputs[1]["SecretArn"])["SecretString"]
    assert not set("?{}&~!()^=") & set(json.loads(secret)["password"])


def test_a_second_run_changes_nothing(production: Environment) -> None:
    hosts = production.aws.hosts()
    done = production.play("playbooks/aws.yml", "-e", "shards=2")
    assert done.changes.get("localhost") == 0, done.output
    assert {name: host["InstanceId"] for name, host in production.aws.hosts().items()} == {
        name: host["InstanceId"] for name, host in hosts.items()
    }


def test_aws_may_replace_neither_hosts_nor_data(production: Environment) -> None:
    """A stack policy, whatever a template says."""
    policy = json.loads((ROOT / "roles" / "aws" / "files" / "stack_policy.json").read_text())
    read = production.aws.client("cloudformation").get_stack_policy
    assert [json.loads(read(StackName=name)["StackPolicyBody"]) for name in NAMES] == [policy] * len(NAMES)


def inventory(aws: Aws) -> dict[str, t.Any]:
    """The dynamic inventory."""
    done = subprocess.run(
        ["ansible-inventory", "-i", "inventories/aws", "--list"],
        cwd=ROOT,
        env=environment(**aws.environment()),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout, object_hook=plain)


def plain(value: dict[str, t.Any]) -> t.Any:
    """Without the mark of what came from elsewhere and is no template."""
    return value.get("__ansible_unsafe", value) if len(value) == 1 else value


def test_placement_accepts_what_the_inventory_finds(production: Environment) -> None:
    read = inventory(production.aws)
    variables = read["_meta"]["hostvars"]
    kinds = {kind: read[f"wa_{kind}_hosts"]["hosts"] for kind in ("webapp", "master", "coreapp")}
    assert sorted(variables) == sorted(read["wa_cluster"]["hosts"]) == sorted(kinds["coreapp"])
    assert len({host["rack"] for host in variables.values()}) == 3
    hosts = [
        {
            "name": name,
            "rack": found["rack"],
            "address": found["wa_address"],
            "kinds": [kind for kind, members in kinds.items() if name in members],
            "pins": {"webapp": found["wa_webapps"], "master": found["wa_masters"]},
        }
        for name, found in variables.items()
    ]
    spec, problems = read_cluster_spec({"shards": 2, "survive": {"racks": 1}, "hosts": hosts})
    assert problems == []
    assert spec
    placed = place(spec)
    assert placed.problems == ()
    found = [node.slot.kind for node in placed.nodes]
    assert {kind: found.count(kind) for kind in kinds} == {"webapp": 3, "master": 3, "coreapp": 3}
    one = variables["waent-production-1"]
    assert one["ansible_host"] == one["wa_address"] == production.aws.hosts()["waent-production-1"]["PrivateIpAddress"]
    # Session Manager goes by the instance; the API stays where the address is.
    assert one["ansible_aws_ssm_instance_id"] == production.aws.hosts()["waent-production-1"]["InstanceId"]
    assert (one["wa_shards"], one["wa_db_host"]) == (2, production.aws.outputs(NAMES[1])["Address"])


def test_hosts_that_others_have_made_are_found_by_a_tag(production: Environment) -> None:
    aws = production.aws
    subnet = aws.outputs(NAMES[0])["SubnetB"]
    tags = {"Name": "old-1", "waent_fleet_environment": "waent-production", "waent_fleet_kinds": "coreapp"}
    made = aws.client("ec2").run_instances(
        ImageId=production.image,
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        ],
    )["Instances"]
    try:
        read = inventory(aws)
        assert read["_meta"]["hostvars"]["old-1"]["rack"] == "eu-central-1b"
        assert "old-1" in read["wa_coreapp_hosts"]["hosts"]
        assert "old-1" not in read["wa_master_hosts"]["hosts"]
    finally:
        aws.client("ec2").terminate_instances(InstanceIds=[one["InstanceId"] for one in made])


def test_another_number_is_for_reshard(production: Environment) -> None:
    done = production.play("playbooks/aws.yml", "-e", "shards=8")
    assert done.codes == ["AWS_SHARDS_DIFFER"], done.output
    assert production.aws.changes() == []


def test_check_mode_shows_what_would_change_in_stacks_that_are_there(production: Environment) -> None:
    """Change sets, which are gone afterwards."""
    before = production.aws.hosts()
    done = production.hook("before", 8, more=["--check"])
    assert done.code == OK, done.output
    shown = [line.strip() for line in done.output.splitlines() if line.strip().startswith(tuple(NAMES))]
    for number in (4, 5):
        assert "{0}: Host{1} (AWS::EC2::Instance) added".format(NAMES[2], number) in shown, done.output
    assert "{0}: Database (AWS::RDS::DBInstance) changed".format(NAMES[1]) in shown, done.output
    assert not [line for line in shown if "replaced" in line or "removed" in line]
    assert (production.aws.changes(), production.aws.hosts()) == ([], before)
    for name in NAMES:
        assert production.aws.client("cloudformation").list_change_sets(StackName=name)["Summaries"] == []
    same = production.play("playbooks/aws.yml", "-e", "shards=2", "--check")
    assert [line for line in same.output.splitlines() if line.endswith(": no change")] == [
        f"{name}: no change" for name in NAMES
    ], same.output


def test_growing_makes_the_hosts_before_the_cluster_and_keeps_those_that_are_there(production: Environment) -> None:
    before = {name: host["InstanceId"] for name, host in production.aws.hosts().items()}
    done = production.hook("before", 8)
    assert done.code == OK, done.output
    assert [name for action, name in production.aws.changes() if action == "UpdateStack"] == NAMES
    after = {name: host["InstanceId"] for name, host in production.aws.hosts().items()}
    assert {name: after[name] for name in before} == before
    assert len(after) == 5
    assert "added " + " ".join(f"waent-production-{number}" for number in range(1, 6)) in unfolded(done)
    (database,) = production.aws.client("rds").describe_db_instances()["DBInstances"]
    assert (database["DBInstanceClass"], database["AllocatedStorage"]) == ("db.r5.xlarge", 410)
    # Killed after it, the run again finds it done, and goes on with the cluster.
    again = production.hook("before", 8)
    assert again.code == OK, again.output
    assert "added waent-production-1" in unfolded(again)
    assert production.hook("after", 8).code == OK
    assert production.aws.changes() == []


def test_shrinking_says_who_goes_and_takes_nobody_away_before_the_cluster(production: Environment) -> None:
    done = production.hook("before", 2)
    assert done.code == OK, done.output
    assert "leaving waent-production-4 waent-production-5; added" in unfolded(done)
    assert "added waent" not in unfolded(done)
    assert production.aws.changes() == []
    assert production.shards() == "8"


def test_a_host_with_a_node_or_that_nobody_has_read_stays(production: Environment) -> None:
    node = '[{"name": "wa-coreapp-1", "cluster": "waent"}]'
    occupied = production.hook("after", 2, ["waent-production-4", "waent-production-5"], node)
    assert occupied.codes == ["AWS_HOST_OCCUPIED"] * 2, occupied.output
    unread = production.hook("after", 2, ["waent-production-4"])
    assert unread.codes == ["AWS_HOST_UNREAD"], unread.output
    assert production.aws.changes() == []
    assert len(production.aws.hosts()) == 5


def test_shrinking_takes_exactly_those_away_after_the_cluster(production: Environment) -> None:
    before = {name: host["InstanceId"] for name, host in production.aws.hosts().items()}
    done = production.hook("after", 2, ["waent-production-4", "waent-production-5"])
    assert done.code == OK, done.output
    assert [name for action, name in production.aws.changes() if action == "UpdateStack"] == NAMES[::-1]
    after = {name: host["InstanceId"] for name, host in production.aws.hosts().items()}
    assert after == {name: before[name] for name in NAMES_OF_THREE}
    (database,) = production.aws.client("rds").describe_db_instances()["DBInstances"]
    assert database["DBInstanceClass"] == "db.r5.xlarge", "a database never gets smaller by itself"


NAMES_OF_THREE = ["waent-production-1", "waent-production-2", "waent-production-3"]


def test_removed_nothing_is_left_but_what_has_data(production: Environment) -> None:
    aws = production.aws
    refused = aws.play("playbooks/aws_remove.yml", "-i", "inventories/aws", "-e", f"wa_aws_image={production.image}")
    assert "[NOT_CONFIRMED] Nothing was changed" in refused.output
    assert len(aws.hosts()) == 3
    # Killed when the hosts go; the next run goes on with what is left, and keeps the data all the same.
    production.killed("playbooks/aws_remove.yml", ("DeleteStack", NAMES[2]))
    done = production.play("playbooks/aws_remove.yml")
    assert done.code == OK, done.output
    assert [name for action, name in aws.changes() if action == "DeleteStack"][-2:] == [NAMES[1], NAMES[0]]
    assert left(aws) == {"snapshots": ["waent-production-snapshot-database"], "file systems": 1}
    again = production.play("playbooks/aws_remove.yml")
    assert again.code == OK, again.output
    assert again.changes.get("localhost") == 0
    assert "Nothing is there of waent-production" in again.output


def left(aws: Aws) -> dict[str, t.Any]:
    """Everything that is there and was not before anything was made."""
    ec2, rds, balancers = (aws.client(service) for service in ("ec2", "rds", "elbv2"))
    found = {
        "hosts": list(aws.hosts()),
        "networks": [one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"] if not one["IsDefault"]],
        "gateways": ec2.describe_internet_gateways()["InternetGateways"] + ec2.describe_nat_gateways()["NatGateways"],
        "addresses": ec2.describe_addresses()["Addresses"],
        "templates": ec2.describe_launch_templates()["LaunchTemplates"],
        "groups": [one for one in ec2.describe_security_groups()["SecurityGroups"] if one["GroupName"] != "default"],
        "databases": rds.describe_db_instances()["DBInstances"],
        "subnet groups": rds.describe_db_subnet_groups()["DBSubnetGroups"],
        "parameters": rds.describe_db_parameter_groups()["DBParameterGroups"],
        "snapshots": [one["DBSnapshotIdentifier"] for one in rds.describe_db_snapshots()["DBSnapshots"]],
        "file systems": len(aws.client("efs").describe_file_systems()["FileSystems"]),
        "mounts": [
            target
            for one in aws.client("efs").describe_file_systems()["FileSystems"]
            for target in aws.client("efs").describe_mount_targets(FileSystemId=one["FileSystemId"])["MountTargets"]
        ],
        "balancers": balancers.describe_load_balancers()["LoadBalancers"],
        "targets": balancers.describe_target_groups()["TargetGroups"],
        "secrets": aws.client("secretsmanager").list_secrets()["SecretList"],
        "roles": aws.client("iam").list_roles()["Roles"]
        + aws.client("iam").list_instance_profiles()["InstanceProfiles"],
        "stacks": aws.client("cloudformation").describe_stacks()["Stacks"],
    }
    return {name: value for name, value in found.items() if value}


def made_for_removal(production: Environment) -> None:
    """Staging."""
    aws = production.aws
    made = production.play("playbooks/aws.yml", "-e", "shards=1", "-e", "wa_aws_environment=staging")
    assert len(aws.hosts()) == 2
    # This inventory looks for production; without a word about it the next plays would be about nobody.
    assert made.code == FAILED, made.output
    assert "[AWS_HOSTS_NOT_FOUND] The hosts are made, but the inventory has no waent-staging-1, waent-staging-2 in" in (
        unfolded(made)
    )


STAGING = ("-e", "wa_aws_environment=staging")


def test_what_stays_goes_with_the_arguments_that_the_plan_names(production: Environment) -> None:
    """Media and logs with one, the database only with its own name besides."""
    aws = production.aws
    kept = left(aws)
    made_for_removal(production)
    planned = production.play("playbooks/aws_remove.yml", *STAGING, "--check")
    assert planned.code == OK, planned.output
    with_data, with_all = (
        commands(line)[0].given() for line in planned.output.splitlines() if line.startswith("Stays: ")
    )
    wrong = production.play("playbooks/aws_remove.yml", *STAGING, *with_data, "-e", "wa_remove_database=waent-other")
    assert wrong.codes == ["WA_REMOVE_DATABASE"] and "the environment: waent-staging." in unfolded(wrong), wrong.output
    assert aws.changes() == [] and len(aws.hosts()) == 2
    done = production.play("playbooks/aws_remove.yml", *STAGING, *with_data)
    assert done.code == OK, done.output
    assert left(aws) == {**kept, "snapshots": [*kept["snapshots"], "waent-staging-snapshot-database"]}
    again = production.play("playbooks/aws_remove.yml", *STAGING, *with_all)
    assert (again.code, again.changes.get("localhost")) == (OK, 0), again.output
    aws.client("rds").delete_db_snapshot(DBSnapshotIdentifier="waent-staging-snapshot-database")


def test_with_the_database_by_its_name_nothing_at_all_is_left(production: Environment) -> None:
    aws = production.aws
    kept = left(aws)
    made_for_removal(production)
    everything = ("-e", "wa_remove_data=true", "-e", "wa_remove_database=waent-staging")
    # Killed when the hosts go with their media: who runs it again has to say once more what else is to go.
    production.killed("playbooks/aws_remove.yml", ("DeleteStack", "waent-staging-enterprise"), *STAGING, *everything)
    done = production.play("playbooks/aws_remove.yml", *STAGING, *everything)
    assert done.code == OK, done.output
    assert left(aws) == kept
