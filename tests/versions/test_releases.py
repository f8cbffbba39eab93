# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every release of ansible-core that the project names runs its playbooks: older ones have no native Jinja types.

The release of .venv with its collections runs in all other tests. Here it stands beside the others where they must say
the same. What only `make test-all` has the time for carries the mark C(thorough).
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.waent.fleet.tests.integration.site.test_bad_input import WRONG, Mistakes
from ansible_collections.waent.fleet.tests.support import ansible_core_releases as releases
from ansible_collections.waent.fleet.tests.support import debian13, valid_variables
from ansible_collections.waent.fleet.tests.support.ansible_core_releases import Pair
from ansible_collections.waent.fleet.tests.support.checkout import ROOT, load
from ansible_collections.waent.fleet.tests.support.live_cluster import NEW, LiveCluster, Shape
from ansible_collections.waent.fleet.tests.support.playbook_runs import (
    FAILED,
    OK,
    Run,
    play,
    write_inventory,
    write_variables,
)
from ansible_collections.waent.fleet.tests.support.sample import sampled
from packaging.specifiers import SpecifierSet

CLOSED = {"ansible_host": "127.0.0.1", "ansible_port": 9, "wa_api_address": "127.0.0.1"}
MODULE = "community.docker.docker_container"
CANARY = "canary-of-the-environment-7Rt5"
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}

#: Every release with the oldest and the newest collections. `make test` runs some of them, `make test-all` the others.
PAIRS = [Pair(release, collections) for release in releases.RELEASES for collections in ("oldest", "newest")]
OF_VENV = Pair(releases.OF_VENV, "oldest")
OLDEST, NEWEST = PAIRS[0], PAIRS[-1]
QUICK = [Pair("2.17", "oldest"), NEWEST]


class Core(t.NamedTuple):
    """A release that runs. host: how a host is reached that runs containers."""

    pair: Pair
    variables: dict[str, str]
    host: dict[str, t.Any]


@pytest.fixture(scope="module")
def other_host(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[dict[str, t.Any]]:
    """A host for controllers that are machines of their own."""
    made = debian13.Host(tmp_path_factory.mktemp("host"))
    yield made.variables()
    made.remove()


def core_of(request: pytest.FixtureRequest) -> Core:
    """The release that a test is about."""
    pair: Pair = request.param
    try:
        variables = releases.variables_of(pair) if pair != OF_VENV else {}
    except releases.NoPython as reason:
        pytest.skip(str(reason))
    host = request.getfixturevalue("other_host") if releases.PYTHONS.get(pair.release) else LOCAL
    return Core(pair, variables, host)


@pytest.fixture(scope="module", params=sampled([pair for pair in PAIRS if pair != OF_VENV], QUICK, str))
def core(request: pytest.FixtureRequest) -> Core:
    """One of the releases that are not in .venv, with one set of collections."""
    return core_of(request)


@pytest.fixture(scope="module", params=sampled(PAIRS, [*QUICK, OF_VENV], str))
def any_core(request: pytest.FixtureRequest) -> Core:
    """The same, or that of .venv."""
    return core_of(request)


def test_what_runs_is_what_the_name_says(any_core: Core) -> None:
    release, which = any_core.pair
    variables = releases.variables_of(any_core.pair)
    version = releases.output_of(variables, "ansible-playbook", "--version").split("core ")[1]
    assert version.startswith(release + ".")
    shown = releases.output_of(variables, "ansible-doc", "--json", MODULE)
    file = json.loads(shown)[MODULE]["doc"]["filename"]
    assert Path(file).is_relative_to(releases.collections_of(which))


@pytest.mark.parametrize("which", ["oldest", "newest"])
def test_the_collections_are_admitted(which: str) -> None:
    for name, versions in load(ROOT / "galaxy.yml")["dependencies"].items():
        there = releases.collections_of(which).joinpath("ansible_collections", *name.split("."))
        version = load(there / "MANIFEST.json")["collection_info"]["version"]
        assert version in SpecifierSet(versions)
        if which == "newest":
            limit = int(version.partition(".")[0]) + 1
            assert versions.endswith("<{0}.0.0".format(limit)), "a release that no test has met is admitted"


def run(
    directory: Path,
    core: Core,
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
    return play(playbook, "-i", inventory, "-e", given, *arguments, **{**core.variables, **more})


@pytest.mark.parametrize("name", ["values", "racks"])
def test_bad_input_is_refused_with_the_same_sentences(tmp_path: Path, core: Core, name: str) -> None:
    wrong: Mistakes = WRONG[name]
    done = run(tmp_path, core, "playbooks/site.yml", wrong.variables, *wrong.arguments, hosts=wrong.hosts)
    assert done.code == FAILED, done.output
    # What a template hands on is text where there are no native types: the number 3 is shown as '3' there.
    unquoted = [sorted((code, text.replace("'", "")) for code, text in found) for found in (done.problems, wrong.said)]
    assert unquoted[0] == unquoted[1]


@pytest.mark.parametrize("playbook", ["site", "status", "upgrade", "reshard"])
def test_only_what_cannot_be_read_is_reported(tmp_path: Path, core: Core, playbook: str) -> None:
    """A value that is not known is not taken for one that is wrong."""
    nobody = {"wa_db_check_host": "127.0.0.1", "wa_db_port": 9, "wa_webapp_port": 9}
    variables = valid_variables.but(**nobody, wa_health_timeout_seconds=1)
    arguments = {"upgrade": ("-e", "version=v2.19.4"), "reshard": ("-e", "shards=1")}.get(playbook, ())
    done = run(tmp_path, core, "playbooks/{0}.yml".format(playbook), variables, *arguments)
    assert done.code == FAILED, done.output
    assert {"HOST_NOT_READ", "DB_UNREACHABLE"} <= set(done.codes), done.output
    assert set(done.codes) <= {"HOST_NOT_READ", "DB_UNREACHABLE", "API_UNREACHABLE"}, done.output


@pytest.mark.parametrize("task", ["No such task", "Gather | Read every host"])
def test_a_task_to_start_at_is_refused(tmp_path: Path, core: Core, task: str) -> None:
    """A play without hosts that can be named ends a run in words and with a code of the release's own."""
    done = run(tmp_path, core, "playbooks/status.yml", valid_variables.but(), "--start-at-task", task)
    assert done.code != OK and done.codes == ["START_AT_TASK_NOT_ALLOWED"] and "PLAY [" not in done.output, done.output


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


def test_a_failed_login_says_why(tmp_path: Path, any_core: Core) -> None:
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
def test_a_container_that_cannot_be_made_says_why(tmp_path: Path, any_core: Core, callback: str) -> None:
    """The image is not there: the engine says so, and its answer is shown without the environment."""
    node = {"kind": "coreapp", "name": "wa-versions-1", "key": "one:wa-versions-1", "address": "one", "ports": []}
    book = tmp_path / "node.yml"
    role = {"role": "waent.fleet.coreapp", "wa_nodes": [{**node, "external_ports": ""}]}
    book.write_text(yaml.safe_dump([{"hosts": "one", "gather_facts": False, "roles": [role]}]))
    # A network that every engine has, so that the image is all that is missing.
    variables = valid_variables.but(
        wa_coreapp_image="waent/there-is-no-such-image", wa_network="bridge", wa_extra_environment={"TOKEN": CANARY}
    )
    done = run(tmp_path, any_core, str(book), variables, hosts={"one": any_core.host}, **CALLBACKS[callback])
    assert done.code == FAILED, done.output
    shown = reasons_of(done) if callback == "JSON" else done.output
    assert "[NODE_NOT_STARTED] wa-versions-1: " in shown and "waent/there-is-no-such-image" in shown, done.output
    assert {name for name, value in valid_variables.SECRETS.items() if value in done.output} == set()
    assert CANARY not in done.output


class OtherCluster(LiveCluster):
    """A cluster made by one of the releases."""

    core: Core

    def play(self, playbook: str, *more: str, **extra: str) -> Run:
        return super().play(playbook, *more, **{**self.core.variables, **extra})


@pytest.fixture(scope="module", params=sampled(PAIRS, [OLDEST], str))
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[OtherCluster]:
    """A small cluster, of one webapp and as many other nodes as there must be."""
    core = core_of(request)
    shape = Shape("versions", 24000, shards=1, webapps=1, reached=core.host)
    made = OtherCluster(tmp_path_factory.mktemp("cluster"), shape)
    made.core = core
    try:
        made.start()
        yield made
    finally:
        made.remove()


def test_a_release_installs_and_then_has_nothing_to_do(cluster: OtherCluster) -> None:
    before = cluster.containers()
    again = cluster.play("site.yml")
    assert again.code == OK, again.output
    assert list(again.changes.values()) == [0, 0], again.recap
    assert cluster.containers() == before


def test_a_release_shows_the_cluster(cluster: OtherCluster) -> None:
    status = cluster.play("status.yml")
    assert status.code == OK, status.output
    assert all(name in status.output for name in cluster.nodes()), status.output


def test_a_release_upgrades_node_by_node(cluster: OtherCluster) -> None:
    done = cluster.upgrade(NEW, "-e", "confirm=yes")
    assert done.code == OK, done.output
    assert cluster.versions() == {NEW}


def test_a_release_reshards(cluster: OtherCluster) -> None:
    """From one shard to two, with a coreapp more: the inventory says the new version by now, as a user's would."""
    cluster.declare(wa_version=NEW)
    done = cluster.reshard(2, "-e", "confirm=yes")
    assert done.code == OK, done.output
    assert cluster.faults(2) == []
