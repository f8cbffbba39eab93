# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every release of ansible-core that the project names runs its playbooks: older ones have no native Jinja types.

The release of .venv runs in all other tests. Here it only stands beside the older ones where they must say the same.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.waent.fleet.tests.integration.site.test_bad_input import WRONG, Mistakes
from ansible_collections.waent.fleet.tests.support import ansible_core_releases as releases
from ansible_collections.waent.fleet.tests.support import valid_variables
from ansible_collections.waent.fleet.tests.support.live_cluster import NEW, LiveCluster, Shape
from ansible_collections.waent.fleet.tests.support.playbook_runs import (
    FAILED,
    OK,
    Run,
    play,
    write_inventory,
    write_variables,
)

CLOSED = {"ansible_host": "127.0.0.1", "ansible_port": 9, "wa_api_address": "127.0.0.1"}
OF_VENV = ""
CANARY = "canary-of-the-environment-7Rt5"


def variables_of(release: str) -> dict[str, str]:
    """Environment variables of one release; none of that in .venv."""
    if release == OF_VENV:
        return {}
    try:
        variables = releases.variables_of(release)
    except releases.NoPython as reason:
        pytest.skip(str(reason))
    assert releases.version_of(variables) == release
    return variables


@pytest.fixture(scope="module", params=releases.RELEASES)
def core(request: pytest.FixtureRequest) -> dict[str, str]:
    """Environment variables of one of the older releases."""
    return variables_of(request.param)


@pytest.fixture(scope="module", params=[*releases.RELEASES, OF_VENV], ids=lambda release: release or "of .venv")
def any_core(request: pytest.FixtureRequest) -> dict[str, str]:
    """The same, with the newest one."""
    return variables_of(request.param)


def run(
    directory: Path,
    core: t.Mapping[str, str],
    playbook: str,
    variables: t.Mapping[str, t.Any],
    *arguments: str,
    hosts: t.Mapping[str, t.Mapping[str, t.Any]] | None = None,
    **more: str,
) -> Run:
    """Run a playbook with these variables on hosts that nobody answers for."""
    machines = {
        name: {**CLOSED, "wa_address": "{0}.example.com".format(name), **extra}
        for name, extra in (hosts or {"one": {}}).items()
    }
    inventory = write_inventory(directory / "hosts.yml", machines)
    given = write_variables(directory / "variables.json", variables)
    return play(playbook, "-i", inventory, "-e", given, *arguments, **{**core, **more})


@pytest.mark.parametrize("name", ["values", "racks"])
def test_bad_input_is_refused_with_the_same_sentences(tmp_path: Path, core: dict[str, str], name: str) -> None:
    wrong: Mistakes = WRONG[name]
    done = run(tmp_path, core, "playbooks/site.yml", wrong.variables, *wrong.arguments, hosts=wrong.hosts)
    assert done.code == FAILED, done.output
    # What a template hands on is text where there are no native types: the number 3 is shown as '3' there.
    unquoted = [sorted((code, text.replace("'", "")) for code, text in found) for found in (done.problems, wrong.said)]
    assert unquoted[0] == unquoted[1]


@pytest.mark.parametrize("playbook", ["site", "status", "upgrade", "reshard"])
def test_only_what_cannot_be_read_is_reported(tmp_path: Path, core: dict[str, str], playbook: str) -> None:
    """A value that is not known is not taken for one that is wrong."""
    nobody = {"wa_db_check_host": "127.0.0.1", "wa_db_port": 9, "wa_webapp_port": 9}
    variables = valid_variables.but(**nobody, wa_health_timeout_seconds=1)
    arguments = {"upgrade": ("-e", "version=v2.19.4"), "reshard": ("-e", "shards=1")}.get(playbook, ())
    done = run(tmp_path, core, "playbooks/{0}.yml".format(playbook), variables, *arguments)
    assert done.code == FAILED, done.output
    assert {"HOST_NOT_READ", "DB_UNREACHABLE"} <= set(done.codes), done.output
    assert set(done.codes) <= {"HOST_NOT_READ", "DB_UNREACHABLE", "API_UNREACHABLE"}, done.output


def reasons_of(done: Run) -> str:
    """All messages of failed tasks in the output of the callback for JSON."""
    text = done.output[done.output.index("{") : done.output.rindex("}") + 1]
    failed = [
        result
        for one in json.loads(text)["plays"]
        for task in one["tasks"]
        for result in task["hosts"].values()
        if result.get("failed")
    ]
    return "\n".join(str(result.get("msg")) for result in failed)


CALLBACKS = {"as usual": {}, "JSON": {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}}


def test_a_failed_login_says_why(tmp_path: Path, any_core: dict[str, str]) -> None:
    """The task's output is hidden; what it said is not, to programs neither."""
    nodes = [{"kind": "webapp", "api_address": "127.0.0.1", "ports": [9]}]
    book = tmp_path / "login.yml"
    login = {"ansible.builtin.import_role": {"name": "waent.fleet.cluster", "tasks_from": "login"}}
    book.write_text(
        yaml.safe_dump([{
            "hosts": "one", "gather_facts": False, "vars": {"__wa_desired": {"nodes": nodes}},
            "module_defaults": {"group/waent.fleet.api": "{{ _wa_api_access }}"},
            "tasks": [{"delegate_to": "localhost", "block": [login]}],
        }])
    )  # fmt: skip
    done = run(tmp_path, any_core, str(book), valid_variables.but(wa_health_timeout_seconds=0), **CALLBACKS["JSON"])
    assert done.code == FAILED, done.output
    assert "[API_UNREACHABLE] " in reasons_of(done), done.output
    assert {name for name, value in valid_variables.SECRETS.items() if value in done.output} == set()


@pytest.mark.parametrize("callback", CALLBACKS)
def test_a_container_that_cannot_be_made_says_why(tmp_path: Path, any_core: dict[str, str], callback: str) -> None:
    """The image is not there: the engine says so, and its answer is shown without the environment."""
    node = {"kind": "coreapp", "name": "wa-versions-1", "key": "one:wa-versions-1", "address": "one", "ports": []}
    book = tmp_path / "node.yml"
    role = {"role": "waent.fleet.coreapp", "wa_nodes": [{**node, "external_ports": ""}]}
    book.write_text(yaml.safe_dump([{"hosts": "one", "gather_facts": False, "roles": [role]}]))
    # A network that every engine has, so that the image is all that is missing.
    variables = valid_variables.but(
        wa_coreapp_image="waent/there-is-no-such-image", wa_network="bridge", wa_extra_environment={"TOKEN": CANARY}
    )
    local = {"one": {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}}
    done = run(tmp_path, any_core, str(book), variables, hosts=local, **CALLBACKS[callback])
    assert done.code == FAILED, done.output
    shown = reasons_of(done) if callback == "JSON" else done.output
    assert "[NODE_NOT_STARTED] wa-versions-1: " in shown and "waent/there-is-no-such-image" in shown, done.output
    assert {name for name, value in valid_variables.SECRETS.items() if value in done.output} == set()
    assert CANARY not in done.output


class OlderCluster(LiveCluster):
    """A cluster made by the oldest release."""

    core: dict[str, str]

    def play(self, playbook: str, *more: str, **extra: str) -> Run:
        return super().play(playbook, *more, **{**self.core, **extra})


@pytest.fixture(scope="module")
def oldest(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[OlderCluster]:
    """A small cluster, of one webapp and as many other nodes as there must be."""
    made = OlderCluster(tmp_path_factory.mktemp("oldest"), Shape("oldest", 24000, shards=1, webapps=1))
    try:
        made.core = releases.variables_of(releases.RELEASES[0])
    except releases.NoPython as reason:
        pytest.skip(str(reason))
    try:
        made.start()
        yield made
    finally:
        made.remove()


def test_the_oldest_release_installs_and_then_has_nothing_to_do(oldest: OlderCluster) -> None:
    before = oldest.containers()
    again = oldest.play("site.yml")
    assert again.code == OK, again.output
    assert list(again.changes.values()) == [0, 0], again.recap
    assert oldest.containers() == before


def test_the_oldest_release_shows_the_cluster(oldest: OlderCluster) -> None:
    status = oldest.play("status.yml")
    assert status.code == OK, status.output
    assert all(name in status.output for name in oldest.nodes()), status.output


def test_the_oldest_release_upgrades_node_by_node(oldest: OlderCluster) -> None:
    done = oldest.upgrade(NEW, "-e", "confirm=yes")
    assert done.code == OK, done.output
    assert oldest.versions() == {NEW}
