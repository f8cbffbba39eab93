# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be done on AWS, as a user meets it: one sentence, before anything is changed. And stacks that fail."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.aws import Aws
from ansible_collections.waent.fleet.tests.support.aws_environment import NAMES, Environment, account, unfolded
from ansible_collections.waent.fleet.tests.support.checkout import ROOT, TOOLS
from ansible_collections.waent.fleet.tests.support.killable_runs import CALLBACKS
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, Run
from ansible_collections.waent.fleet.tests.support.printed import Command, commands_after
from ansible_collections.waent.fleet.tests.support.sample import sampled

FULL = "We currently do not have sufficient c5.large capacity in the Availability Zone you requested (eu-central-1b)"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Environment]:
    """An account in which nothing is made."""
    with account(tmp_path_factory.mktemp("aws")) as made:
        yield made


def given(**variables: t.Any) -> list[str]:
    """Variables as a command gives them."""
    asked = {"wa_aws_environment": "production", "shards": 2, **variables}
    return [word for name, value in asked.items() if value is not ... for word in ("-e", f"{name}={value}")]


def listed(name: str, *values: str) -> tuple[str, str]:
    """One variable that is a list."""
    return "-e", f'{{"{name}": {list(values)}}}'.replace("'", '"')


CASES: dict[str, tuple[list[str], str, str]] = {
    "environment": (given(wa_aws_environment="test"), "AWS_ENVIRONMENT_UNKNOWN", "production and staging"),
    "no number of shards": (given(shards=3), "AWS_SHARDS_INVALID", "1, 2, 4, 8, 16 and 32"),
    "region": (given(wa_aws_region="Frankfurt"), "AWS_REGION_INVALID", "such as eu-central-1"),
    "too many hosts": (given(wa_aws_hosts=5), "AWS_HOSTS_INVALID", "5 with 8 shards"),
    "too few hosts": (given(wa_aws_hosts=2), "AWS_HOSTS_INVALID", "production has 3 at least"),
    "zones": (
        [*given(), *listed("wa_aws_zones", "eu-central-1a", "eu-central-1x")],
        "AWS_ZONES_UNKNOWN",
        "eu-central-1x",
    ),
    "one zone": ([*given(), *listed("wa_aws_zones", "eu-central-1a")], "AWS_ZONES_INVALID", "1 zone"),
    "a type of one zone": (given(wa_aws_instance_type="g5g.xlarge"), "AWS_ZONES_FEW", "1 zone that offers the type"),
    "type": (given(shards=8, wa_aws_instance_type="c5.large"), "AWS_INSTANCE_TOO_SMALL", "would do"),
    "class": (given(shards=8, wa_aws_db_class="db.r5.large"), "AWS_DB_CLASS_TOO_SMALL", "would do"),
    "no network": (given(wa_aws_cidr="10.60.0.1/20"), "AWS_CIDR_INVALID", "no bit set"),
    "small network": (given(wa_aws_cidr="10.60.0.0/25"), "AWS_CIDR_TOO_SMALL", "/16 to /24"),
    "overlapping network": (given(wa_aws_cidr="172.31.0.0/20"), "AWS_CIDR_OVERLAPS", "172.31.0.0/16"),
    "VPC": (
        [*given(wa_aws_vpc="vpc-0"), *listed("wa_aws_subnets", "subnet-0", "subnet-1")],
        "AWS_VPC_UNKNOWN",
        "'vpc-0', which is none of those in eu-central-1",
    ),
    "clients": ([*given(), *listed("wa_aws_clients", "0.0.0.0/0")], "AWS_RANGE_INVALID", "not the whole internet"),
    "image": (given(wa_aws_image="ami-00000000"), "AWS_IMAGE_UNKNOWN", "'ami-00000000'"),
    "key pair": (given(wa_aws_key_name="nobody"), "AWS_KEY_UNKNOWN", "'nobody'"),
    "days": (given(wa_aws_log_days=8), "AWS_LOG_DAYS_INVALID", "for 1, 3, 5, 7, 14"),
}


def refused(run: Run, code: str, words: str) -> None:
    """One sentence of that code, with those words, and no traceback."""
    assert run.code == FAILED, run.output
    said = unfolded(run)
    # One that ends a task is in the line of the task.
    assert set(run.codes) <= {code} and f"[{code}] " in said, run.output
    assert words in said
    assert "Traceback" not in run.output


@pytest.mark.parametrize("case", sampled(CASES, ["environment", "too many hosts", "overlapping network", "image"]))
def test_bad_input_is_one_sentence_before_any_change(empty: Environment, case: str) -> None:
    arguments, code, words = CASES[case]
    refused(empty.play("playbooks/aws.yml", *arguments), code, words)
    assert empty.aws.changes() == []


def test_whoever_has_no_credentials_is_shown_how_to_have_them(empty: Environment) -> None:
    nobody = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "")
    run = empty.aws.play("playbooks/aws.yml", *empty.arguments(*given()), **nobody)
    refused(run, "AWS_CREDENTIALS", "set AWS_PROFILE, or AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY")
    assert empty.aws.changes() == []


@pytest.mark.parametrize("library", sampled(["boto3", "amazon.aws"], ["boto3"]))
def test_what_only_aws_needs_is_missed_by_aws_alone(empty: Environment, tmp_path: Path, library: str) -> None:
    # The dynamic inventory needs boto3 itself, and says so in words of its own.
    inventory = tmp_path / "hosts.yml"
    inventory.write_text("all:\n  vars: {wa_aws_region: eu-central-1}\n")
    missing = "boto3" if library == "boto3" else "ansible_collections.amazon.aws.plugins.modules.cloudformation"
    without = {
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
        "ANSIBLE_CALLBACKS_ENABLED": "without_package",
        "WITHOUT_PACKAGE": missing,
    }
    run = empty.aws.play("playbooks/aws.yml", "-i", str(inventory), *given(wa_aws_image=empty.image), **without)
    refused(run, "LIBRARY_MISSING", "pip install boto3 there, and ansible-galaxy collection install amazon.aws")
    status = empty.aws.play("playbooks/status.yml", "-i", "inventories/local", **without)
    assert "LIBRARY_MISSING" not in status.output


def test_the_inventory_says_what_it_lacks() -> None:
    """Ansible's own words, which docs/guides/aws.md repeats."""
    program = "import sys; sys.modules['boto3'] = None; sys.modules['botocore'] = None;"
    program += "from ansible.cli.inventory import main; sys.argv = ['x', '-i', 'inventories/aws', '--list']; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PATH": str(TOOLS), "HOME": "/root"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "boto3" in done.stderr, done.stderr


def test_session_manager_is_missed_at_once(empty: Environment, tmp_path: Path) -> None:
    """And not after all the time that a host may take to boot."""
    inventory = tmp_path / "hosts.yml"
    inventory.write_text("all:\n  hosts:\n    one: {ansible_connection: amazon.aws.aws_ssm}\n")
    book = tmp_path / "reach.yml"
    tasks = "[{ansible.builtin.import_role: {name: waent.fleet.aws, tasks_from: reach, rolespec_validate: false}}]"
    book.write_text("- hosts: all\n  gather_facts: false\n  tasks: " + tasks + "\n")
    run = empty.aws.play(str(book), "-i", str(inventory))
    assert run.code == FAILED and run.seconds < 120, run.output
    said = unfolded(run)
    assert "the machine that runs Ansible has no session-manager-plugin" in said
    assert "ansible_aws_ssm_bucket_name names no bucket" in said


def test_the_inventory_names_what_the_connection_takes() -> None:
    """What stands as a comment in group_vars, and what is composed, are variables of that plugin."""
    done = subprocess.run(
        [TOOLS / "ansible-doc", "--type", "connection", "--json", "amazon.aws.aws_ssm"],
        capture_output=True,
        text=True,
        check=True,
    )
    options = json.loads(done.stdout)["amazon.aws.aws_ssm"]["doc"]["options"].values()
    known = {one["name"] for option in options for one in option.get("vars") or []}
    files = [ROOT / "inventories" / "aws" / name for name in ("aws_ec2.yml", "group_vars/all/main.yml")]
    named = {name for file in files for name in re.findall(r"ansible_aws_ssm_\w+", file.read_text())}
    assert len(named) == 3 and named <= known


def test_a_quota_that_is_used_up_is_named(empty: Environment) -> None:
    """Of five VPCs that the region may have, five are there."""
    ec2 = empty.aws.client("ec2")
    made = [ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"] for number in range(4)]
    try:
        run = empty.play("playbooks/aws.yml", *given())
        refused(
            run,
            "AWS_QUOTA",
            "1 more VPCs are needed, but 5 are in use in eu-central-1 and the quota L-F678F1CE allows 5",
        )
        assert empty.aws.changes() == []
    finally:
        for vpc in made:
            ec2.delete_vpc(VpcId=vpc)


@pytest.mark.thorough
def test_a_quota_that_cannot_be_read_is_said_not_to_be_checked(empty: Environment) -> None:
    """That of file systems alone is nobody's in the stand-in; the others are read, also as that of all accounts."""
    run = empty.play("playbooks/aws.yml", *given(), "--check")
    assert run.code == OK, run.output
    notes = [line for line in run.output.splitlines() if "Not checked: whether the quota" in line]
    assert len(notes) == 1 and "L-848C634D leaves room for EFS file systems" in notes[0], notes


@pytest.mark.thorough
def test_a_stack_that_fails_is_named_with_resource_and_reason(aws: Aws, tmp_path: Path) -> None:
    """While it is made, in the run after that, which changes nothing, and while it is changed."""
    production = Environment(aws, tmp_path)
    enterprise = NAMES[2]
    hosts = [f"waent-production-{number}" for number in (1, 2, 3)]
    aws.refuse_hosts(**{"waent-production-2": FULL})
    run = production.play("playbooks/aws.yml", *given())
    refused(
        run, "AWS_STACK_FAILED", f"has not brought the stack {enterprise} about: Host2 (AWS::EC2::Instance): {FULL}"
    )
    assert aws.hosts() == {}
    again = production.play("playbooks/aws.yml", *given())
    refused(again, "AWS_STACK_FAILED", f"{enterprise} is ROLLBACK_COMPLETE: Host2 (AWS::EC2::Instance): {FULL}")
    assert aws.changes() == []
    # What the sentence says: the reason is gone, and so is the stack.
    aws.refuse_hosts()
    aws.client("cloudformation").delete_stack(StackName=enterprise)
    command = commands_after(unfolded(again), "[AWS_STACK_FAILED]")[0]
    assert command == Command("", {})
    made = production.play("playbooks/aws.yml", *given(), *command.given())
    assert "WA_SECRET_MISSING" in made.codes, made.output
    assert list(aws.hosts()) == hosts
    aws.refuse_hosts(**{"waent-production-4": FULL})
    grown = production.hook("before", 4)
    refused(
        grown, "AWS_STACK_FAILED", f"has not brought the stack {enterprise} about: Host4 (AWS::EC2::Instance): {FULL}"
    )
    assert list(aws.hosts()) == hosts
    aws.refuse_hosts()
    grown = production.hook("before", 4)
    assert grown.code == OK, grown.output
    assert list(aws.hosts()) == [*hosts, "waent-production-4"]
