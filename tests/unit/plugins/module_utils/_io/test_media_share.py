# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a share and leaving tokens on it, on real file systems of this machine.

What NFS alone shows (a server that is gone, a stale handle, squashing) needs a server and a kernel with its client.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import textwrap
import time

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.media_share import (
    NO_ANSWER,
    OPENS,
    Limits,
    share_problems,
    token_name,
    token_text,
)
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import MediaShare
from ansible_collections.waent.fleet.plugins.module_utils._io import bounded, media_share
from ansible_collections.waent.fleet.tests.support.checkout import ROOT

RUN = "5f3a"
HOSTS = ["rack-a-1", "rack-b-1"]
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")


def names_in(directory):
    return sorted(entry.name for entry in directory.iterdir())


def leave(path, host="rack-a-1", run=RUN, **more):
    return media_share.leave_token(str(path), run, host, 10.0, **more)


def find(path, run=RUN):
    return media_share.find_tokens(str(path), run, HOSTS, 10.0)


def test_every_host_finds_the_tokens_of_all_and_nothing_stays(tmp_path):
    for host in HOSTS:
        left = leave(tmp_path, host)
        assert left["error"] is None
        assert abs(left["clock_offset_seconds"]) < 1
    assert find(tmp_path) == {"unseen": {}, "error": None}
    assert names_in(tmp_path / media_share.TOKENS) == sorted(token_name(RUN, host) for host in HOSTS)
    for host in HOSTS:
        assert media_share.take_back(str(tmp_path), RUN, host, 10.0) == {"error": None}
    assert names_in(tmp_path) == []


OPENING = {
    "write": lambda path: media_share.leave_token(path, RUN, "rack-a-1", 0.3),
    "read the tokens of the other hosts": lambda path: media_share.find_tokens(path, RUN, HOSTS, 0.3),
    "record the proof": lambda path: media_share.record_proof(path, RUN, HOSTS, 0.3, USER),
    "read the last proof": lambda path: media_share.read_proof(path, 0.3, USER),
}
USER = (os.geteuid(), os.getegid())


@pytest.mark.parametrize("step", OPENING)
def test_the_steps_that_open_files_have_the_names_by_which_a_grace_period_is_known(tmp_path, monkeypatch, step):
    monkeypatch.setattr(media_share, "os", NoOpen())
    answer = OPENING[step](str(tmp_path))
    error = answer.get("error", answer)
    assert (error["name"], error["step"]) == (NO_ANSWER, step)
    assert set(OPENING) == OPENS - {"read back"}


class NoOpen:
    """The module os on a share whose server opens no files."""

    def __getattr__(self, name):
        return (lambda *_given: time.sleep(60)) if name == "open" else getattr(os, name)


def test_taking_back_what_is_not_there(tmp_path):
    assert media_share.take_back(str(tmp_path), RUN, "rack-a-1", 10.0) == {"error": None}


def test_another_directory_of_the_same_name(tmp_path):
    for number, host in enumerate(HOSTS):
        (tmp_path / str(number)).mkdir()
        leave(tmp_path / str(number), host)
    assert find(tmp_path / "0")["unseen"] == {"rack-b-1": "missing"}
    assert find(tmp_path / "1")["unseen"] == {"rack-a-1": "missing"}


def test_a_token_of_an_earlier_run_proves_nothing(tmp_path):
    for host in HOSTS:
        leave(tmp_path, host)
    assert find(tmp_path, "77aa")["unseen"] == dict.fromkeys(HOSTS, "missing")
    for host in HOSTS:
        old = tmp_path / media_share.TOKENS / token_name(RUN, host)
        old.rename(old.with_name(token_name("77aa", host)))
    assert find(tmp_path, "77aa")["unseen"] == dict.fromkeys(HOSTS, "other")


def test_the_text_of_a_token(tmp_path):
    leave(tmp_path)
    token = tmp_path / media_share.TOKENS / token_name(RUN, "rack-a-1")
    assert token.read_text() == token_text(RUN, "rack-a-1")


def test_what_killed_runs_left_goes_when_it_is_old(tmp_path):
    leave(tmp_path, "rack-b-1", "old")
    leave(tmp_path, "rack-b-1", "new")
    tokens = tmp_path / media_share.TOKENS
    then = time.time() - media_share.OLD_SECONDS - 60
    os.utime(tokens / token_name("old", "rack-b-1"), (then, then))
    assert leave(tmp_path)["error"] is None
    assert names_in(tokens) == sorted([token_name("new", "rack-b-1"), token_name(RUN, "rack-a-1")])


def test_a_link_in_the_place_of_a_token_is_not_followed(tmp_path):
    (tmp_path / media_share.TOKENS).mkdir()
    victim = tmp_path / "victim"
    victim.write_text("kept")
    (tmp_path / media_share.TOKENS / (token_name(RUN, "rack-a-1") + ".new")).symlink_to(victim)
    assert leave(tmp_path)["error"]["name"] == "ELOOP"
    assert victim.read_text() == "kept"


@AS_ROOT
def test_a_directory_that_the_user_may_not_write(tmp_path):
    for parent in [tmp_path, *tmp_path.parents][:3]:
        parent.chmod(0o755)
    error = leave(tmp_path, user=(65534, 65534))["error"]
    assert (error["step"], error["name"]) == ("write", "EACCES")
    assert names_in(tmp_path) == []
    tmp_path.chmod(0o777)
    assert leave(tmp_path, user=(65534, 65534))["error"] is None
    assert (tmp_path / media_share.TOKENS).stat().st_uid == 65534


@pytest.mark.parametrize(("dated", "offset"), [(100.5, 0.0), (100.0, 0.0), (101.0, 0.0), (107.0, 6.0), (90.0, -10.0)])
def test_how_far_the_clock_of_the_server_is_ahead(dated, offset):
    assert media_share._offset(dated, 100.0, 101.0) == offset


# --- reading


def test_a_directory_of_the_host_itself(tmp_path):
    seen = media_share.look(str(tmp_path), 10.0)
    assert (seen["mount"], seen["hidden"], seen["error"]) == (None, [], None)
    assert (seen["exists"], seen["directory"], seen["empty"]) == (True, True, True)
    assert seen["free_mb"] > 0
    (tmp_path / "photo").write_text("")
    assert media_share.look(str(tmp_path), 10.0)["empty"] is False


def test_nothing_there_and_a_file_in_the_way(tmp_path):
    seen = media_share.look(str(tmp_path / "absent"), 10.0)
    assert (seen["exists"], seen["directory"], seen["error"]) == (False, False, None)
    (tmp_path / "file").write_text("")
    seen = media_share.look(str(tmp_path / "file"), 10.0)
    assert (seen["exists"], seen["directory"], seen["error"]) == (True, False, None)


# --- mounts of our own, in a name space that ends with its process


def mounted(tmp_path, commands, expression):
    """What the expression gives after these commands; C(m) is the module, C(p) the path."""
    script = """
        import json, sys
        from ansible_collections.waent.fleet.plugins.module_utils._io import media_share as m
        p = sys.argv[1]
        print(json.dumps(EXPRESSION))
    """
    python = textwrap.dedent(script).replace("EXPRESSION", expression)
    shell = 'set -e; (cd {0}; mkdir -p top/media; {1}); exec "$@"'.format(tmp_path, commands)
    command = [sys.executable, "-c", python, str(tmp_path / "top/media")]
    done = subprocess.run(
        ["unshare", "--mount", "--", "sh", "-c", shell, "sh", *command],
        cwd=ROOT / ".collections",  # where Python finds the collection of this checkout
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if done.returncode and "mount" in done.stderr and "permi" in done.stderr.lower():
        pytest.skip("mounting needs root: " + done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


TMPFS = "mount -t tmpfs -o size={size},nr_inodes={inodes} media top/media"
LEAVE = "m.leave_token(p, 'r', 'h', 10.0)['error']"


@AS_ROOT
def test_what_is_mounted_is_seen(tmp_path):
    seen = mounted(tmp_path, TMPFS.format(size="8m", inodes=100), "m.look(p, 10.0)")
    assert (seen["mount"]["source"], seen["mount"]["fstype"], seen["mount"]["read_only"]) == ("media", "tmpfs", False)
    assert seen["free_mb"] == 8
    assert seen["empty"] is None
    assert 90 <= seen["free_inodes"] <= 100


@AS_ROOT
def test_a_read_only_mount(tmp_path):
    ready = TMPFS.format(size="8m", inodes=100) + "; mount -o remount,ro top/media"
    seen, error = mounted(tmp_path, ready, "[m.look(p, 10.0), {0}]".format(LEAVE))
    assert seen["mount"]["read_only"]
    assert (error["step"], error["name"]) == ("write", "EROFS")


@AS_ROOT
def test_a_full_file_system_and_nothing_stays_of_what_was_tried(tmp_path):
    ready = TMPFS.format(size="64k", inodes=100) + "; head -c 65536 /dev/zero > top/media/full"
    error, left = mounted(tmp_path, ready, "[{0}, m.os.listdir(p + '/.waent-media')]".format(LEAVE))
    assert (error["step"], error["name"]) == ("write", "ENOSPC")
    assert left == []


@AS_ROOT
def test_no_inodes(tmp_path):
    ready = TMPFS.format(size="8m", inodes=5) + "; (cd top/media; touch a b c d)"
    error, seen = mounted(tmp_path, ready, "[{0}, m.look(p, 10.0)]".format(LEAVE))
    assert error["name"] == "ENOSPC"
    assert seen["free_inodes"] == 0


@AS_ROOT
@pytest.mark.parametrize("over", ["top/media", "top"])
def test_a_mount_that_is_hidden_under_another(tmp_path, over):
    ready = TMPFS.format(size="8m", inodes=100) + "; mount -t tmpfs over {0}; mkdir -p top/media".format(over)
    seen = mounted(tmp_path, ready, "m.look(p, 10.0)")
    assert [hidden["source"] for hidden in seen["hidden"]] == ["media"]
    assert (seen["mount"] or {}).get("source") == ("over" if over == "top/media" else None)


# --- the server first


def test_a_local_directory_is_read_without_a_server(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as link:
        port = link.getsockname()[1]
    seen = media_share.look_if_reached(str(tmp_path), "127.0.0.1", port, 10.0, always=False)
    assert (seen["exists"], seen["error"]) == (True, None)
    seen = media_share.look_if_reached(str(tmp_path), "127.0.0.1", port, 10.0, always=True)
    assert (seen["exists"], seen["error"]["name"]) == (None, "ECONNREFUSED")
    assert seen.keys() == media_share.look(str(tmp_path), 10.0).keys()


# --- the directory


@AS_ROOT
def test_owner_group_and_mode(tmp_path):
    tmp_path.chmod(0o700)
    found = media_share.directory_differs(str(tmp_path), 10.0, 1000, None, 0o770)
    assert found == {"differs": {"owner": [0, 1000], "mode": [0o700, 0o770]}, "error": None}
    assert media_share.set_directory(str(tmp_path), 10.0, found["differs"]) is None
    status = tmp_path.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (1000, 0, 0o770)
    assert media_share.directory_differs(str(tmp_path), 10.0, 1000, None, 0o770)["differs"] == {}
    assert media_share.directory_differs(str(tmp_path), 10.0, None, None, None)["differs"] == {}


# --- what is said of it


def problems_of(seen, **more):
    share = MediaShare("nas-1", "/media", "/srv/media")
    answer = {**seen, **more}
    found = share_problems(share, ["rack-a-1"], {"rack-a-1": answer}, 65534, Limits(free_mb=0, free_inodes=0))
    return [problem.code for problem in found]


def as_the_share(seen):
    """What is seen, as if the local file system at its path were the share: no NFS is needed for what comes then."""
    mount = {"source": "nas-1:/media", "fstype": "nfs4", "opts": ["vers=4.2"], "read_only": False}
    return {**seen, "mount": mount}


def test_what_is_read_is_what_the_check_understands(tmp_path):
    seen = media_share.look(str(tmp_path), 10.0)
    assert problems_of(seen) == ["MEDIA_SHARE_NOT_MOUNTED"]
    assert problems_of(as_the_share(seen), **leave(tmp_path), unseen=find(tmp_path)["unseen"]) == []


@AS_ROOT
def test_a_share_that_the_user_may_not_write_is_refused(tmp_path):
    for parent in [tmp_path, *tmp_path.parents][:3]:
        parent.chmod(0o755)
    seen = media_share.look(str(tmp_path), 10.0, (65534, 65534))
    assert problems_of(as_the_share(seen), **leave(tmp_path, user=(65534, 65534))) == ["MEDIA_SHARE_NOT_WRITABLE"]


def test_a_share_that_does_not_answer_is_refused_in_time(tmp_path):
    """A fifo without a writer in the place of the token: the kernel waits, as for a server that is gone."""
    (tmp_path / media_share.TOKENS).mkdir()
    os.mkfifo(tmp_path / media_share.TOKENS / token_name(RUN, "rack-a-1"))
    seen = media_share.look(str(tmp_path), 10.0)
    began = time.monotonic()
    found = media_share.find_tokens(str(tmp_path), RUN, HOSTS, 0.5)
    assert time.monotonic() - began < 5
    assert problems_of(as_the_share(seen), **found) == ["MEDIA_SHARE_NO_ANSWER"]
    assert bounded.left_behind(str(tmp_path), 0.0) == []


@AS_ROOT
def test_another_file_system_at_the_path_is_refused(tmp_path):
    seen = mounted(tmp_path, TMPFS.format(size="8m", inodes=100), "m.look(p, 10.0)")
    assert problems_of(seen) == ["MEDIA_SHARE_OTHER"]


# --- the proof that was recorded --------------------------------------------------------------------------------------

OURS = (os.geteuid(), os.getegid())


@pytest.mark.parametrize("name", ["EACCES", "EPERM", "EIO"])
def test_what_root_may_not_see_the_user_of_the_containers_may(tmp_path, monkeypatch, name):
    """A server maps root to nobody, and the directory is closed to others: sound for containers that run as another."""
    asked = []

    def run(work, path, seconds, user=None):
        asked.append(user)
        denied = {"step": "stat", "name": name, "message": "no", "seconds": None, "left_behind": 0}
        first = len(asked) == 1
        return bounded.Outcome(None, denied) if first else bounded.Outcome(work(lambda _step: None), None)

    monkeypatch.setattr(media_share.bounded, "run", run)
    seen = media_share.look(str(tmp_path), 5.0, (7, 7))
    assert (seen["error"] is None) == (name != "EIO")
    assert asked[:2] == ([None, (7, 7)] if name != "EIO" else [None])
    asked.clear()
    assert media_share.look(str(tmp_path), 5.0)["error"]["name"] == name


def test_a_proof_is_found_by_who_sees_the_share(tmp_path):
    assert media_share.read_proof(str(tmp_path), 10.0, OURS) == {"proof": None, "error": None}
    for run in ("first", "second"):
        assert media_share.record_proof(str(tmp_path), run, HOSTS, 10.0, OURS) is None
    os.utime(tmp_path / media_share.PROOF, (time.time() - 300, time.time() - 300))
    proof = media_share.read_proof(str(tmp_path), 10.0, OURS)["proof"]
    assert (proof["run"], proof["hosts"]) == ("second", HOSTS)
    assert 299 < proof["age_seconds"] < 330
    assert names_in(tmp_path) == [media_share.PROOF]


@pytest.mark.parametrize("text", ["", "[]", '{"run": "a"}', "no JSON", '{"run": "a", "hosts": 5}'])
def test_what_we_have_not_written_proves_nothing(tmp_path, text):
    (tmp_path / media_share.PROOF).write_text(text)
    assert media_share.read_proof(str(tmp_path), 10.0, OURS) == {"proof": None, "error": None}


def test_a_link_proves_nothing_and_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").write_text('{"run": "a", "hosts": ["h"]}')
    (tmp_path / media_share.PROOF).symlink_to(tmp_path / "elsewhere")
    assert media_share.read_proof(str(tmp_path), 10.0, OURS) == {"proof": None, "error": None}
