# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""certificates.yml, rotate.yml, backup.yml and logs.yml while one of three machines is dead.

What works on the whole cluster begins nothing before somebody says that it may go on without the machine; once that is
back, the same command does the rest, there and nowhere else. Every run is as talkative as it gets.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.certificates import Authority
from ansible_collections.waent.fleet.tests.support.container_hosts import ContainerHosts
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, Run
from ansible_collections.waent.fleet.tests.support.three_machines import (
    DEAD,
    MACHINES,
    added_by,
    in_service,
    started,
    variables,
)

pytestmark = pytest.mark.thorough

YES = ("-e", "confirm=yes")
TALK = ("-vvv", "--diff", *YES)
KEY = "canary-key-of-the-day-6Tg2"
LIVING = tuple(name for name in MACHINES if name != DEAD)


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[ContainerHosts]:
    """Three of one cluster in service."""
    with in_service(tmp_path_factory.mktemp("day"), "day") as made:
        yield made


def silent(run: Run) -> Run:
    """The run, after a look whether it shows a secret."""
    assert "canary" not in run.output.lower(), "a secret is shown"
    return run


def everywhere(machines: ContainerHosts) -> dict[str, dict[str, str]]:
    """When each node has started, by machine."""
    return {name: started(machines, name) for name in MACHINES}


def changed(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> set[tuple[str, str]]:
    """Machine and kind of the nodes that have started since."""
    return {
        (machine, name.split("-")[-2])
        for machine, nodes in after.items()
        for name, when in nodes.items()
        if before[machine].get(name) != when
    }


@pytest.mark.parametrize("playbook", ["certificates", "rotate"])
def test_the_rest_is_done_when_the_machine_is_back(machines: ContainerHosts, tmp_path: Path, playbook: str) -> None:
    """A CA of the webhook is for coreapps, an API key for webapps."""
    certificates = playbook == "certificates"
    kind = "coreapp" if certificates else "webapp"
    new = {"wa_webhook_ca": Authority(tmp_path, "hook").ca.read_text()} if certificates else {"wa_api_key": KEY}
    what = () if certificates else ("-e", "rotate=api_key")
    given = (*TALK, *what)
    declared = variables(machines, **new)
    before = {name: started(machines, name) for name in LIVING}
    with machines.dead(DEAD):
        refused = silent(machines.play(playbook, declared, *YES, *what))
        assert refused.code == FAILED and refused.codes == ["HOST_NOT_READ"], refused.output
        (sentence,) = refused.sentences("HOST_NOT_READ")
        assert sentence.startswith(DEAD + ": ")
        assert {name: started(machines, name) for name in LIVING} == before, "nothing was begun"

        run = silent(machines.play(playbook, declared, *given, *added_by(sentence)))
        assert run.code == OK, run.output
        assert changed(before, {name: started(machines, name) for name in LIVING}) == {(name, kind) for name in LIVING}
    back = everywhere(machines)
    run = silent(machines.play(playbook, declared, *given))
    assert run.code == OK, run.output
    assert changed(back, everywhere(machines)) == {(DEAD, kind)}
    again = silent(machines.play(playbook, declared, *given))
    assert again.code == OK and set(again.changes.values()) == {0}, again.output


def test_a_backup_and_logs_are_made_of_what_answers(machines: ContainerHosts, tmp_path: Path) -> None:
    """A backup needs one webapp; logs are those of the machines that answer. Both say which one does not."""
    here = {"wa_backup_directory": str(tmp_path), "wa_backup_password": "canary-of-the-file-7Uj"}
    declared = variables(machines, wa_api_key=KEY, wa_logs_directory=str(tmp_path / "logs"), **here)
    with machines.dead(DEAD):
        run = silent(machines.play("backup", declared, *TALK))
        assert run.code == OK and "{0} could not be read".format(DEAD) in run.text, run.output
        (file,) = tmp_path.glob("*.vault")
        assert file.stat().st_mode & 0o077 == 0

        logs = machines.play("logs", declared)
        assert logs.code == OK and "LOGS_HOST_NOT_READ" in logs.codes, logs.output
        (archive,) = (tmp_path / "logs").rglob("*.tar.gz")
        assert archive.stat().st_mode & 0o077 == 0
    run = silent(machines.play("backup", declared, *TALK))
    assert run.code == OK and "could not be read" not in run.text, run.output
    assert len(list(tmp_path.glob("*.vault"))) == 2
