# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose Python is too old, or not there, gets one sentence from every playbook, and nothing is changed.

The interpreters are real: Debian 11 has a Python 2.7, and PyPy of that time is a Python 3.7.
"""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support import valid_variables
from ansible_collections.waent.fleet.tests.support.container_hosts import ContainerHosts
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, Run, play, write_variables

PLAYBOOKS = {
    "backup": (),
    "certificates": ("-e", "confirm=yes"),
    "drain": ("-e", "host=debian11", "-e", "confirm=yes"),
    "drill": ("-e", "drill=coreapp", "-e", "confirm=yes"),
    "engine": (),
    "logs": (),
    "reshard": ("-e", "shards=2", "-e", "confirm=yes"),
    "restore": ("-e", "backup=/nowhere", "-e", "confirm=yes"),
    "rotate": ("-e", "rotate=api_key", "-e", "confirm=yes"),
    "site": (),
    "status": (),
    "uninstall": ("-e", "confirm=yes"),
    "upgrade": ("-e", "version=2.19.7", "-e", "confirm=yes"),
}
UNFIT = {
    "/usr/bin/python2.7": ("PYTHON_TOO_OLD", "Python 2.7.18 (/usr/bin/python2.7) runs Ansible's modules here"),
    "/usr/bin/pypy3": ("PYTHON_TOO_OLD", "Python 3.7.10 (/usr/bin/pypy3) runs Ansible's modules here"),
    "/usr/bin/python3.6": ("PYTHON_MISSING", "There is no Python /usr/bin/python3.6 to run Ansible's modules"),
}


@pytest.fixture
def run_on(machines: ContainerHosts) -> t.Callable[..., Run]:
    """Run a playbook on hosts with these variables; nothing may be changed on any of them."""

    def work(playbook: str, hosts: t.Mapping[str, t.Mapping[str, t.Any]]) -> Run:
        machines.write_hosts({name: {"wa_address": machines.address(name), **hosts[name]} for name in hosts})
        given = write_variables(
            machines.directory / "variables.json", valid_variables.but(wa_db_check_host="", wa_db_host="db.example.com")
        )
        before = {name: machines.state(name) for name in hosts}
        arguments = ("-i", str(machines.inventory), "-e", given, *PLAYBOOKS[playbook])
        run = play("playbooks/{0}.yml".format(playbook), *arguments)
        # testinfra needs a Python that works.
        machines.write_hosts({name: {} for name in machines.names})
        assert {name: machines.state(name) for name in hosts} == before
        return run

    return work


def assert_one_sentence(run: Run, code: str, begins: str) -> None:
    """Once in the output of the host that fails, and nothing of what its Python said."""
    assert run.code == FAILED, run.output
    assert run.sentences(code), run.output
    for sentence in run.sentences(code):
        assert sentence.startswith("debian11: " + begins), sentence
        assert " or newer is needed with ansible-core " in sentence
        assert "ansible_python_interpreter" in sentence
    for noise in ("Traceback", "SyntaxError", "No start of json", "deserialization", "module_stdout", "module_stderr"):
        assert noise not in run.output, run.output


@pytest.mark.parametrize("become", [False, True])
@pytest.mark.parametrize("interpreter", UNFIT)
def test_a_python_that_runs_no_modules(run_on: t.Callable[..., Run], interpreter: str, become: bool) -> None:
    run = run_on("site", {"debian11": {"ansible_python_interpreter": interpreter, "ansible_become": become}})
    assert_one_sentence(run, *UNFIT[interpreter])


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_every_playbook_says_it(run_on: t.Callable[..., Run], playbook: str) -> None:
    # Without another host there is nowhere to drain one to, which is said before any host is contacted.
    others: dict[str, dict[str, t.Any]] = {"debian12": {}} if playbook == "drain" else {}
    run = run_on(playbook, {"debian11": {"ansible_python_interpreter": "/usr/bin/pypy3"}, **others})
    assert_one_sentence(run, *UNFIT["/usr/bin/pypy3"])


def test_one_of_several_is_reported_with_what_is_wrong_elsewhere(run_on: t.Callable[..., Run]) -> None:
    hosts: dict[str, dict[str, t.Any]] = {name: {} for name in ("debian12", "debian11")}
    hosts["debian11"]["ansible_python_interpreter"] = "/usr/bin/pypy3"
    run = run_on("site", hosts)
    assert_one_sentence(run, *UNFIT["/usr/bin/pypy3"])
    summary = run.output.rpartition("nothing was changed")[2]
    assert "[PYTHON_TOO_OLD] debian11: " in summary
    # Not root, and not in the group docker, which is not there yet.
    assert "[ENGINE_DENIED] debian12: " in summary
