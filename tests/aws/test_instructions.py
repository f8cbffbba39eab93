# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said to do on AWS is read from its words, run from that state, and goes on (docs/instructions.md).

One account, from nothing to an environment that grows and shrinks. That aws.yml goes on with site.yml shows in how it
ends: this inventory has no secrets, which site.yml refuses before any host is contacted.
"""

from __future__ import annotations

import shutil
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.aws_environment import NAMES, Environment, account, unfolded
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, Run
from ansible_collections.waent.fleet.tests.support.printed import Command, commands_after

AGAIN = Command("", {})
MOST_HOSTS = [f"waent-production-{number}" for number in range(1, 6)]
"""Of the environment for eight shards; for two it has the first three."""


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Environment]:
    """From nothing on."""
    with account(tmp_path_factory.mktemp("aws")) as made:
        yield made


def said(run: Run, code: str) -> Command:
    """What a refusal with this code, and no other, says to do first."""
    assert run.code == FAILED and f"[{code}]" in unfolded(run), run.output
    assert set(run.codes) <= {code}, run.output
    return commands_after(run.output, f"[{code}]")[0]


def goes_on(run: Run) -> None:
    """The environment is there, and site.yml begins."""
    assert run.code == FAILED and "WA_SECRET_MISSING" in run.codes, run.output


def test_a_number_of_shards_that_is_missing_is_added(production: Environment) -> None:
    command = said(production.play("playbooks/aws.yml", "--check"), "SHARDS_MISSING")
    assert not command.again
    done = production.play("playbooks/aws.yml", "--check", *command.given(shards="2"))
    assert done.code == OK, done.output
    assert production.aws.changes() == []


def test_an_environment_that_is_not_there_is_made_once_the_inventory_looks_for_it(
    production: Environment, tmp_path: Path
) -> None:
    """A host of somebody else's has its tags: there is somebody to reshard, and no stack."""
    aws = production.aws
    tags = {"Name": "old-1", "waent_fleet_environment": "waent-production", "waent_fleet_kinds": "coreapp"}
    made = aws.client("ec2").run_instances(
        ImageId=production.image,
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        ],
    )["Instances"]
    try:
        command = said(production.hook("before", 2), "AWS_NOT_MADE")
    finally:
        aws.client("ec2").terminate_instances(InstanceIds=[one["InstanceId"] for one in made])
    assert (command.playbook, command.arguments) == ("aws", {"shards": "2"})

    shutil.copytree(ROOT / "inventories" / "aws", tmp_path / "inventory")
    found = tmp_path / "inventory" / "aws_ec2.yml"
    found.write_text(found.read_text().replace("waent-production", "waent-staging"))
    playbook = ("playbooks/aws.yml", "-i", str(tmp_path / "inventory"))
    arguments = [*production.arguments()[2:], *command.given()]
    again = said(aws.play(*playbook, *arguments), "AWS_HOSTS_NOT_FOUND")
    assert list(aws.hosts()) == MOST_HOSTS[:3]
    assert again == AGAIN
    found.write_text(found.read_text().replace("waent-staging", "waent-production"))
    aws.forget_calls()
    run = aws.play(*playbook, *arguments, *again.given())
    goes_on(run)
    assert run.changes.get("localhost") == 0, run.output


def test_a_stack_that_aws_is_at_work_on_is_left_alone_until_that_is_done(production: Environment) -> None:
    given = ("-e", "shards=2", "-e", "wa_aws_wait_seconds=1")
    production.aws.keep_busy(**{NAMES[1]: "UPDATE_IN_PROGRESS"})
    try:
        refused = production.play("playbooks/aws.yml", *given)
    finally:
        production.aws.keep_busy()
    command = said(refused, "AWS_STACK_BUSY")
    assert command == AGAIN
    assert f"The stack {NAMES[1]} is UPDATE_IN_PROGRESS" in unfolded(refused)
    assert production.aws.changes() == []
    run = production.play("playbooks/aws.yml", *given, *command.given())
    goes_on(run)
    assert run.changes.get("localhost") == 0, run.output


def test_a_host_that_nobody_has_read_stays_until_somebody_has(production: Environment) -> None:
    grown = production.hook("before", 8)
    assert grown.code == OK and list(production.aws.hosts()) == MOST_HOSTS, grown.output
    command = said(production.hook("after", 2, MOST_HOSTS[3:4]), "AWS_HOST_UNREAD")
    assert command == AGAIN
    assert production.aws.changes() == []
    done = production.hook("after", 2, MOST_HOSTS[3:])
    assert done.code == OK, done.output
    assert list(production.aws.hosts()) == MOST_HOSTS[:3]
