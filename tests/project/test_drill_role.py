# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drill breaks is restored, however its run goes on, and the script of another drill is not touched.

The tasks are those of the role, run by ansible-playbook; docker is a command that notes how it is called.
"""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.drill import script_name
from ansible_collections.waent.fleet.plugins.module_utils._plan import drill as drills
from ansible_collections.waent.fleet.tests.support.checkout import TOOLS
from ansible_collections.waent.fleet.tests.support.playbook_runs import OK, play, write_inventory

SCRIPT = script_name("c")
NAMES = ["wa-a", "wa-b"]
OTHER = "docker start other && rm -f $0\n"

PLAN = {
    "restores": False, "script_name": SCRIPT, "write": drills.write_command(SCRIPT), "deadline": 60, "shards": 1,
    "broken": [], "away": [], "webapps": ["https://127.0.0.1:9"], "watch_seconds": 1, "least_seconds": 0,
    "hosts": {"one": {
        "commands": drills.break_commands("host", NAMES, "net"),
        "script": drills.restore_script("host", NAMES, "net", 60, "2026-11-28T10:00:00Z"),
    }},
}  # fmt: skip


class Home(t.NamedTuple):
    """The home of the user on the host, with the docker command in it."""

    path: Path

    @property
    def script(self) -> Path:
        return self.path / SCRIPT

    @property
    def calls(self) -> list[str]:
        """How docker was called."""
        noted = self.path / "calls"
        return noted.read_text().splitlines() if noted.exists() else []

    def run(self, **plan: t.Any) -> dict[str, t.Any]:
        """What came of a drill with this plan, as wa_drill_report gets it."""
        host = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        inventory = write_inventory(self.path / "hosts.yml", {"one": host}, _wa_drill=["one"])
        outcome = self.path / "outcome.json"
        tasks = [
            {"ansible.builtin.import_role": {"name": "waent.fleet.drill", "tasks_from": "break"}},
            {
                "ansible.builtin.copy": {
                    "content": "{{ lookup('waent.fleet.cluster_facts', 'drill_outcome') | to_json }}",
                    "dest": str(outcome),
                    "mode": "0600",
                },
            },
        ]
        variables = {"__wa_drill": {**PLAN, **plan}, "_wa_database_access": {}}
        playbook = self.path / "run.yml"
        playbook.write_text(json.dumps([{"hosts": "one", "gather_facts": False, "vars": variables, "tasks": tasks}]))
        path = os.pathsep.join([str(self.path), str(TOOLS), os.environ["PATH"]])
        done = play(str(playbook), "-i", inventory, HOME=str(self.path), PATH=path)
        assert done.code == OK, done.output
        found: dict[str, t.Any] = json.loads(outcome.read_text())
        return found


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """docker cannot kill while there is a file named stubborn."""
    command = tmp_path / "docker"
    command.write_text(
        '#!/bin/sh\necho "$*" >> "{0}/calls"\nif [ "$1" = kill ] && [ -e "{0}/stubborn" ]; then\n'
        "    echo 'cannot kill' >&2\n    exit 1\nfi\n".format(tmp_path)
    )
    command.chmod(0o755)
    return Home(tmp_path)


def test_what_was_broken_is_restored_after_the_watch(home: Home) -> None:
    outcome = home.run()
    assert home.calls == ["kill --signal KILL wa-a wa-b", "start wa-a", "start wa-b"]
    assert outcome["break_results"] == []
    assert outcome["watched"]["service"]["back"] is False, "nobody answers there"
    assert not home.script.exists()


def test_what_could_not_be_broken_is_restored_and_said(home: Home) -> None:
    (home.path / "stubborn").touch()
    outcome = home.run()
    assert home.calls == ["kill --signal KILL wa-a wa-b", "start wa-a", "start wa-b"]
    assert "cannot kill" in json.dumps(outcome["break_results"])
    assert outcome["watched"] == {}
    assert not home.script.exists()


def test_another_drill_that_was_quicker_is_left_alone(home: Home) -> None:
    home.script.write_text(OTHER)
    outcome = home.run()
    assert home.calls == []
    (failed,) = outcome["break_results"]
    assert failed["msg"].startswith("[DRILL_STOPPED] Nothing was broken")
    assert home.script.read_text() == OTHER


def test_a_drill_that_was_left_is_restored_and_nothing_is_broken(home: Home) -> None:
    home.script.write_text(OTHER)
    outcome = home.run(restores=True, hosts={"one": {}})
    assert home.calls == ["start other"]
    assert outcome["break_results"] == []
    assert not home.script.exists()
