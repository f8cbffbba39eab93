# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a host: answers of the docker command, files of /proc, real directories and real sockets."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._desired.container import found_options
from ansible_collections.waent.fleet.plugins.module_utils._io import host as hostread
from ansible_collections.waent.fleet.plugins.module_utils._state.secrets import sealed

ID = "f" * 64
INSPECT = {
    "Id": ID,
    "Name": "/wa-coreapp-12",
    "Image": "sha256:core",
    "State": {"Status": "running"},
    "Config": {
        "Image": "docker.whatsapp.biz/coreapp:v2.19.4",
        "Env": ["WA_DB_PASSWORD=canary=db", "COREAPP_HOSTNAME=h1", "WA_APP_MULTICONNECT=1", "EMPTY"],
        "Labels": {
            "waent.fleet.cluster": "waent", "waent.fleet.kind": "coreapp", "waent.fleet.version": "v2.19.4",
        },
    },
    "HostConfig": {
        "PortBindings": {"6250/tcp": [{"HostIp": "127.0.0.1", "HostPort": "7000"}]},
        "RestartPolicy": {"Name": "unless-stopped"},
    },
    "NetworkSettings": {
        "Networks": {"waent": {}},
        "Ports": {
            "6250/tcp": [{"HostIp": "0.0.0.0", "HostPort": "6250"}, {"HostIp": "::", "HostPort": "6250"}],
            "53/udp": [{"HostPort": "53"}],
            "6251/tcp": None,
        },
    },
    "Mounts": [
        {"Destination": "/usr/local/wamedia", "Name": "whatsappMedia", "Source": "/var/lib/docker/volumes/x"},
        {"Destination": "/srv", "Source": "/host/srv"},
    ],
}  # fmt: skip


class Docker:
    """Answers of a docker command by its first words; what is not foreseen fails the test."""

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
    engine = hostread.read_engine(Docker(info=json.dumps(info)), "docker")
    assert (engine["answers"], engine["version"], engine["root"]) == (True, "20.10.24", "/data/docker")
    assert (engine["insecure_registries"], engine["proxy"]) == (["reg:5000"], "http://proxy:3128")


@pytest.fixture
def place(tmp_path):
    """A machine on which nothing of an engine is to be found yet."""
    (tmp_path / "net").mkdir()
    return hostread.Place(str(tmp_path), (str(tmp_path / "dockerd"),), lambda name: None, {})


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
    engine = hostread.read_engine(Docker(info=answer), "docker", place=place)
    assert engine["answers"] is False
    assert engine["state"] == state
    assert reason in engine["reason"]


def test_an_engine_that_is_stopped(place):
    Path(place.daemons[0]).touch()
    engine = hostread.read_engine(Docker(info=(1, "", "Is it running?")), "docker", place=place)
    assert (engine["state"], engine["daemon"]) == ("stopped", place.daemons[0])


def test_an_engine_that_never_ran_holds_nothing(place, tmp_path):
    Path(place.daemons[0]).touch()
    settings, root = tmp_path / "daemon.json", tmp_path / "root"
    settings.write_text(json.dumps({"data-root": str(root)}))

    def empty():
        return hostread.read_engine(Docker(info=(1, "", "EOF")), "docker", str(settings), place)["empty"]

    assert empty() is True
    root.mkdir()
    assert empty() is True
    (root / "image").mkdir()
    assert empty() is False


def test_daemons_of_this_machine_and_of_containers_on_it(place):
    some_process(place, 7, "containerd")
    some_process(place, 8, pids="8\t1")
    assert hostread.read_engine(Docker(), None, place=place)["state"] == "absent"
    some_process(place, 9)
    assert hostread.read_engine(Docker(), None, place=place)["state"] == "command_missing"
    assert hostread.read_engine(Docker(info=(1, "", "EOF")), "docker", place=place)["state"] == "silent"


def test_a_rootless_daemon(place):
    some_process(place, 9, uid=1000)
    assert hostread.read_engine(Docker(info=(1, "", "EOF")), "docker", place=place)["state"] == "rootless"


@pytest.mark.parametrize(("flags", "path", "state"), [
    ("00010000", "/run/docker.sock", "command_missing"), ("00000000", "/run/docker.sock", "absent"),
    ("00010000", "/run/other.sock", "absent"),
])  # fmt: skip
def test_a_socket_that_somebody_listens_on(place, flags, path, state):
    line = "0000000000000000: 00000002 00000000 {0} 0001 01 4711 {1}\n".format(flags, path)
    (Path(place.proc) / "net/unix").write_text("Num RefCount Protocol Flags Type St Inode Path\n" + line)
    assert hostread.read_engine(Docker(), None, place=place)["state"] == state


def test_packages_of_debian(place):
    """Removed ones are still listed, and those that dpkg never heard of are complained about."""
    answer = (1, "config-files docker.io\ninstalled docker-ce\n", "no packages found matching podman-docker")
    place = place._replace(find=lambda name: "/usr/bin/" + name if name == "dpkg-query" else None)
    docker = Docker(info=(1, "", "EOF"), __show=answer)
    assert hostread.read_engine(docker, "docker", place=place)["state"] == "stopped"
    only_removed = Docker(info=(1, "", "EOF"), __show=(1, "config-files docker.io\n", ""))
    assert hostread.read_engine(only_removed, "docker", place=place)["state"] == "absent"


def test_an_engine_that_was_unpacked_beside_its_command(place, tmp_path):
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker/dockerd").touch()
    engine = hostread.read_engine(Docker(info=(1, "", "EOF")), str(tmp_path / "docker/docker"), place=place)
    assert engine["state"] == "stopped"


def test_packages_of_others(place):
    place = place._replace(find=lambda name: "/usr/bin/" + name if name == "rpm" else None)
    docker = Docker(info=(1, "", "EOF"), __query=(3, "moby-engine\npackage docker.io is not installed\n", ""))
    assert hostread.read_engine(docker, "docker", place=place)["state"] == "stopped"


def test_an_engine_that_the_environment_or_a_context_names(place):
    info = {"ServerVersion": "27", "ClientInfo": {"Context": "default"}}
    elsewhere = place._replace(environ={"DOCKER_HOST": "tcp://build:2376"})
    assert hostread.read_engine(Docker(info=json.dumps(info)), "docker", place=elsewhere)["state"] == "remote"
    info["ClientInfo"]["Context"] = "build"
    docker = Docker(info=json.dumps(info), context_inspect="ssh://build\n")
    engine = hostread.read_engine(docker, "docker", place=place)
    assert (engine["state"], engine["reason"]) == ("remote", "context build, ssh://build")


def test_the_settings_of_an_engine_to_be_tell_where_it_will_do_without_tls(tmp_path, place):
    settings = tmp_path / "daemon.json"
    for text, names in [('{"insecure-registries": ["reg:5000"]}', ["reg:5000"]), ('{"a": 1}', []), ("no JSON", [])]:
        settings.write_text(text)
        assert hostread.read_engine(Docker(), None, str(settings), place)["insecure_registries"] == names


def test_no_engine_at_all(place):
    engine = hostread.read_engine(Docker(), None, place=place)
    assert (engine["state"], engine["answers"], engine["root"]) == ("absent", False, "/var/lib/docker")


def test_a_container_without_its_secrets():
    docker = Docker(ps=ID + "\n", inspect=json.dumps([INSPECT]))
    (found,) = hostread.read_containers(docker, "docker")
    assert found == {
        "name": "wa-coreapp-12", "id": ID, "image": "docker.whatsapp.biz/coreapp:v2.19.4", "image_id": "sha256:core",
        "state": "running", "cluster": "waent", "kind": "coreapp", "version": "v2.19.4", "index": 12,
        "product": "coreapp", "environment": {"COREAPP_HOSTNAME": "h1", "WA_APP_MULTICONNECT": "1"},
        "environment_differs": [], "ports": [{"host": 6250, "container": 6250}],
        "networks": ["waent"], "mounts": {"/usr/local/wamedia": "whatsappMedia", "/srv": "/host/srv"},
        "options": found_options(INSPECT),
    }  # fmt: skip
    assert found["options"]["published_ports"] == {"6250/tcp": "127.0.0.1:7000"}
    assert "canary" not in json.dumps(found)


def test_what_others_ask_of_the_engine_is_nobody_s_business():
    theirs = {**INSPECT, "Config": {**INSPECT["Config"], "Labels": {}, "Cmd": ["--password=canary"]}}
    assert hostread.describe_container(theirs)["options"] is None


def test_a_stopped_container_shows_the_ports_of_its_next_start():
    stopped = {**INSPECT, "State": {"Status": "exited"}}
    assert hostread.describe_container(stopped)["ports"] == [{"host": 7000, "container": 6250}]


def test_a_node_s_environment_is_compared_and_not_told():
    wanted = {"COREAPP_HOSTNAME": "h9", "WA_APP_MULTICONNECT": "1", "WA_DB_PASSWORD": "canary=new"}
    images = json.dumps([{"Id": "sha256:core", "Config": {"Env": ["EMPTY"]}}])
    docker = Docker(ps=ID, inspect=json.dumps([INSPECT]), image_inspect=images)
    seal = sealed({"coreapp": wanted}, "key")
    (found,) = hostread.read_containers(docker, "docker", "waent", seal)
    assert found["environment_differs"] == ["WA_DB_PASSWORD"]
    assert "canary" not in json.dumps(found)
    (found,) = hostread.read_containers(docker, "docker", "another", seal)
    assert found["environment_differs"] == []


def test_a_container_that_vanishes_while_we_look():
    gone = (1, json.dumps([INSPECT]), "Error: No such container: abc")
    assert len(hostread.read_containers(Docker(ps="abc " + ID, inspect=gone), "docker")) == 1
    assert hostread.read_containers(Docker(ps=""), "docker") == []


@pytest.mark.parametrize(
    ("image", "product"),
    [
        ("docker.whatsapp.biz/web:v2.19.4", "web"),
        ("reg:5000/mirror/coreapp:v2.53.1", "coreapp"),
        ("web:v2.19.4", None),
        ("reg/web:latest", None),
        ("reg/myweb:v2", None),
        (None, None),
    ],
)
def test_which_images_are_the_client_s(image, product):
    entry = {**INSPECT, "Config": {"Image": image}}
    assert hostread.describe_container(entry)["product"] == product


def test_volumes_of_the_engine():
    entries = [
        {"Name": "v1", "Labels": {"waent.fleet.cluster": "waent"}, "Mountpoint": "/v1/_data"},
        {"Name": "v2", "Labels": None, "Mountpoint": "/v2/_data"},
    ]
    assert hostread.read_volumes(Docker(volume_ls="v1 v2", volume_inspect=json.dumps(entries)), "docker") == [
        {"name": "v1", "cluster": "waent", "path": "/v1/_data"},
        {"name": "v2", "cluster": None, "path": "/v2/_data"},
    ]
    assert hostread.read_volumes(Docker(volume_ls=""), "docker") == []


@pytest.mark.parametrize(("words", "read"), [
    ("ps", hostread.read_containers), ("network_ls", hostread.read_networks), ("volume_ls", hostread.read_volumes),
])  # fmt: skip
def test_an_engine_that_does_not_list_what_it_has_is_not_empty(words, read):
    with pytest.raises(hostread.EngineLost, match="is the docker daemon running"):
        read(Docker(**{words: (1, "", "is the docker daemon running?")}), "docker")


SCRIPT = "/opt/whatsapp/bin/launch_within_docker.sh"


@pytest.mark.parametrize("image", ["reg/mine:1", "sha256:0123", None])
@pytest.mark.parametrize(
    "command",
    [
        {"Cmd": ["/opt/whatsapp/bin/wait_on_mysql.sh", SCRIPT]},
        {"Entrypoint": ["/opt/whatsapp/bin/wait_on_postgres.sh"], "Cmd": [SCRIPT]},
        {"Entrypoint": ["/bin/sh", "-c"], "Cmd": ["exec " + SCRIPT]},
        {"Entrypoint": [SCRIPT], "Cmd": None},
    ],
)
@pytest.mark.parametrize(("env", "product"), [(["WEBAPP_HOSTNAME=h"], "web"), (["WA_DB_PASSWORD=canary"], "coreapp")])
def test_a_client_under_another_name_is_known_by_what_it_runs(image, command, env, product):
    entry = {**INSPECT, "Config": {"Image": image, "Env": env, **command}}
    assert hostread.describe_container(entry)["product"] == product


@pytest.mark.parametrize("words", [None, [], ["mysqld"], ["/opt/other/bin/launch_within_docker.sh"]])
def test_what_runs_something_else_is_none_of_the_client_s(words):
    entry = {**INSPECT, "Config": {"Image": "nginx:1", "Cmd": words, "Env": ["WA_DB_HOSTNAME=db"]}}
    assert hostread.describe_container(entry)["product"] is None


def test_images_networks_volumes():
    docker = Docker(
        **{"image inspect --format {{.Id}} here": "sha256:1\n"},
        **{"image inspect --format {{.Id}} gone": (1, "", "No such image")},
        network_ls="a b",
        network_inspect=json.dumps([
            {
                "Name": "waent", "Id": "i1", "Labels": {"waent.fleet.cluster": "waent"},
                "IPAM": {"Config": [{"Subnet": "172.23.0.0/16"}, {}]}, "Containers": {ID: {"Name": "wa-coreapp-12"}},
            },
            {"Name": "host", "IPAM": {"Config": None}},
        ]),
        volume_inspect=(1, "[]", "no such volume"),
    )  # fmt: skip
    assert hostread.read_local_images(docker, "docker", ["gone", "here", "here"]) == {"here": "sha256:1", "gone": None}
    assert hostread.read_networks(docker, "docker") == [
        {
            "name": "waent",
            "id": "i1",
            "cluster": "waent",
            "subnets": ["172.23.0.0/16"],
            "endpoints": ["wa-coreapp-12"],
        },
        {"name": "host", "id": None, "cluster": None, "subnets": [], "endpoints": []},
    ]
    assert hostread.read_volume(docker, "docker", "m") is None
    local = json.dumps([{"Mountpoint": "/m", "Options": None}])
    assert hostread.read_volume(Docker(volume=local), "docker", "m") == {"path": "/m", "remote": False}
    nfs = json.dumps([{"Mountpoint": "/m", "Options": {"type": "nfs", "device": ":/share"}}])
    assert hostread.read_volume(Docker(volume=nfs), "docker", "m") == {"path": "/m", "remote": True}


# Stores


def test_a_directory_that_can_be_written_stays_as_it_was(tmp_path):
    before = tmp_path.stat().st_mtime_ns
    mount = hostread.read_mount(str(tmp_path), None, os.geteuid())
    assert (mount["exists"], mount["directory"], mount["writable"], mount["volume"]) == (True, True, True, False)
    assert mount["free_mb"] > 0
    assert mount["filesystem"]
    assert list(tmp_path.iterdir()) == []
    assert tmp_path.stat().st_mtime_ns == before


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_a_directory_that_another_user_cannot_write(tmp_path):
    for parent in [tmp_path, *tmp_path.parents][:3]:
        parent.chmod(0o755)
    mount = hostread.read_mount(str(tmp_path), None, 65534)
    assert mount["writable"] is False
    assert mount["reason"] == "Permission denied"
    tmp_path.chmod(0o777)
    assert hostread.read_mount(str(tmp_path), None, 65534)["writable"] is True
    assert os.geteuid() == 0


def test_only_root_can_answer_for_others(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert hostread.writable_by(str(tmp_path), 0) == (None, "only root can test for user id 0")


def test_a_file_is_no_store(tmp_path):
    (tmp_path / "file").write_text("x")
    mount = hostread.read_mount(str(tmp_path / "file"), None, os.geteuid())
    assert (mount["directory"], mount["writable"], mount["reason"]) == (False, False, "Not a directory")


def test_stores_that_are_not_there_yet(tmp_path):
    path = hostread.read_mount(str(tmp_path / "a/b"), None, 0)
    assert (path["exists"], path["writable"]) == (False, None)
    volume = hostread.read_mount("media", None, 0)
    assert (volume["exists"], volume["volume"], volume["path"]) == (False, True, None)
    assert not (tmp_path / "a").exists()


def test_a_volume_that_docker_mounts_itself_is_not_tried(tmp_path):
    mount = hostread.read_mount("media", {"path": str(tmp_path), "remote": True}, 0)
    assert (mount["exists"], mount["writable"]) == (True, None)
    assert "when a container starts" in mount["reason"]


def test_the_longest_mount_point_wins(tmp_path):
    (tmp_path / "self").mkdir()
    (tmp_path / "self/mountinfo").write_text(
        "1 0 0:1 / / rw - ext4 /dev/a rw\n"
        "2 1 0:2 / /srv rw shared:1 - xfs /dev/b rw\n"
        "3 1 0:3 / /srv/wa\\040media rw - nfs4 s:/ rw\n"
        "4 1 0:4 / /srv2 rw - tmpfs t rw\nbroken\n"
    )
    kinds = {path: hostread._filesystem(path, str(tmp_path)) for path in ("/srv/wa media/x", "/srv/wa", "/srv22")}
    assert kinds == {"/srv/wa media/x": "nfs4", "/srv/wa": "xfs", "/srv22": "ext4"}


def test_free_space_of_what_does_not_exist_is_that_of_its_parent(tmp_path):
    assert hostread.free_mb(str(tmp_path / "a/b/c")) == pytest.approx(hostread.free_mb(str(tmp_path)), abs=500)


def test_memory(tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal:  2048000 kB\nMemFree: 1 kB\nMemAvailable:   1024000 kB\n")
    assert hostread.read_memory(str(tmp_path)) == {"total_mb": 2000, "available_mb": 1000}
    assert hostread.read_memory(str(tmp_path / "none")) == {"total_mb": None, "available_mb": None}


# Ports

TCP = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def line(address, port, state, inode):
    return " 0: {0}:{1:04X} 00000000:0000 {2} 00000000:00000000 00:00000000 00000000 0 0 {3} 1 0 100\n".format(
        address, port, state, inode
    )


def process(proc, pid, name, inode, cgroup=""):
    (proc / str(pid) / "fd").mkdir(parents=True)
    (proc / str(pid) / "comm").write_text(name + "\n")
    (proc / str(pid) / "cgroup").write_text(cgroup)
    (proc / str(pid) / "fd" / "3").symlink_to("socket:[{0}]".format(inode))


def test_who_listens(tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "net/tcp").write_text(
        TCP
        + line("0100007F", 80, "0A", 11)
        + line("00000000", 81, "01", 12)  # a connection, not a listener
        + line("00000000", 6250, "0A", 13)
        + line("00000000", 9100, "0A", 14)
    )
    (tmp_path / "net/tcp6").write_text(TCP + line("0" * 32, 8080, "0A", 15))
    process(tmp_path, 300, "nginx", 11)
    process(tmp_path, 301, "docker-proxy", 13)
    process(tmp_path, 302, "java", 15, "0::/system.slice/docker-{0}.scope\n".format(ID))
    published = {
        "name": "wa-coreapp-1",
        "id": "1" * 64,
        "state": "running",
        "ports": [{"host": 6250, "container": 6250}],
    }
    silent = {"name": "noproxy", "id": "2" * 64, "state": "running", "ports": [{"host": 7000, "container": 1}]}
    stopped = {"name": "off", "id": "3" * 64, "state": "exited", "ports": [{"host": 7001, "container": 1}]}
    hosted = {"name": "on-host-network", "id": ID, "state": "running", "ports": []}
    assert hostread.read_listeners([published, silent, stopped, hosted], str(tmp_path)) == [
        {"port": 80, "container": None, "process": "nginx", "pid": 300},
        {"port": 6250, "container": "wa-coreapp-1", "process": None, "pid": None},
        {"port": 7000, "container": "noproxy", "process": None, "pid": None},
        {"port": 8080, "container": "on-host-network", "process": "java", "pid": 302},
        {"port": 9100, "container": None, "process": None, "pid": None},
    ]


def test_a_real_socket_of_this_very_process():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        (found,) = [entry for entry in hostread.read_listeners([]) if entry["port"] == port]
        assert found["pid"] == os.getpid()
        assert hostread.reach("127.0.0.1", port, 2.0)["reached"] is True
    refused = hostread.reach("127.0.0.1", port, 2.0)
    assert refused["reached"] is False
    assert "refused" in refused["reason"]
