# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs by our comparison differs by docker_container's own, on a real engine, for every option in turn.

Containers are made from specifications by wa_containers, as the role C(node) does. Then each option is changed, and
docker_container runs in check mode with diff. It must name the same options as our planned changes, and recreate where
they say so.
"""

from __future__ import annotations

import contextlib
import json
import sys
import typing as t
from pathlib import Path

import docker
import docker.errors
import pytest
from ansible_collections.waent.fleet.plugins.module_utils._desired.container import (
    KEYS,
    compare,
    container_of,
    docker_options,
    found_options,
)
from ansible_collections.waent.fleet.tests.support.playbook_runs import OK, play

PREFIX = "spec"
WEB, CORE, DATABASE = "docker.whatsapp.biz/web:v2.19.4", "docker.whatsapp.biz/coreapp:v2.19.4", "waent/mariadb:10.11"
SETTINGS: dict[str, t.Any] = {
    "cluster": PREFIX, "version": "v2.19.4", "network": PREFIX, "publish_address": "127.0.0.1",
    "images": {"webapp": WEB, "master": CORE, "coreapp": CORE, "database": DATABASE},
    "extra_hosts": {"one": "host-gateway", "two": "192.0.2.1", "three": "2001:db8::1"}, "media": PREFIX + "Media",
    "data": PREFIX + "Data", "db_engine": "MYSQL", "log_driver": "json-file", "log_options": {},
    "database": {
        "address": "127.0.0.1", "volume": PREFIX + "Database", "max_connections": 100, "arguments": ["--skip-log-bin"],
        "alias": "db",
    },
}  # fmt: skip
NODES: dict[str, dict[str, t.Any]] = {
    "coreapp": {
        "kind": "coreapp", "name": PREFIX + "-coreapp-1", "address": PREFIX, "ports": [24250, 24251, 24252, 24253],
        "external_ports": "24250,24251,24252,24253",
    },
    "database": {"kind": "database", "name": PREFIX + "-db", "ports": [24306]},
}  # fmt: skip
ENVIRONMENT = {"coreapp": {"WA_DB_HOSTNAME": "db"}, "database": {"MYSQL_ROOT_PASSWORD": "x"}}
MOUNT = {"type": "volume", "source": PREFIX + "Media", "target": "/usr/local/wamedia"}

CHANGES: dict[str, list[t.Any]] = {
    "image": [],  # of each kind its own, under another name: an image of another content has other labels as well
    "hostname": ["another"],
    "command": [["/bin/sleep", "1"]],
    "env": [{"COREAPP_HOSTNAME": "elsewhere", "COREAPP_EXTERNAL_PORTS": "1,2,3,4"}],
    "published_ports": [["127.0.0.1:24999:6250"], ["0.0.0.0:{0}:{1}".format(24250 + n, 6250 + n) for n in range(4)]],
    "mounts": [[MOUNT], [{**MOUNT, "target": "/elsewhere"}], [{**MOUNT, "labels": {"a": "b"}}]],
    "etc_hosts": [{"one": "host-gateway"}, {**SETTINGS["extra_hosts"], "four": "192.0.2.4"}, {}],
    "network_mode": [PREFIX + "-other"],
    "networks": [[{"name": PREFIX, "aliases": ["one-more"]}], [{"name": PREFIX}, {"name": PREFIX + "-other"}]],
    "restart_policy": ["on-failure"],
    "labels": [{"waent.fleet.cluster": PREFIX, "waent.fleet.version": "v9.9.9"}, {"waent.fleet.cluster": PREFIX}],
    "log_driver": ["local", "journald", "syslog"],
    "log_options": [{"max-size": "51m", "max-file": "7"}, {"max-size": "50m"}],
    "cap_drop": [["MKNOD", "NET_RAW"], []],
}
"""Other values of every option, also such that ask for less than there is."""

OTHER_IMAGES = {"coreapp": (CORE, PREFIX + "/coreapp"), "database": (DATABASE, PREFIX + "/mariadb")}

#: How the diff of docker_container names an option, where it has another name than the option.
DIFF_NAMES = {"image_name": "image", "network." + PREFIX: "networks", "network." + PREFIX + "-other": "networks"}
#: Differences that follow from others, a tag's content from its name and ports exposed from those published; and that a
#: coreapp without a cluster ends and is started again and again.
FOLLOW = {"image", "exposed_ports", "running"}


def options(kind: str, **changes: t.Any) -> dict[str, t.Any]:
    """What the role gives docker_container for a node; C(comparisons) remain those of the specification."""
    made = docker_options(NODES[kind], SETTINGS)
    changed = {**made, **changes}
    return {**changed, "env": {**ENVIRONMENT[kind], **changed.get("env", {})}}


def tasks(cases: list[dict[str, t.Any]], check: bool, answer: Path) -> list[dict[str, t.Any]]:
    """docker_container for every case, in check mode or for good, and its answers in a file."""
    return [
        {
            "community.docker.docker_container": "{{ item }}",
            "loop": cases,
            "loop_control": {"label": "{{ item.name }}"},
            "register": "results",
            "check_mode": check,
            "diff": True,
        },
        {"ansible.builtin.copy": {"content": "{{ results.results | to_json }}", "dest": str(answer), "mode": "0600"}},
    ]


def run_cases(home: Path, cases: list[dict[str, t.Any]], check: bool) -> list[dict[str, t.Any]]:
    """The module's answer to each."""
    variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    answer = home / "answer.json"
    book = {"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks(cases, check, answer)}
    (home / "play.yml").write_text(json.dumps([book]))
    run = play(str(home / "play.yml"), "-i", "localhost,")
    assert run.code == OK, run.output
    results: list[dict[str, t.Any]] = json.loads(answer.read_text())
    return results


def at_once(home: Path, check: bool) -> dict[str, t.Any]:
    """What wa_containers answers for a container of each kind."""
    variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    answer = home / "answer.json"
    done = [
        {
            "waent.fleet.wa_containers": {"containers": [options(kind) for kind in NODES]},
            "register": "result",
            "check_mode": check,
        },
        {"ansible.builtin.copy": {"content": "{{ result | to_json }}", "dest": str(answer), "mode": "0600"}},
    ]
    book = {"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": done}
    (home / "play.yml").write_text(json.dumps([book]))
    run = play(str(home / "play.yml"), "-i", "localhost,")
    assert run.code == OK, run.output
    found: dict[str, t.Any] = json.loads(answer.read_text())
    return found


@pytest.fixture(scope="module")
def engine() -> t.Iterator[docker.DockerClient]:
    """With two networks, and without anything of this test before and after it."""
    client = docker.from_env(timeout=120)
    clear(client)
    for name in (PREFIX, PREFIX + "-other"):
        client.networks.create(name)
    for image, other in OTHER_IMAGES.values():
        client.images.get(image).tag(other, "v1")
    try:
        yield client
    finally:
        clear(client)


def clear(client: docker.DockerClient) -> None:
    """Remove what this test makes."""
    for one in client.containers.list(all=True, filters={"label": "waent.fleet.cluster=" + PREFIX}):
        one.remove(force=True)
    for _image, other in OTHER_IMAGES.values():
        with contextlib.suppress(docker.errors.ImageNotFound):
            client.images.remove(other + ":v1")
    for network in client.networks.list(names=[PREFIX, PREFIX + "-other"]):
        network.remove()
    for name in ("Media", "Data", "Database"):
        with contextlib.suppress(docker.errors.NotFound):
            client.volumes.get(PREFIX + name).remove()


@pytest.fixture(scope="module")
def made(engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, t.Any]]:
    """What the engine reports of a container of each kind, made as the role C(node) makes it."""
    home = tmp_path_factory.mktemp("make")
    planned, first, second = (at_once(home, check) for check in (True, False, False))
    assert [one["changed"] for one in planned["results"]] == [True] * len(NODES)
    assert [(one["item"]["name"], one["changed"]) for one in first["results"]] == [
        (node["name"], True) for node in NODES.values()
    ]
    assert (second["changed"], second["failed"]) == (False, False)
    return {kind: engine.api.inspect_container(node["name"]) for kind, node in NODES.items()}


def named(answer: dict[str, t.Any]) -> set[str]:
    """The options that differ by docker_container."""
    found = set(answer["diff"]["after"]) - FOLLOW
    return {DIFF_NAMES.get(name, name) for name in found}


def recreates(answer: dict[str, t.Any]) -> bool:
    """Whether docker_container would remove the container to make another one."""
    return any("removed" in action for action in answer["actions"])


def test_every_option_is_changed_here() -> None:
    assert set(CHANGES) == set(KEYS)


def test_the_engine_agrees_about_every_option(made: dict[str, dict[str, t.Any]], tmp_path: Path) -> None:
    changes: list[tuple[str, dict[str, t.Any]]] = [(kind, {}) for kind in NODES]
    changes += [
        (kind, {name: value})
        for kind, node in NODES.items()
        for name, values in CHANGES.items()
        if name in container_of(node, SETTINGS)
        for value in (values if name != "image" else [OTHER_IMAGES[kind][1] + ":v1"])
    ]
    answers = run_cases(tmp_path, [options(kind, **change) for kind, change in changes], check=True)
    wrong = []
    for (kind, change), answer in zip(changes, answers):
        found = compare({**container_of(NODES[kind], SETTINGS), **change}, found_options(made[kind]))
        ours = {difference.option for difference in found}
        again = any(not difference.in_place for difference in found)
        if (ours, again) != (named(answer), recreates(answer)):
            wrong.append((kind, change, "we: {0}".format(ours), "docker_container: {0}".format(named(answer))))
    assert wrong == []
    tried = {name for _kind, change in changes for name in change}
    assert tried == set(KEYS), "an option was not tried"
