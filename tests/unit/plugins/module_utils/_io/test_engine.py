# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a host: answers of the docker command, files of /proc, real directories and real sockets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._desired.container import found_options
from ansible_collections.waent.fleet.plugins.module_utils._io import engine as reader
from ansible_collections.waent.fleet.plugins.module_utils._io.command import NoAnswer
from ansible_collections.waent.fleet.plugins.module_utils._state.secrets import sealed
from ansible_collections.waent.fleet.tests.support.docker_inspect import ID, INSPECT


class Docker:
    """Answers of a docker command by its first words; any other call fails the test."""

    def __init__(self, **answers):
        # A word that begins with two dashes is written with two underscores.
        self.answers = {key.replace("__", "--").replace("_", " "): value for key, value in answers.items()}
        self.calls = []

    def __call__(self, argv):
        self.calls.append(argv)
        words = " ".join(argv[1:])
        key = next(key for key in sorted(self.answers, key=len, reverse=True) if words.startswith(key))
        answer = self.answers[key]
        return answer if isinstance(answer, tuple) else (0, answer, "")


def test_an_engine_that_answers():
    info = {
        "ServerVersion": "20.10.24", "DockerRootDir": "/data/docker", "HttpsProxy": "http://proxy:3128",
        "RegistryConfig": {"IndexConfigs": {"docker.io": {"Secure": True}, "reg:5000": {"Secure": False}}},
    }  # fmt: skip
    engine = reader.read_engine(Docker(info=json.dumps(info)), "docker")
    assert (engine["answers"], engine["version"], engine["root"]) == (True, "20.10.24", "/data/docker")
    assert (engine["insecure_registries"], engine["proxy"]) == (["reg:5000"], "http://proxy:3128")


@pytest.mark.parametrize(
    ("states", "last", "waited"),
    [
        (["answers"], "answers", 0),
        (["stopped", "silent", "answers"], "answers", 1.0),
        (["stopped", "command_missing", "answers"], "command_missing", 0.5),
        (["silent"] * 9, "silent", 2.25),
        (["absent", "answers"], "absent", 0),
    ],
)
def test_an_engine_is_given_time_to_start_and_no_other(states, last, waited):
    left, slept = list(states), []
    engine = reader.await_engine(
        None,
        "docker",
        2.25,
        read=lambda run, command: {"state": left.pop(0)},
        clock=lambda: sum(slept),
        sleep=slept.append,
    )
    assert (engine["state"], sum(slept)) == (last, waited)


@pytest.fixture
def place(tmp_path):
    """A machine on which nothing of an engine is to be found yet."""
    (tmp_path / "net").mkdir()
    return reader.Place(str(tmp_path), (str(tmp_path / "dockerd"),), lambda name: None, {})


def some_process(place, pid, name="dockerd", uid=0, pids=None):
    directory = Path(place.proc) / str(pid)
    directory.mkdir()
    (directory / "comm").write_text(name + "\n")
    status = "Name:\t{0}\nUid:\t{1}\t{1}\t{1}\t{1}\nNSpid:\t{2}\n".format(name, uid, pids or pid)
    (directory / "status").write_text(status)


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        ((0, json.dumps({"ServerErrors": ["Cannot connect to the Docker daemon"]}), ""), "absent", "docker"),
        ((0, json.dumps({"ServerErrors": ["Got permission denied while trying"]}), ""), "denied", "permission denied"),
        ((1, "", "first line\nGot permission denied"), "denied", "Got permission denied"),
        ((1, "", ""), "absent", "docker"),
        ((0, json.dumps({"host": {"buildahVersion": "1"}}), ""), "podman", "docker info"),
    ],
)
def test_an_engine_that_does_not_answer(place, answer, state, reason):
    engine = reader.read_engine(Docker(info=answer), "docker", place=place)
    assert engine["answers"] is False
    assert engine["state"] == state
    assert reason in engine["reason"]


def test_an_engine_that_is_stopped(place):
    Path(place.daemons[0]).touch()
    engine = reader.read_engine(Docker(info=(1, "", "Is it running?")), "docker", place=place)
    assert (engine["state"], engine["daemon"]) == ("stopped", place.daemons[0])


def test_an_engine_that_never_ran_holds_nothing(place, tmp_path):
    Path(place.daemons[0]).touch()
    settings, root = tmp_path / "daemon.json", tmp_path / "root"
    settings.write_text(json.dumps({"data-root": str(root)}))

    def empty():
        return reader.read_engine(Docker(info=(1, "", "EOF")), "docker", str(settings), place)["empty"]

    assert empty() is True
    root.mkdir()
    assert empty() is True
    (root / "image").mkdir()
    assert empty() is False


def test_daemons_of_this_machine_and_of_containers_on_it(place):
    some_process(place, 7, "containerd")
    some_process(place, 8, pids="8\t1")
    assert reader.read_engine(Docker(), None, place=place)["state"] == "absent"
    some_process(place, 9)
    assert reader.read_engine(Docker(), None, place=place)["state"] == "command_missing"
    assert reader.read_engine(Docker(info=(1, "", "EOF")), "docker", place=place)["state"] == "silent"


def test_a_rootless_daemon(place):
    some_process(place, 9, uid=1000)
    assert reader.read_engine(Docker(info=(1, "", "EOF")), "docker", place=place)["state"] == "rootless"


@pytest.mark.parametrize(("flags", "path", "state"), [
    ("00010000", "/run/docker.sock", "command_missing"), ("00000000", "/run/docker.sock", "absent"),
    ("00010000", "/run/other.sock", "absent"),
])  # fmt: skip
def test_a_socket_that_somebody_listens_on(place, flags, path, state):
    line = "0000000000000000: 00000002 00000000 {0} 0001 01 4711 {1}\n".format(flags, path)
    (Path(place.proc) / "net/unix").write_text("Num RefCount Protocol Flags Type St Inode Path\n" + line)
    assert reader.read_engine(Docker(), None, place=place)["state"] == state


def test_packages_of_debian(place):
    """Removed ones are still listed, and those that dpkg never heard of are complained about."""
    answer = (1, "config-files docker.io\ninstalled docker-ce\n", "no packages found matching podman-docker")
    place = place._replace(find=lambda name: "/usr/bin/" + name if name == "dpkg-query" else None)
    docker = Docker(info=(1, "", "EOF"), __show=answer)
    assert reader.read_engine(docker, "docker", place=place)["state"] == "stopped"
    only_removed = Docker(info=(1, "", "EOF"), __show=(1, "config-files docker.io\n", ""))
    assert reader.read_engine(only_removed, "docker", place=place)["state"] == "absent"


def test_an_engine_that_was_unpacked_beside_its_command(place, tmp_path):
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker/dockerd").touch()
    engine = reader.read_engine(Docker(info=(1, "", "EOF")), str(tmp_path / "docker/docker"), place=place)
    assert engine["state"] == "stopped"


def test_packages_of_others(place):
    place = place._replace(find=lambda name: "/usr/bin/" + name if name == "rpm" else None)
    docker = Docker(info=(1, "", "EOF"), __query=(3, "moby-engine\npackage docker.io is not installed\n", ""))
    assert reader.read_engine(docker, "docker", place=place)["state"] == "stopped"


def test_an_engine_that_the_environment_or_a_context_names(place):
    info = {"ServerVersion": "27", "ClientInfo": {"Context": "default"}}
    elsewhere = place._replace(environ={"DOCKER_HOST": "tcp://build:2376"})
    assert reader.read_engine(Docker(info=json.dumps(info)), "docker", place=elsewhere)["state"] == "remote"
    info["ClientInfo"]["Context"] = "build"
    docker = Docker(info=json.dumps(info), context_inspect="ssh://build\n")
    engine = reader.read_engine(docker, "docker", place=place)
    assert (engine["state"], engine["reason"]) == ("remote", "context build, ssh://build")


def test_the_settings_of_an_engine_to_be_show_where_it_will_do_without_tls(tmp_path, place):
    settings = tmp_path / "daemon.json"
    for text, names in [('{"insecure-registries": ["reg:5000"]}', ["reg:5000"]), ('{"a": 1}', []), ("no JSON", [])]:
        settings.write_text(text)
        assert reader.read_engine(Docker(), None, str(settings), place)["insecure_registries"] == names


def test_no_engine_at_all(place):
    engine = reader.read_engine(Docker(), None, place=place)
    assert (engine["state"], engine["answers"], engine["root"]) == ("absent", False, "/var/lib/docker")


def test_a_container_without_its_secrets():
    docker = Docker(ps=ID + "\n", inspect=json.dumps([INSPECT]))
    (found,) = reader.read_containers(docker, "docker")
    assert found == {
        "name": "wa-coreapp-12", "id": ID, "image": "docker.whatsapp.biz/coreapp:v2.19.4", "image_id": "sha256:core",
        "state": "running", "exit_code": None, "cluster": "waent", "kind": "coreapp", "version": "v2.19.4", "index": 12,
        "product": "coreapp", "environment": {"COREAPP_HOSTNAME": "h1", "WA_APP_MULTICONNECT": "1"},
        "environment_differs": [], "ports": [{"host": 6250, "container": 6250}],
        "networks": ["waent"], "mounts": {"/usr/local/wamedia": "whatsappMedia", "/srv": "/host/srv"},
        "names": {
            "hostname": "", "mode": "", "aliases": {"waent": []}, "links": {}, "extra_hosts": {},
            "bound": ["127.0.0.1"],
        },
        "options": found_options(INSPECT),
    }  # fmt: skip
    assert found["options"]["published_ports"] == {"6250/tcp": "127.0.0.1:7000"}
    assert "canary" not in json.dumps(found)


def test_a_node_s_environment_is_compared_and_not_shown():
    desired = {"COREAPP_HOSTNAME": "h9", "WA_APP_MULTICONNECT": "1", "WA_DB_PASSWORD": "canary=new"}
    images = json.dumps([{"Id": "sha256:core", "Config": {"Env": ["EMPTY"]}}])
    docker = Docker(ps=ID, inspect=json.dumps([INSPECT]), image_inspect=images)
    seal = sealed({"coreapp": desired}, "key")
    (found,) = reader.read_containers(docker, "docker", "waent", seal)
    assert found["environment_differs"] == ["WA_DB_PASSWORD"]
    assert "canary" not in json.dumps(found)
    (found,) = reader.read_containers(docker, "docker", "another", seal)
    assert found["environment_differs"] == []


def test_a_container_that_vanishes_while_we_look():
    gone = (1, json.dumps([INSPECT]), "Error: No such container: abc")
    assert len(reader.read_containers(Docker(ps="abc " + ID, inspect=gone), "docker")) == 1
    assert reader.read_containers(Docker(ps=""), "docker") == []


def test_volumes_of_the_engine():
    entries = [
        {"Name": "v1", "Labels": {"waent.fleet.cluster": "waent"}, "Mountpoint": "/v1/_data"},
        {"Name": "v2", "Labels": None, "Mountpoint": "/v2/_data"},
    ]
    assert reader.read_volumes(Docker(volume_ls="v1 v2", volume_inspect=json.dumps(entries)), "docker") == [
        {"name": "v1", "cluster": "waent", "path": "/v1/_data"},
        {"name": "v2", "cluster": None, "path": "/v2/_data"},
    ]
    assert reader.read_volumes(Docker(volume_ls=""), "docker") == []


def test_volumes_without_a_name_are_nobodys_and_not_asked_for():
    """They are there by the hundred, and what is read of every host goes through one machine's memory."""
    assert reader.read_volumes(Docker(volume_ls="{0} {1}".format("a" * 64, "0" * 64)), "docker") == []
    docker = Docker(volume_ls="v1 " + "a" * 64, volume_inspect=json.dumps([{"Name": "v1"}]))
    assert [one["name"] for one in reader.read_volumes(docker, "docker")] == ["v1"]


@pytest.mark.parametrize(("words", "read"), [
    ("ps", reader.read_containers), ("network_ls", reader.read_networks), ("volume_ls", reader.read_volumes),
])  # fmt: skip
def test_an_engine_that_does_not_list_what_it_has_is_not_empty(words, read):
    with pytest.raises(reader.EngineLost, match="is the docker daemon running"):
        read(Docker(**{words: (1, "", "is the docker daemon running?")}), "docker")


@pytest.mark.parametrize(
    ("answer", "driver", "log", "unread"),
    [
        ((0, "2026-11-29T19:00:00Z begun\n", ""), "gelf", ["begun"], ""),
        ((0, "", ""), "json-file", [], ""),
        ((1, "", "configured logging driver does not support reading"), "gelf", [], "its log driver is gelf"),
        ((1, "", "no such file"), "json-file", [], "docker logs failed"),
    ],
)
def test_a_log_that_cannot_be_read_is_not_empty(answer, driver, log, unread):
    entry = {"Id": "1", "State": {"Status": "exited", "ExitCode": 1}, "HostConfig": {"LogConfig": {"Type": driver}}}
    docker = Docker(ps="wa-db", inspect=json.dumps([entry]), logs=answer)
    (node,) = reader.read_nodes(docker, "docker", ["wa-db"], 9)
    assert node["log"] == log
    assert node["log_unread"].startswith(unread) and bool(node["log_unread"]) == bool(unread)


READERS = [
    ("ps inspect", reader.read_containers),
    ("network_ls network_inspect", reader.read_networks),
    ("volume_ls volume_inspect", reader.read_volumes),
    ("volume_inspect", lambda run, command: reader.read_volume(run, command, "media")),
    ("image_inspect", lambda run, command: reader.read_local_images(run, command, ["web:v2.19.4", "other"])),
    ("ps inspect", lambda run, command: reader.read_nodes(run, command, ["wa-db"], 9)),
]


@pytest.mark.parametrize(("words", "read"), READERS)
@pytest.mark.parametrize("said", ["Cannot connect to the Docker daemon. Is the docker daemon running?", "", "EOF"])
def test_an_engine_that_goes_away_between_two_questions_has_not_lost_everything(words, read, said):
    *lists, asked = words.split()
    answers = {**dict.fromkeys(lists, "wa-db"), asked: (1, "[]\n", said)}
    with pytest.raises(reader.EngineLost, match=said or "exit code 1"):
        read(Docker(**answers), "docker")


@pytest.mark.parametrize(("silent", "read"), [(word, read) for words, read in READERS for word in words.split()])
def test_a_command_that_gives_no_answer_is_not_one_that_says_nothing(silent, read):
    begins = silent.replace("_", " ")

    def run(argv):
        if " ".join(argv[1:]).startswith(begins):
            raise NoAnswer("docker {0}: no answer within 25 s".format(begins))
        return 0, "wa-db\n", ""

    with pytest.raises(NoAnswer, match=begins):
        read(run, "docker")


def test_an_engine_that_hangs_is_silent(place):
    some_process(place, 7)

    def run(argv):
        if argv[1] == "info":
            raise NoAnswer("docker info: no answer within 25 s")
        return 0, "", ""

    engine = reader.read_engine(run, "docker", place=place)
    assert (engine["state"], engine["reason"]) == ("silent", "docker info: no answer within 25 s")


def test_images_that_are_all_there_are_asked_for_at_once():
    labels = {"EXPIRES_ON": "2026-03-01"}
    entries = [{"Id": "sha256:1", "Created": "2026-01-01T00:00:00Z"}, {"Id": "sha256:2", "Config": {"Labels": labels}}]
    docker = Docker(**{"image inspect here there": json.dumps(entries)})
    found = reader.read_local_images(docker, "docker", ["there", "here", "there"])
    assert found == {
        "here": {"id": "sha256:1", "created": "2026-01-01T00:00:00Z", "expires_on": None},
        "there": {"id": "sha256:2", "created": None, "expires_on": "2026-03-01"},
    }
    assert len(docker.calls) == 1
    assert reader.read_local_images(docker, "docker", []) == {}


def test_images_networks_volumes():
    docker = Docker(
        **{"image inspect here": json.dumps([{"Id": "sha256:1"}])},
        **{"image inspect gone": (1, "[]", "No such image")},
        network_ls="a b",
        network_inspect=json.dumps([
            {
                "Name": "waent", "Id": "i1", "Labels": {"waent.fleet.cluster": "waent"},
                "IPAM": {"Config": [{"Subnet": "172.23.0.0/16"}, {}]}, "Driver": "bridge",
                "Containers": {ID: {"Name": "wa-coreapp-12", "IPv4Address": "172.23.0.5/16", "IPv6Address": ""}},
            },
            {"Name": "host", "IPAM": {"Config": None}},
        ]),
        volume_inspect=(1, "[]", "no such volume"),
    )  # fmt: skip
    assert reader.read_local_images(docker, "docker", ["gone", "here", "here"]) == {
        "here": {"id": "sha256:1", "created": None, "expires_on": None},
        "gone": None,
    }
    assert reader.read_networks(docker, "docker") == [
        {
            "name": "waent",
            "id": "i1",
            "cluster": "waent",
            "driver": "bridge",
            "addresses": ["172.23.0.5"],
            "subnets": ["172.23.0.0/16"],
            "endpoints": ["wa-coreapp-12"],
        },
        {"name": "host", "id": None, "cluster": None, "driver": None, "subnets": [], "endpoints": [], "addresses": []},
    ]
    assert reader.read_volume(docker, "docker", "m") is None
    local = json.dumps([{"Mountpoint": "/m", "Options": None}])
    assert reader.read_volume(Docker(volume=local), "docker", "m") == {"path": "/m", "remote": False}
    nfs = json.dumps([{"Mountpoint": "/m", "Options": {"type": "nfs", "device": ":/share"}}])
    assert reader.read_volume(Docker(volume=nfs), "docker", "m") == {"path": "/m", "remote": True}
