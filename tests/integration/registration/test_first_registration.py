# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first registration of a number with several shards: whatever is said to do next works from that state.

Nobody is at the terminal, unless a code is typed. The commands are read from what a run prints, and run as printed.
"""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.live_cluster import CODE, OK, LiveCluster, Shape
from ansible_collections.waent.fleet.tests.support.on_postgres import OnPostgres
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, Run
from ansible_collections.waent.fleet.tests.support.printed import Command, commands, commands_after
from ansible_collections.waent.fleet.tests.support.terminal import play_at_terminal

SHARDS = 2
WRONG = "999999"
MOST_TASKS_AGAIN = 18
"""Of a run on one host that has nothing to do: what reads, compares, proves and shows, and nothing that acts."""
ASKED = "Type it here"
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
    assert again.recap[cluster.shape.host]["ok"] <= MOST_TASKS_AGAIN, again.output


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
    run = site(cluster, WRONG, typed=True)
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
    database = next(one for one in commands_after(refused.output, "the database, with the registration"))
    confirm = next(one for one in commands_after(refused.output, "[NOT_CONFIRMED]"))
    assert not data.again and not database.again and not confirm.again, "all are added"
    assert cluster.containers() != {}
    run = cluster.play("uninstall.yml", *confirm.given(), *data.given())
    assert run.code == OK, run.output
    assert cluster.containers() == {}
    ours = {cluster.shape.prefix + "Database", cluster.shape.prefix + "Media"}
    assert ours & {volume.name for volume in cluster.engine.volumes.list()} == {cluster.shape.prefix + "Database"}
    run = cluster.play("uninstall.yml", *confirm.given(), *database.given())
    assert run.code == OK, run.output
    assert ours & {volume.name for volume in cluster.engine.volumes.list()} == set()


def test_the_database_is_on_a_host_that_has_nothing_else(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One run only: to the next one this machine would be two hosts, of which one has nodes of the other's."""
    shape = Shape("apart", 22700, shards=1, webapps=1, database_apart=True)
    made = LiveCluster(tmp_path_factory.mktemp("apart"), shape)
    try:
        made.prepare()
        run = made.play("site.yml")
        assert run.code == OK, run.output
        assert made.faults(1) == []
    finally:
        made.remove()


@pytest.mark.thorough
def test_where_no_more_codes_are_sent_the_one_that_came_is_asked_for(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Somebody has had more than twenty sent within the hour, and the last one is typed wrongly."""
    made = LiveCluster(tmp_path_factory.mktemp("often"), Shape("often", 22600, shards=1, webapps=1))
    try:
        made.prepare()
        made.declare(wa_registration_code="")
        first(made.play("site.yml"), MISSING)
        made.no_more_codes()
        run = made.play("site.yml", *with_code(WRONG))
        assert "Another one cannot be sent yet" in said(run), run.output
        check_healthy(made, made.play("site.yml", *code_for(first(run, REFUSED))), 1)
    finally:
        made.remove()


ANSWERS = {"none": "", "wrong": WRONG, "right": CODE}


def journeys() -> t.Iterator[t.Any]:
    """Databases, numbers of shards, the code that the first run is given, and whether it is typed at a terminal."""
    quick = {("PGSQL", 2, "none", False)}
    for database in ("MYSQL", "PGSQL"):
        for shards in (2, 4, 32):
            for given, typed in [("none", False), ("wrong", False), ("right", False), ("wrong", True), ("right", True)]:
                name = "{0}-{1}-{2}{3}".format(database, shards, given, "-typed" if typed else "")
                marks = [] if (database, shards, given, typed) in quick else [pytest.mark.thorough]
                yield pytest.param(database, shards, ANSWERS[given], typed, id=name, marks=marks)


def site(cluster: LiveCluster, code: str, typed: bool) -> Run:
    """The first run, with a code or without one."""
    if typed:
        given = ("playbooks/site.yml", "-i", cluster.inventory, "-e", cluster.variables)
        return play_at_terminal(*given, asked=ASKED, answer=code)
    return cluster.play("site.yml", *(with_code(code) if code else []))


@pytest.mark.parametrize(("database", "shards", "code", "typed"), list(journeys()))
def test_from_nothing_to_all_shards_by_what_is_printed(
    tmp_path_factory: pytest.TempPathFactory, database: str, shards: int, code: str, typed: bool
) -> None:
    # Many coreapps on one machine start slowly, and a clock that runs fast does not wait for them.
    speed = {"divisor": 2.0, "more": {"wa_health_timeout_seconds": 900}} if shards > 4 else {}
    shape = Shape("reg", 22500, shards=shards, webapps=1, max_connections=4000 if shards > 4 else 500, **speed)
    made = (OnPostgres if database == "PGSQL" else LiveCluster)(tmp_path_factory.mktemp("reg"), shape)
    try:
        made.prepare()
        made.declare(wa_registration_code="")
        run = site(made, code, typed)
        if code != CODE:
            run = made.play("site.yml", *code_for(first(run, REFUSED if code else MISSING)))
        check_healthy(made, run, shards)
    finally:
        made.remove()
