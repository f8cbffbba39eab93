# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""uninstall.yml on a real engine: what is not ours stays as it is, and what cannot be asked is no success.

Two clusters share a host, its network and its volumes. Their containers do nothing: what counts is their labels.
"""

from __future__ import annotations

import json
import signal
import subprocess
import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.container_hosts import DATABASE_IMAGE, ContainerHosts
from ansible_collections.waent.fleet.tests.support.killable_runs import CALLBACKS
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, Run, environment, play
from ansible_collections.waent.fleet.tests.support.printed import Command, commands_after
from ansible_collections.waent.fleet.tests.support.sample import sampled

LABEL = "waent.fleet.cluster"


def names(fleet: ContainerHosts, what: str) -> set[str]:
    """Names of the test's containers, networks or volumes on host one."""
    command = {
        "containers": "docker ps --format '{{.Names}}'",
        "networks": "docker network ls --format '{{.Name}}'",
        "volumes": "docker volume ls --format '{{.Name}}'",
    }
    return {name for name in fleet.run("one", command[what]).split() if name.startswith(("a-", "b-", "shared-"))}


@pytest.fixture
def clusters(fleet: ContainerHosts) -> t.Iterator[None]:
    """Clusters a and b on host one; network and media were made by the first, and the other uses them."""
    fleet.write_hosts({name: {"ansible_become": True} for name in ("one", "two")})
    for cluster in ("a", "b"):
        fleet.run("one", "docker network create --label {0}={1} {1}-own".format(LABEL, cluster))
    fleet.run("one", "docker network create --label {0}=a shared-network".format(LABEL))
    fleet.run("one", "docker volume create --label {0}=a shared-media".format(LABEL))
    for node, kind in (("a-webapp-1", "webapp"), ("a-db", "database"), ("b-webapp-1", "webapp")):
        cluster = node[0]
        volume = "docker volume create --label {0}={1} {1}-data".format(LABEL, cluster)
        labels = "--label {0}={1} --label waent.fleet.kind={2}".format(LABEL, cluster, kind)
        mounts = "-v a-data:/var/lib/mysql" if kind == "database" else "-v shared-media:/usr/local/wamedia"
        start = "docker run --detach --name {0} {1} --network shared-network {2} --entrypoint sleep {3} infinity"
        fleet.run("one", "{0} && {1}".format(volume, start.format(node, labels, mounts, DATABASE_IMAGE)))
    yield
    fleet.run(
        "one",
        "docker rm --force --volumes a-webapp-1 a-db b-webapp-1; docker network rm a-own b-own shared-network;"
        " docker volume rm shared-media a-data b-data; true",
    )


def inspected(fleet: ContainerHosts, container: str) -> dict[str, t.Any]:
    """All that the engine reports of a container on host one. It lists the mounts in any order."""
    found: dict[str, t.Any] = json.loads(fleet.run("one", "docker inspect " + container))[0]
    found["Mounts"].sort(key=lambda mount: mount["Destination"])
    return found


def uninstall(fleet: ContainerHosts, cluster: str, *arguments: str) -> Run:
    """Remove a cluster, and its data where the arguments say so."""
    run = play(
        "playbooks/uninstall.yml",
        "-i",
        str(fleet.inventory),
        *("-e", "wa_cluster_name=" + cluster, "-e", "confirm=yes", "-e", "wa_media=shared-media"),
        *arguments,
    )
    assert "Traceback" not in run.output
    return run


DATA = ("-e", "wa_remove_data=true")
ALL = (*DATA, "-e", "wa_remove_database=a-data")


@pytest.mark.thorough
def test_what_another_cluster_uses_stays(fleet: ContainerHosts, clusters: None) -> None:
    before = inspected(fleet, "b-webapp-1")
    checked = uninstall(fleet, "a", *ALL, "--check")
    assert checked.code == OK, checked.output
    assert {"a-webapp-1", "a-db"} <= names(fleet, "containers")

    run = uninstall(fleet, "a", *ALL)
    assert run.code == OK, run.output
    for output in (checked.output, run.output):
        assert "one: stays: network shared-network, used by b-webapp-1" in output
        assert "one: stays: volume shared-media, used by b-webapp-1" in output
    assert inspected(fleet, "b-webapp-1") == before
    assert names(fleet, "containers") == {"b-webapp-1"}
    assert names(fleet, "networks") == {"b-own", "shared-network"}
    assert names(fleet, "volumes") == {"b-data", "shared-media"}

    assert uninstall(fleet, "b").code == OK
    assert names(fleet, "containers") == set()
    assert names(fleet, "volumes") == {"b-data", "shared-media"}
    # Nobody uses it any more.
    assert uninstall(fleet, "a", *DATA).code == OK
    assert names(fleet, "networks") == set()
    assert names(fleet, "volumes") == {"b-data"}


def test_the_database_goes_only_to_somebody_who_names_it(fleet: ContainerHosts, bystanders: None) -> None:
    """Not by the name of another cluster's, of anybody else's volume, or of media, nor without a name."""
    fleet.run("one", "docker rm --force b-bystander")  # it would keep the volume as well
    before, volumes = names(fleet, "containers"), names(fleet, "volumes")
    for wrong in ("b-data", "b-external", "shared-media", "A-data", "a-db"):
        run = uninstall(fleet, "a", *DATA, "-e", "wa_remove_database=" + wrong)
        assert (run.code, run.codes) == (FAILED, ["WA_REMOVE_DATABASE"]), run.output
        assert "allowed is the volume that holds the database of cluster a: a-data on one." in run.text, run.output
    run = uninstall(fleet, "a", *ALL[2:])
    assert (run.code, run.codes) == (FAILED, ["WA_REMOVE_DATABASE"]), run.output
    assert "add -e wa_remove_data=true if it is meant" in run.text
    assert (names(fleet, "containers"), names(fleet, "volumes")) == (before, volumes)

    stays = "one: stays: volume a-data, the database, with the registration and all messages"
    run = uninstall(fleet, "a", *DATA)
    assert run.code == OK and stays in run.text, run.output
    assert names(fleet, "containers") == {"b-webapp-1"}
    # Its container is gone, and the inventory has no host for a database: nobody knows any more what the volume holds.
    again = uninstall(fleet, "a", *DATA)
    assert again.code == OK and set(again.changes.values()) == {0} and stays in again.text, again.output
    assert names(fleet, "volumes") == volumes
    checked = uninstall(fleet, "a", *ALL, "--check")
    assert "one: volume a-data, with its data" in checked.text and "a-data" in names(fleet, "volumes")
    assert uninstall(fleet, "a", *ALL).code == OK
    assert names(fleet, "volumes") == volumes - {"a-data"}


@pytest.fixture
def bystanders(fleet: ContainerHosts, clusters: None) -> t.Iterator[None]:
    """Containers, a volume and a directory of nobody's cluster, mixed up with those of cluster a."""
    start = "docker run --detach --name {0} {1} --entrypoint sleep {2} infinity"
    fleet.run("one", "mkdir -p /srv/share && echo kept >/srv/share/file && docker volume create b-external")
    fleet.run("one", start.format("b-bystander", "--network a-own -v a-data:/theirs", DATABASE_IMAGE))
    node = "--label {0}=a --label waent.fleet.kind=coreapp -v b-external:/e -v /srv/share:/s".format(LABEL)
    fleet.run("one", start.format("a-coreapp-1", node, DATABASE_IMAGE))
    fleet.run("one", "docker exec a-coreapp-1 sh -c 'echo kept >/e/file'")
    yield
    fleet.run("one", "docker rm --force b-bystander a-coreapp-1; docker volume rm b-external; rm -rf /srv/share; true")


def test_what_is_nobodys_stays_whatever_it_shares_with_the_cluster(fleet: ContainerHosts, bystanders: None) -> None:
    before = {name: inspected(fleet, name) for name in ("b-bystander", "b-webapp-1")}
    run = uninstall(fleet, "a", *ALL)
    assert run.code == OK, run.output
    assert {name: inspected(fleet, name) for name in before} == before
    assert names(fleet, "containers") == {"b-bystander", "b-webapp-1"}
    assert names(fleet, "volumes") == {"a-data", "b-data", "b-external", "shared-media"}
    assert names(fleet, "networks") == {"a-own", "b-own", "shared-network"}
    kept = fleet.run("one", "cat /srv/share/file $(docker volume inspect -f '{{.Mountpoint}}' b-external)/file")
    assert kept.split() == ["kept", "kept"]
    assert "one: stays: volume a-data, used by b-bystander" in run.output
    assert "Removed, and read again to see that it is gone: one." in run.output


KILLED_IN = ["Remove | Containers, masters", "Remove rest | Volumes", "Prove | Read the hosts"]


@pytest.mark.parametrize("task", sampled(KILLED_IN, KILLED_IN[:1]))
def test_a_run_that_was_killed_is_finished_by_the_same_command(
    fleet: ContainerHosts, bystanders: None, task: str
) -> None:
    command = ["ansible-playbook", "playbooks/uninstall.yml", "-i", str(fleet.inventory), "-e", "wa_cluster_name=a"]
    command += ["-e", "wa_media=shared-media"]
    callbacks = {"ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS), "ANSIBLE_CALLBACKS_ENABLED": "kill_at_task"}
    killed = subprocess.run(
        [*command, "-e", "confirm=yes", *ALL], cwd=ROOT, env=environment(**callbacks, KILL_AT_TASK=task), check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stdout.decode()
    # Kind by kind: the webapp was gone before anything of a master or a database was touched.
    assert "a-webapp-1" not in names(fleet, "containers")
    assert ("a-db" in names(fleet, "containers")) == (task == "Remove | Containers, masters")
    run = uninstall(fleet, "a", *ALL)
    assert run.code == OK, run.output
    assert names(fleet, "containers") == {"b-bystander", "b-webapp-1"}
    assert names(fleet, "volumes") == {"a-data", "b-data", "b-external", "shared-media"}
    again = uninstall(fleet, "a", *DATA)
    assert again.code == OK and set(again.changes.values()) == {0}, again.output


def test_a_host_that_is_away_is_listed_at_the_end_and_the_others_are_done(
    fleet: ContainerHosts, clusters: None
) -> None:
    fleet.write_hosts(
        {"one": {"ansible_become": True}, "gone": {"ansible_host": "127.0.0.1", "ansible_port": 1}},
    )
    pin = fleet.inventory / ".wa_api_ca_a.pem"
    pin.write_text("pinned")
    try:
        for changed in (True, False):
            run = uninstall(fleet, "a", *DATA)
            assert run.code == FAILED, run.output
            assert "HOST_NOT_READ" in run.codes
            assert (run.changes["one"] > 0) == changed
            # The cluster may go on there, and whoever talks to it needs this.
            assert pin.exists()
            if changed:
                assert "Not done: gone; run the playbook again" in run.output
        assert not {"a-webapp-1", "a-db"} & names(fleet, "containers")
        fleet.write_hosts({"one": {"ansible_become": True}})
        run = uninstall(fleet, "a")
        assert run.code == OK and pin.exists(), run.output
        run = uninstall(fleet, "a", *DATA)
        assert run.code == OK and pin.exists(), run.output
        assert "as the database stays, which has its key" in run.text
        run = uninstall(fleet, "a", *ALL)
        assert run.code == OK and not pin.exists(), run.output
    finally:
        pin.unlink(missing_ok=True)


@pytest.mark.thorough
def test_an_engine_that_refuses_us_is_not_one_that_has_nothing(fleet: ContainerHosts, clusters: None) -> None:
    fleet.write_hosts({"one": {}})
    fleet.run("one", "chmod 0600 /var/run/docker.sock")
    try:
        run = uninstall(fleet, "a")
    finally:
        fleet.run("one", "chmod 0660 /var/run/docker.sock")
    assert run.code == FAILED, run.output
    assert "ENGINE_DENIED" in run.codes
    assert {"a-webapp-1", "a-db"} <= names(fleet, "containers")
    (command, *_) = commands_after(run.output, "Nothing was removed from one")
    assert command == Command("", {}), "the same one again"
    again = uninstall(fleet, "a", *command.given())
    assert again.code == OK, again.output
    assert not {"a-webapp-1", "a-db"} & names(fleet, "containers")


def test_nobody_at_the_terminal_and_no_confirm(fleet: ContainerHosts, clusters: None) -> None:
    run = play("playbooks/uninstall.yml", "-i", str(fleet.inventory), "-e", "wa_cluster_name=a")
    assert run.code == FAILED
    sentence = "Nothing was changed: there is nobody to ask; add -e confirm=yes to the command if it is meant."
    assert "[NOT_CONFIRMED] " + sentence in run.output
    assert {"a-webapp-1", "a-db"} <= names(fleet, "containers")


@pytest.fixture
def command_away(fleet: ContainerHosts) -> t.Iterator[str]:
    """Host one, whose engine runs without its command on PATH."""
    fleet.run("one", "mv /usr/bin/docker /root/docker")
    yield "ENGINE_COMMAND_MISSING"
    fleet.run("one", "mv /root/docker /usr/bin/docker")


@pytest.fixture
def podman(fleet: ContainerHosts) -> t.Iterator[str]:
    """Host one, on which docker is Podman's."""
    fleet.run(
        "one",
        'printf \'#!/bin/sh\\necho "{\\\\"host\\\\": {\\\\"buildahVersion\\\\": \\\\"1.28.2\\\\"}}"\\n\''
        " >/usr/local/bin/docker && chmod 0755 /usr/local/bin/docker",
    )
    yield "ENGINE_IS_PODMAN"
    fleet.run("one", "rm /usr/local/bin/docker")


@pytest.mark.parametrize("trouble", ["command_away", "podman"])
def test_what_is_there_is_neither_replaced_nor_taken_for_nothing(
    fleet: ContainerHosts, request: pytest.FixtureRequest, trouble: str
) -> None:
    fleet.write_hosts({"one": {"ansible_become": True}})
    code = request.getfixturevalue(trouble)
    packages = fleet.run("one", "dpkg-query --show")
    for playbook in ("engine", "uninstall"):
        run = play("playbooks/{0}.yml".format(playbook), "-i", str(fleet.inventory), "-e", "confirm=yes")
        assert run.code == FAILED, run.output
        assert code in run.codes, run.output
    assert fleet.run("one", "dpkg-query --show") == packages


@pytest.mark.thorough
def test_a_stopped_engine_is_started_and_what_it_holds_is_gathered(fleet: ContainerHosts, clusters: None) -> None:
    """Nothing more is done here: the version is one that is nowhere, which is found out when the engine runs."""
    from ansible_collections.waent.fleet.tests.support import valid_variables

    fleet.write_hosts({"one": {"ansible_become": True, "wa_address": fleet.address("one")}})
    # Anything that can be connected to does for a database that is not read.
    reachable = {"wa_db_host": fleet.address("one"), "wa_db_port": 22, "wa_db_check_host": ""}
    fleet.stop_engine("one")
    variables = valid_variables.but(wa_version="v2.99.0", **reachable)
    try:
        run = uninstall(fleet, "a")
        assert run.code == FAILED and "ENGINE_STOPPED" in run.codes, run.output
        run = fleet.site(variables, "--check")
        assert run.code == OK, run.output
        assert "one: start Docker Engine (it is stopped; what follows is if it holds nothing)" in run.output
        assert fleet.state("one")["engine"] is False
        run = fleet.site({**variables, "wa_register": False})
        assert run.code == FAILED
        assert "Docker Engine was started on one; beyond that:" in run.output
        assert "IMAGE_MISSING" in run.codes, run.output
        assert fleet.run("one", "docker start a-db").strip() == "a-db"
    finally:
        fleet.start_engine("one")
