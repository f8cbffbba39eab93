# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network and the volumes of the nodes, read on a host as its containers have them."""

from __future__ import annotations

import socket

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.media_share import Limits
from ansible_collections.waent.fleet.plugins.module_utils._check.media_status import share_status
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import inventory_share
from ansible_collections.waent.fleet.plugins.module_utils._io import host, machine
from ansible_collections.waent.fleet.plugins.module_utils._state.mounts import read_mounts


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def reached(docker, target):
    return host.read_reached({"reach": [target], "timeout": 1.0}, docker)


def test_a_service_is_reached_where_containers_find_it(port):
    (found,) = reached(None, {"host": "db.invalid", "port": port, "address": "127.0.0.1"})
    assert found["reached"] and found["host"] == "db.invalid (127.0.0.1)"
    (found,) = reached(None, {"host": "127.0.0.1", "port": port, "address": None})
    assert found["reached"] and found["host"] == "127.0.0.1"


def test_the_host_itself_is_asked_by_the_address_that_containers_have_for_it(port, monkeypatch):
    target = {"host": "db", "port": port, "address": "host-gateway"}
    monkeypatch.setattr(machine, "interface_address", {"docker0": "127.0.0.1"}.get)
    assert reached("docker", target)[0]["reached"]
    assert reached(None, target) == [], "without an engine nobody knows it"


@pytest.mark.parametrize(
    ("there", "containers", "exists"), [(True, [], True), (True, ["certs-filler"], False), (False, [], False)]
)
def test_a_volume_that_is_still_being_filled_is_missing(there, containers, exists):
    def run(argv):
        return (0, '[{"Name": "certs", "Mountpoint": "/m"}]', "") if there else (1, "", "no such volume")

    params = {"container_settings": {"db_ssl": "certs"}}
    found = host._read_certificates(params, [{"name": name} for name in containers], run, "docker")
    assert found == {"source": "certs", "volume": True, "exists": exists}
    assert host._read_certificates({"container_settings": None}, [], run, "docker") is None


SHARE = {"server": "nas.example", "export": "/media", "path": "/srv/media"}
MOUNT = {"source": "nas.example:/media", "fstype": "nfs4", "opts": [], "read_only": False, "device": "0:51"}
MOUNTED = {"mount": MOUNT}
PROOF = {"age_seconds": 1.0, "run": "r", "hosts": ["h"]}


def error_named(name: str) -> dict[str, object]:
    return {"step": "read the last proof", "name": name, "message": "m", "seconds": None, "left_behind": 0}


@pytest.mark.parametrize("root", [True, False])
@pytest.mark.parametrize("name", ["NO_ANSWER", "ESTALE", "EIO", "EACCES", "EPERM", ""])
def test_a_proof_that_was_not_read_is_not_a_lacking_one(monkeypatch: pytest.MonkeyPatch, name: str, root: bool) -> None:
    """Rights alone say nothing: site.yml sets them, and reads before that."""
    error = error_named(name) if name else None
    read = {"proof": None if name else PROOF, "error": error}
    monkeypatch.setattr(host.os, "geteuid", lambda: 0 if root else 1000)
    monkeypatch.setattr(host.media_share, "look_if_reached", lambda *_a, **_k: {**MOUNTED, "error": None})
    monkeypatch.setattr(host.media_share, "read_proof", lambda *_a: read)
    seen = host.read_media_share(SHARE, 1000)
    assert seen is not None
    assert seen["error"] == (None if name in ("EACCES", "EPERM", "") else error)
    assert seen["proof"] == read["proof"]
    assert seen["denied"] == (1000 if name in ("EACCES", "EPERM") and not root else None)


def test_who_was_started_before_the_share_was_mounted_is_seen_without_a_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """So status.yml names nodes that write to the directory under the share, though the share itself is sound."""
    host_mounts = "1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:51 / /srv/media rw - nfs4 nas.example:/media rw\n"
    in_container = {
        "before": "9 0 8:1 /srv/media /usr/local/wamedia rw - ext4 /dev/sda rw\n",
        "after": "9 0 0:51 / /usr/local/wamedia rw - nfs4 nas.example:/media rw\n",
        "other": "9 0 8:1 /srv/data /data rw - ext4 /dev/sda rw\n",
    }
    ids = {"before": "3fa43fa43fa4"}
    spaces = [
        host.containers_mounts.Space(1, name, tuple(read_mounts(text)), ids.get(name, ""))
        for name, text in in_container.items()
    ]
    monkeypatch.setattr(host.containers_mounts, "spaces", lambda: spaces)
    monkeypatch.setattr(host.machine, "read_text", lambda path: host_mounts if "mountinfo" in path else "")
    monkeypatch.setattr(host.media_share, "look_if_reached", lambda *_a, **_k: {**MOUNTED, "error": None})
    monkeypatch.setattr(host.media_share, "read_proof", lambda *_a: {"proof": {**PROOF, "hosts": ["h"]}, "error": None})
    seen = host.read_media_share(SHARE, 0)
    assert seen is not None and (seen["apart"], seen["users"]) == (["before"], ["after"])
    assert seen["apart_containers"] == ["3fa43fa43fa4"]
    share, _problems = inventory_share(SHARE)
    assert share is not None
    found = share_status(share, {"h": {**seen, "exists": True}}, 0, Limits(0, 0))
    assert [problem.code for problem in found.problems] == ["MEDIA_SHARE_APART"]
    assert [row["proved"] for row in found.rows] == [False]


@pytest.mark.parametrize(("user", "shown", "unknown"), [(1000, True, False), (1000, False, True), (0, False, False)])
def test_a_node_whose_mounts_nobody_shows_is_not_one_that_has_the_share(
    monkeypatch: pytest.MonkeyPatch, user: int, shown: bool, unknown: bool
) -> None:
    """As where C(/proc) is mounted with hidepid, and the host is read as another user than root."""
    text = "9 0 0:51 / /usr/local/wamedia rw - nfs4 nas.example:/media rw\n"
    space = host.containers_mounts.Space(1, "java", tuple(read_mounts(text)), "3fa43fa43fa4")
    monkeypatch.setattr(host.containers_mounts, "spaces", lambda: [space] if shown else [])
    monkeypatch.setattr(host.os, "geteuid", lambda: user)
    monkeypatch.setattr(host.media_share, "look_if_reached", lambda *_a, **_k: {**MOUNTED, "error": None})
    monkeypatch.setattr(host.media_share, "read_proof", lambda *_a: {"proof": {**PROOF, "hosts": ["h"]}, "error": None})
    seen = host.read_media_share(SHARE, 0, [{"name": "wa-master-1", "id": "3fa4" * 16}])
    share, _problems = inventory_share(SHARE)
    assert seen is not None and share is not None
    found = share_status(share, {"h": {**seen, "exists": True}}, 0, Limits(0, 0))
    assert [problem.code for problem in found.problems] == (["MEDIA_SHARE_DENIED"] if unknown else [])
    assert [row["proved"] for row in found.rows] == [None if unknown else True]
    if unknown:
        assert "whether wa-master-1 have" not in found.problems[0].message
        assert "wa-master-1" in found.problems[0].message and "1000" in found.problems[0].message
