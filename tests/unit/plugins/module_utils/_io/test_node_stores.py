# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading where nodes keep media and data: real directories, and file systems that do not answer."""

from __future__ import annotations

import errno
import os
import time

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io import bounded, node_stores

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")


def read(path, uid=None, **more):
    return node_stores.read_store(str(path), None, os.geteuid() if uid is None else uid, **more)


def test_a_directory_that_can_be_written_stays_as_it_was(tmp_path):
    before = tmp_path.stat().st_mtime_ns
    store = read(tmp_path)
    assert (store["exists"], store["directory"], store["writable"], store["volume"]) == (True, True, True, False)
    assert store["free_mb"] > 0 and store["filesystem"] and store["silent"] is None
    assert list(tmp_path.iterdir()) == []
    assert tmp_path.stat().st_mtime_ns == before


@ROOT_ONLY
def test_a_directory_that_another_user_cannot_write(tmp_path):
    for parent in [tmp_path, *tmp_path.parents][:3]:
        parent.chmod(0o755)
    store = read(tmp_path, 65534)
    assert (store["writable"], store["reason"]) == (False, "Permission denied")
    tmp_path.chmod(0o777)
    assert read(tmp_path, 65534)["writable"] is True
    assert os.geteuid() == 0


def test_only_root_can_answer_for_others(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    store = read(tmp_path, 0)
    assert (store["writable"], store["reason"]) == (None, "only root can test for user id 0")


def test_whoever_is_no_root_answers_for_herself_whatever_her_group(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "getegid", lambda: 100)
    assert read(tmp_path, 1000)["writable"] is True


def test_a_file_is_no_store(tmp_path):
    (tmp_path / "file").write_text("x")
    store = read(tmp_path / "file")
    assert (store["directory"], store["writable"], store["reason"]) == (False, False, "Not a directory")


def test_stores_that_are_not_there_yet(tmp_path):
    path = read(tmp_path / "a/b", 0)
    assert (path["exists"], path["writable"]) == (False, None)
    volume = node_stores.read_store("media", None, 0)
    assert (volume["exists"], volume["volume"], volume["path"]) == (False, True, None)
    assert not (tmp_path / "a").exists()


def test_a_volume_is_read_where_it_lies(tmp_path):
    store = node_stores.read_store("media", {"path": str(tmp_path)}, os.geteuid())
    assert (store["volume"], store["path"], store["writable"]) == (True, str(tmp_path), True)


def test_a_volume_that_docker_mounts_itself_is_not_tried(tmp_path):
    store = node_stores.read_store("media", {"path": str(tmp_path), "remote": True}, 0)
    assert (store["exists"], store["writable"]) == (True, None)
    assert "when a container starts" in store["reason"]


def test_the_longest_mount_point_wins(tmp_path):
    (tmp_path / "self").mkdir()
    inner = tmp_path / "wa media" / "x"
    inner.mkdir(parents=True)
    line = "{0} {3} 0:{0} / {1} rw - {2} d rw\n"
    points = (("/", "ext4"), (tmp_path, "xfs"), (str(tmp_path / "wa media").replace(" ", "\\040"), "nfs4"))
    text = "".join(line.format(number, path, kind, number - 1) for number, (path, kind) in enumerate(points, 1))
    (tmp_path / "self/mountinfo").write_text(text + "broken\n")
    assert [read(path, proc=str(tmp_path))["filesystem"] for path in (inner, tmp_path)] == ["nfs4", "xfs"]


# --- a file server that is gone --------------------------------------------------------------------------------------


def hang(*_arguments, **_more):
    time.sleep(60)


@pytest.mark.parametrize(("call", "step"), [("stat", "stat"), ("statvfs", "statvfs"), ("open", "write")])
def test_what_does_not_answer_is_not_waited_for(tmp_path, monkeypatch, call, step):
    """Whichever question it is that the server does not answer, and nobody is left waiting."""
    monkeypatch.setattr(node_stores, "os", Hanging(call))
    monkeypatch.setattr(node_stores, "free_mb", lambda path: Hanging(call).statvfs(path) and 1)
    began = time.monotonic()
    store = read(tmp_path, seconds=0.3)
    assert time.monotonic() - began < 10
    assert (store["exists"], store["silent"], store["reason"]) == (True, step, "no answer within 0.3 s")
    assert store["writable"] is None
    assert bounded.left_behind(str(tmp_path), 0.0) == []


class Hanging:
    """The module os, of which one call never returns."""

    def __init__(self, call):
        self._call = call

    def __getattr__(self, name):
        return hang if name == self._call else getattr(os, name)


def test_what_an_earlier_run_waits_for_is_not_asked_again(tmp_path):
    path = str(tmp_path)
    held = bounded.run(hang, path, 0.2, kill=lambda _process, _signal: None)
    assert held.error["left_behind"] == 1
    process = bounded.left_behind(path, 0.0)[0]
    try:
        refused = bounded.run(hang, path, 0.1, kill=lambda _process, _signal: None)
        store = {"silent": None, **node_stores._unanswered(refused.error)}
        assert (store["silent"], store["reason"]) == ("stat", "a process of an earlier run still waits there")
    finally:
        os.kill(process, 9)
        os.waitpid(process, 0)


def test_a_stale_handle_is_said_and_not_called_missing(tmp_path, monkeypatch):
    class Stale(Hanging):
        def stat(self, _path):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    monkeypatch.setattr(node_stores, "os", Stale(""))
    store = read(tmp_path)
    assert (store["exists"], store["writable"], store["reason"]) == (True, False, os.strerror(errno.ESTALE))
