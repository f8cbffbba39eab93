# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first registration of a number with several shards: whatever is said to do next works from that state.

Nobody is at the terminal, but for one test. The commands are read from what a run prints, and run as they are printed.
"""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.live_cluster import CODE, OK, LiveCluster, Shape
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, Run
from ansible_collections.waent.fleet.tests.support.printed import Command, commands, commands_after
from ansible_collections.waent.fleet.tests.support.terminal import play_at_terminal

SHARDS = 2
WRONG = "999999"
MISSING, REFUSED = "[REGISTRATION_CODE_MISSING]", "The registration code was not accepted"


def with_code(code: str) -> list[str]:
    """As the sentences say it."""
    return ["-e", "wa_registration_code=" + code]


def said(run: Run) -> str:
    """What it said, without the folding of long lines."""
    return " ".join(run.output.split())


def changes(run: Run) -> list[int]:
    return [numbers["changed"] for numbers in run.recap.values()]


def first(run: Run, beginning: str) -> Command:
    """What it says to run, from a text on."""
    assert run.code == FAILED, run.output
    assert "SHARDS_DIFFER" not in run.output, run.output
    return commands_after(run.output, beginning)[0]


def code_for(command: Command) -> list[str]:
    """The same playbook once more, with the code that was received."""
    assert (command.playbook, command.again) == ("", True), command
    return command.given(wa_registration_code=CODE)


def check_healthy(cluster: LiveCluster, run: Run, shards: int) -> None:
    """It ended with all shards, and nothing is left to do."""
    assert run.code == OK, run.output
    assert cluster.faults(shards) == []
    again = cluster.play("site.yml")
    assert (again.code, set(changes(again))) == (OK, {0}), again.output


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[LiveCluster]:
    """Prepared only: no node, no database, and no code in the inventory. Each test goes on with what is left."""
    shape = Shape("first", 22000, shards=SHARDS, webapps=1, more={"wa_registration_code": ""})
    made = LiveCluster(tmp_path_factory.mktemp("first"), shape)
    try:
        made.prepare()
        yield made
    finally:
        made.remove()


def test_without_a_code_it_says_how_to_give_one(cluster: LiveCluster) -> None:
    assert code_for(first(cluster.play("site.yml"), MISSING)) == with_code(CODE)


def test_reshard_of_a_number_that_is_not_registered_leads_to_the_registration(cluster: LiveCluster) -> None:
    refused = cluster.reshard(SHARDS, "-e", "confirm=yes")
    command = first(refused, "[NOT_REGISTERED]")
    assert (command.playbook, command.arguments) == ("site", {})
    assert code_for(first(cluster.play("site.yml"), MISSING)) == with_code(CODE)


def test_a_wrong_code_is_reported_as_one(cluster: LiveCluster) -> None:
    run = cluster.play("site.yml", *with_code(WRONG))
    assert code_for(first(run, REFUSED)) == with_code(CODE)


def test_a_wrong_code_that_is_typed_leads_to_another_one_and_to_all_shards(cluster: LiveCluster) -> None:
    run = play_at_terminal(
        "playbooks/site.yml", "-i", cluster.inventory, "-e", cluster.variables, asked="Type it here", answer=WRONG
    )
    assert run.code == FAILED, run.output
    again, another = commands_after(run.output, REFUSED)[:2]
    assert code_for(again) == with_code(CODE) and not another.again
    assert another.given() == with_code("")
    sent = cluster.play("site.yml", *another.given())
    check_healthy(cluster, cluster.play("site.yml", *code_for(first(sent, MISSING))), SHARDS)


def test_registered_without_its_shards_it_says_what_finishes_it(cluster: LiveCluster) -> None:
    """As a run killed in between leaves it. It may be in service: site.yml leaves it so, and says what helps."""
    cluster.lose_its_shards()
    refused = cluster.play("site.yml")
    assert (refused.code, refused.codes) == (FAILED, ["SHARDS_DIFFER"]), refused.output
    (command,) = commands(refused.sentences("SHARDS_DIFFER")[0])
    assert command.playbook == "reshard"
    check_healthy(cluster, cluster.play("reshard.yml", *command.given()), SHARDS)


def test_the_end_of_it_needs_a_word_and_takes_the_data_when_that_is_said(cluster: LiveCluster) -> None:
    refused = cluster.play("uninstall.yml")
    assert refused.code == FAILED, refused.output
    data = next(one for one in commands_after(refused.output, "which holds data"))
    confirm = next(one for one in commands_after(refused.output, "[NOT_CONFIRMED]"))
    assert not data.again and not confirm.again, "both are added"
    assert cluster.containers() != {}
    run = cluster.play("uninstall.yml", *confirm.given(), *data.given())
    assert run.code == OK, run.output
    assert cluster.containers() == {}
    assert cluster.shape.prefix + "Database" not in {volume.name for volume in cluster.engine.volumes.list()}
