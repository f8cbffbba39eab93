# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_media_copy where no server is needed. That it copies onto a share: tests/integration/media."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.modules import wa_media_copy
from ansible_collections.waent.fleet.tests.support.scripted_api import run_module

SHARE = {"server": "nas-1", "export": "/media", "path": "/srv/share", "name": "h1"}
MOUNT = {"source": "nas-1:/media", "fstype": "nfs4", "opts": ["vers=4.2"], "read_only": False}
MOUNTED = {
    "mount": MOUNT, "exists": True, "directory": True, "empty": None, "hidden": [], "error": None, "free_mb": 1,
    "free_inodes": 0,
}  # fmt: skip


class Engine:
    """A docker command: what it says of volumes."""

    def __init__(self, volumes, answers=True):
        self.volumes, self.answers = volumes, answers

    def __call__(self, argv):
        if argv[1] == "info":
            return (0, "20.10", "") if self.answers else (1, "", "Cannot connect")
        volume = self.volumes.get(argv[-1])
        return (0, json.dumps([volume]), "") if volume else (1, "[]", "no such volume")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A volume with a file, and a directory that is taken for the share."""
    (tmp_path / "volume").mkdir()
    (tmp_path / "share").mkdir()
    (tmp_path / "volume" / "a").write_bytes(b"one")
    monkeypatch.setattr(wa_media_copy.share_io, "look_if_reached", lambda *_given, **_more: MOUNTED)
    return tmp_path


def answer(place, source="v", engine=None, docker="docker", check_mode=False, **changes):
    engine = engine or Engine({"v": {"Mountpoint": str(place / "volume")}})
    params = {
        **{name: option.get("default") for name, option in wa_media_copy.ARGUMENTS.items()},
        **SHARE, "source": source, "path": str(place / "share"), "container_uid": os.geteuid(),
        "container_gid": os.getegid(), "timeout": 10.0, **changes,
    }  # fmt: skip
    return wa_media_copy.answer_of(params, engine, docker, check_mode)


def codes(result):
    return [problem["code"] for problem in result["problems"]]


def test_a_volume_is_copied_once(place):
    planned = answer(place, check_mode=True)
    assert (planned["changed"], list((place / "share").iterdir())) == (True, [])
    first = answer(place)
    assert (first["changed"], first["copied"]["copied"], codes(first)) == (True, 1, [])
    again = answer(place, source=str(place / "volume"))
    assert (again["changed"], again["copied"]["same"]) == (False, 1)


def test_a_host_without_such_a_volume_has_nothing_to_copy(place):
    result = answer(place, source="other")
    assert (result["changed"], result["copied"], codes(result)) == (False, {}, [])


def test_a_path_that_does_not_exist(place):
    assert codes(answer(place, source="/no/such/directory")) == ["MEDIA_COPY_NO_SOURCE"]


@pytest.mark.parametrize(
    ("engine", "docker", "code"),
    [
        (Engine({}), None, "MEDIA_COPY_NO_ENGINE"),
        (Engine({}, answers=False), "docker", "MEDIA_COPY_NO_ENGINE"),
        (Engine({"v": {"Mountpoint": "/x", "Options": {"device": ":/media"}}}), "docker", "MEDIA_COPY_REMOTE"),
    ],
)
def test_unknown_is_not_empty(place, engine, docker, code):
    with pytest.raises(Refusal) as refusal:
        answer(place, engine=engine, docker=docker)
    assert refusal.value.code == code


def test_a_share_that_is_not_mounted(place, monkeypatch):
    unmounted = {**MOUNTED, "mount": None, "empty": True}
    monkeypatch.setattr(wa_media_copy.share_io, "look_if_reached", lambda *_given, **_more: unmounted)
    result = answer(place)
    assert codes(result) == ["MEDIA_SHARE_NOT_MOUNTED"] and "nothing was changed" in result["msg"]
    assert list((place / "share").iterdir()) == []


def test_a_conflict_does_not_say_that_nothing_was_changed(place):
    (place / "volume" / "b").write_bytes(b"two")
    (place / "share" / "b").write_bytes(b"2")
    result = answer(place)
    assert result["failed"] and result["changed"] and codes(result) == ["MEDIA_COPY_CONFLICT"]
    assert "nothing was changed" not in result["msg"]
    assert (place / "share" / "b").read_bytes() == b"2" and (place / "share" / "a").exists()


def test_a_share_that_stops_in_the_middle(place, monkeypatch):
    late = {"step": "write", "name": "NO_ANSWER", "message": "no answer", "seconds": 10.0, "left_behind": 0}
    outcome = wa_media_copy.copy_files("/no/such", "/no/such", "h", 5.0, (os.geteuid(), os.getegid()))
    for error, code in ((late, "MEDIA_SHARE_NO_ANSWER"), (outcome.error, "MEDIA_COPY_UNREADABLE")):
        monkeypatch.setattr(
            wa_media_copy, "copy_files", lambda *_given, error=error, **_more: outcome._replace(error=error)
        )
        result = answer(place)
        assert result["changed"] and codes(result) == [code], result


def test_as_a_module(capfd, place):
    result = run_module(wa_media_copy, capfd, **{**SHARE, "source": str(place / "volume"), "path": str(place)})
    assert result["problems"] == [] or result["failed"]


def test_bad_options(capfd):
    result = run_module(wa_media_copy, capfd, **{**SHARE, "source": "v", "path": "srv"})
    assert codes(result) == ["WA_MEDIA_SHARE_INVALID"]
