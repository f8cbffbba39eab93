# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copying the files of a volume, on a real file system: ended at any step, and run again, nothing is lost."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io import media_copy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

OURS = (os.geteuid(), os.getegid())
NAMES = st.sampled_from(["a", "b", "incoming/c", "outgoing/d", "outgoing/e", "outgoing/sub/f"])
TREES = st.dictionaries(NAMES, st.binary(max_size=40), max_size=6)


class Killed(BaseException):
    """As when the process ends there."""


def say_until(steps):
    """A function to say steps with, which ends the work at one of them."""
    left = [steps]

    def step_begins(_step):
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    return step_begins


def make(root, tree):
    for name, content in tree.items():
        file = Path(root, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        os.utime(file, (1000, 2000))
        file.chmod(0o640)


def tree_of(root):
    return {str(file.relative_to(root)): file.read_bytes() for file in Path(root).rglob("*") if file.is_file()}


def copied(source, target, host="h1", say=lambda _step: None, check_mode=False):
    """What copy_files does in its child, in this process."""
    directory = os.open(source, os.O_RDONLY)
    try:
        return media_copy._copy(directory, str(target), media_copy._prefix(host), say, check_mode)
    finally:
        os.close(directory)


@pytest.fixture
def two(tmp_path):
    """The volume, and the share."""
    source, target = tmp_path / "volume", tmp_path / "share"
    source.mkdir()
    target.mkdir()
    return source, target


def test_what_is_missing_is_copied_as_it_is_and_compared_the_next_time(two):
    source, target = two
    make(source, {"outgoing/a": b"x" * (media_copy._PIECE + 1), "b": b""})
    planned = copied(source, target, check_mode=True)
    assert (planned["copied"], tree_of(target)) == (2, {})
    first = media_copy.copy_files(str(source), str(target), "h1", 10.0, OURS)
    assert first.error is None
    assert {key: first.result[key] for key in ("files", "bytes", "copied", "same")} == {
        "files": 2, "bytes": media_copy._PIECE + 1, "copied": 2, "same": 0,
    }  # fmt: skip
    assert tree_of(target) == tree_of(source)
    status = (target / "outgoing" / "a").stat()
    assert (status.st_mtime, stat.S_IMODE(status.st_mode)) == (2000, 0o640)
    again = copied(source, target)
    assert (again["copied"], again["same"]) == (0, 2)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TREES, TREES, st.lists(st.integers(0, 60), max_size=3))
def test_ended_at_any_step_and_run_again_it_is_all_there_and_nothing_is_overwritten(tree, there, ends):
    with tempfile.TemporaryDirectory() as home:
        source, target = Path(home, "volume"), Path(home, "share")
        source.mkdir()
        target.mkdir()
        make(source, tree)
        make(target, there)
        for steps in ends:
            try:
                copied(source, target, say=say_until(steps))
            except Killed:
                # What has its name is whole.
                visible = {name: text for name, text in tree_of(target).items() if ".waent-copy-" not in name}
                assert visible.items() <= {**tree, **there}.items()
        result = copied(source, target)
        assert tree_of(source) == tree
        assert tree_of(target) == {**tree, **there}
        assert set(result["conflicts"]) == {name for name in tree if name in there and there[name] != tree[name]}
        assert result["copied"] + result["same"] + len(result["conflicts"]) == result["files"] == len(tree)


def test_what_a_killed_run_of_this_host_has_left_is_removed(two):
    source, target = two
    make(source, {"outgoing/a": b"one"})
    (target / "outgoing").mkdir()
    left = target / "outgoing" / (media_copy._prefix("h1") + "0")
    left.write_bytes(b"half")
    copied(source, target, host="h1")
    assert tree_of(target) == tree_of(source)


def test_two_hosts_that_copy_the_same_name(two):
    source, target = two
    make(source, {"a": b"one"})
    assert copied(source, target, host="h1")["copied"] == 1
    assert copied(source, target, host="h2")["same"] == 1
    assert media_copy._prefix("h1") != media_copy._prefix("h2")


def test_what_another_host_is_copying_is_left_alone(two):
    source, target = two
    make(source, {"a": b"one"})
    (target / (media_copy._prefix("h2") + "0")).write_bytes(b"half")
    copied(source, target, host="h1")
    assert (target / (media_copy._prefix("h2") + "0")).exists()


def test_a_file_that_is_written_to_meanwhile_is_not_copied(two):
    source, target = two
    make(source, {"a": b"one"})

    def step_begins(step):
        if step == "write":
            (source / "a").write_bytes(b"one and more")

    assert copied(source, target, say=step_begins)["changing"] == ["a"]
    assert tree_of(target) == {}
    assert copied(source, target)["copied"] == 1


def test_a_file_that_is_removed_meanwhile_counts_no_more(two):
    source, target = two
    make(source, {"a": b"one", "b": b"two"})

    def step_begins(step):
        if step == "statvfs":
            (source / "a").unlink()

    result = copied(source, target, say=step_begins)
    assert (result["files"], result["bytes"], result["copied"]) == (1, 3, 1)


def test_links_are_named_and_not_followed(two):
    source, target = two
    make(source, {"a": b"one"})
    (source / "b").symlink_to("/etc/passwd")
    (source / "c").symlink_to("/etc")
    (target / "a").symlink_to(source / "a")
    result = copied(source, target)
    assert sorted(result["others"]) == ["b", "c"]
    assert result["conflicts"] == ["a"]


def test_nothing_is_copied_where_there_is_no_room(two, monkeypatch):
    source, target = two
    make(source, {"a": b"one"})
    monkeypatch.setattr(media_copy.os, "statvfs", lambda _path: os.statvfs_result((1, 1, 9, 9, 2, 9, 9, 9, 0, 255)))
    result = copied(source, target)
    assert (result["needed_bytes"], result["free_bytes"]) == (3, 2)
    assert tree_of(target) == {}


def test_another_content_on_the_share_than_was_written(two, monkeypatch):
    source, target = two
    make(source, {"a": b"one"})
    write = media_copy._write
    monkeypatch.setattr(media_copy, "_write", lambda *given: write(*given)[:-1] + b"?")
    outcome = media_copy.copy_files(str(source), str(target), "h1", 10.0, OURS)
    assert outcome.error["name"] == "EIO"
    assert outcome.error["step"] == "read back"
    assert tree_of(target) == {}


def test_a_volume_that_cannot_be_read(two):
    _source, target = two
    outcome = media_copy.copy_files("/no/such/directory", str(target), "h1", 10.0, OURS)
    assert (outcome.error["step"], outcome.error["name"]) == (media_copy.READ_STEP, "ENOENT")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_what_lies_under_the_share_is_copied_onto_it(tmp_path):
    """What nodes have written that were started before it was mounted; with a real mount, twice over the directory."""
    path = tmp_path / "media"
    tree = {"a": b"one", "incoming/c": b"two"}
    make(path, tree)
    mounted = []
    try:
        for name in ("first", "share"):
            subprocess.run(["mount", "-t", "tmpfs", name, str(path)], check=True)
            mounted.append(name)
        result, error = media_copy.copy_files(str(path) + "/", str(path), "h1", 10.0, OURS)
        assert error is None and (result["copied"], result["conflicts"]) == (2, []), (result, error)
        assert tree_of(path) == tree
        again, _error = media_copy.copy_files(str(path), str(path), "h1", 10.0, OURS)
        assert (again["copied"], again["same"]) == (0, 2)
        # The mounts of the host are as they were.
        assert Path("/proc/self/mountinfo").read_text().count(" {0} ".format(path)) == 2
        Path(path, "a").unlink()
    finally:
        for _name in mounted:
            subprocess.run(["umount", str(path)], check=True)
    assert tree_of(path) == tree, "nothing is removed from there"
