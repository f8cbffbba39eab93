# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive on the controller: what comes in, what is proved, and what a killed run leaves."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.log_page import Run
from ansible_collections.waent.fleet.plugins.module_utils._common.failure_reason import written_forms
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._io import log_archive
from ansible_collections.waent.fleet.plugins.module_utils._io.log_archive import (
    Stream,
    begin,
    finish,
    plain_name,
    prove,
    receive,
    write_document,
)
from hypothesis import given, settings
from hypothesis import strategies as st

SECRETS = ["canary-one-8FqL2x", {"NAME": "canary-two-5Kd9wQ", "SHORT": "10"}]
RUN = Run("waent", "2026-11-29 19:00:00Z", "3h", ["h1"], ["[LOGS_CUT] something canary-one-8FqL2x"], [], ["line"])


def packed(files):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def streamed(data, size=50):
    return Stream(lambda offset: data[offset : offset + size])


def gone():
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_from_the_beginning_to_the_archive(tmp_path):
    work = begin(str(tmp_path / "archives"), "waent-logs-x", os.getpid())
    content = {"a/container.log": b"2026-11-29 19:00:00 E canary-one-8FqL2x\n", "a/inspect.json": b"{}\n"}
    receive(streamed(packed(content)), work + "/hosts/h1", SECRETS, 1000)
    write_document(work, "cluster/health.json", '{"password": "x", "y": "canary-two-5Kd9wQ"}', SECRETS)
    done = finish(work, str(tmp_path / "archives"), "waent-logs-x", RUN, SECRETS)
    assert sorted(path.name for path in (tmp_path / "archives").iterdir()) == [
        "waent-logs-x.html",
        "waent-logs-x.tar.gz",
    ]
    assert {stat.S_IMODE(os.lstat(path).st_mode) for path in (done.archive, done.page)} == {0o600}
    assert stat.S_IMODE(os.lstat(tmp_path / "archives").st_mode) == 0o700
    with tarfile.open(done.archive) as archive:
        files = {member.name: archive.extractfile(member).read().decode() for member in archive}
        owners = {(member.uid, member.uname) for member in archive.getmembers()}
    assert sorted(files) == [
        "waent-logs-x/" + name
        for name in ("cluster/health.json", "hosts/h1/a/container.log", "hosts/h1/a/inspect.json", "index.html")
    ]
    assert not [name for name, text in files.items() if "canary-" in text]
    assert owners == {(0, "")}
    page = files["waent-logs-x/index.html"]
    assert "hosts/h1/a/container.log" in page and "something ********" in page
    assert Path(done.page).read_text() == page
    assert done.lines == 1


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"../../etc/passwd": b"x"}, "LOGS_NOT_OURS"),
        ({"/etc/passwd": b"x"}, "LOGS_NOT_OURS"),
        ({"a/../b": b"x"}, "LOGS_NOT_OURS"),
        ({"a/.ssh": b"x"}, "LOGS_NOT_OURS"),
        ({"a": b"x"}, "LOGS_NOT_OURS"),
        ({"a/b/c": b"x"}, "LOGS_NOT_OURS"),
        ({"a/b.log": b"x" * 2000}, "LOGS_TOO_LARGE"),
    ],
)
def test_a_host_cannot_write_where_it_likes_nor_what_it_likes(tmp_path, files, code):
    with pytest.raises(Refusal) as refused:
        receive(streamed(packed(files)), str(tmp_path / "x"), [], 1000)
    assert refused.value.code == code
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_link_is_no_log_file(tmp_path):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        member = tarfile.TarInfo("a/b.log")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(Refusal, match=r"a/b\.log"):
        receive(streamed(stream.getvalue()), str(tmp_path), [], 1000)


@pytest.mark.parametrize("cut", [20, 40, 60])
def test_what_breaks_off_is_said(tmp_path, cut):
    data = packed({"a/b.log": os.urandom(400)})
    with pytest.raises(Refusal) as refused:
        receive(streamed(data[: len(data) - cut * 5]), str(tmp_path), [], 1000)
    assert refused.value.code == "LOGS_BROKEN"


def test_what_a_killed_run_has_left_goes_and_what_another_run_does_stays(tmp_path):
    left = begin(str(tmp_path), "waent-logs-1", gone())
    running = begin(str(tmp_path), "waent-logs-2", os.getpid())
    (tmp_path / ".other.part").mkdir()
    mine = begin(str(tmp_path), "waent-logs-3", os.getpid())
    assert [Path(path).is_dir() for path in (left, running, mine)] == [False, True, True]
    assert (tmp_path / ".other.part").is_dir()


def test_an_archive_with_a_secret_is_none(tmp_path, monkeypatch):
    """Whatever is wrong with the masks: what is packed is read again."""
    work = begin(str(tmp_path), "waent-logs-x", os.getpid())
    planted = Path(work) / "cluster" / "planted.json"
    planted.parent.mkdir()
    planted.write_text("x" * 65530 + "canary-one-8FqL2x")
    with pytest.raises(Refusal) as refused:
        finish(work, str(tmp_path), "waent-logs-x", RUN, SECRETS)
    assert refused.value.code == "LOGS_HOLD_A_SECRET" and "canary" not in refused.value.message
    assert [path.name for path in tmp_path.iterdir()] == [Path(work).name]


@pytest.mark.parametrize("files", [{"n/a": 3}, {"n/a": 2, "n/b": 1}, {}])
def test_an_archive_that_is_not_what_was_written_is_none(tmp_path, files):
    path = tmp_path / "x.tar.gz"
    path.write_bytes(packed({"n/a": b"xx"}))
    with pytest.raises(Refusal) as refused:
        prove(str(path), files, [])
    assert refused.value.code == "LOGS_NOT_PROVED"


def test_what_cannot_be_written_leaves_no_archive(tmp_path, monkeypatch):
    work = begin(str(tmp_path), "waent-logs-x", os.getpid())

    def full(*_args, **_named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(log_archive, "prove", full)
    with pytest.raises(OSError, match="No space"):
        finish(work, str(tmp_path), "waent-logs-x", RUN, SECRETS)
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".waent")] == []


@given(st.text(max_size=20))
def test_a_name_fits_into_a_path(text):
    name = plain_name(text)
    assert name and "/" not in name and not name.startswith(".") and "\0" not in name


SECRET_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="*"), min_size=4, max_size=30).filter(str.strip)


@settings(max_examples=40, deadline=None)
@given(st.lists(SECRET_TEXT, min_size=1, max_size=5), st.data())
def test_canaries_of_any_kind_wherever_they_stand_are_in_no_file(tmp_path_factory, secrets, data):
    """Environment, logs, settings: the same values in every file, in the forms in which programs write them."""
    home = tmp_path_factory.mktemp("archive")
    work = begin(str(home), "waent-logs-x", os.getpid())
    forms = [form for secret in secrets for form in sorted(written_forms(secret))]
    chosen = data.draw(st.lists(st.sampled_from(forms), min_size=1, max_size=8))
    between = data.draw(st.text(st.sampled_from("xyz \n"), max_size=5))
    text = "begin" + between.join(chosen) + between + "end\n"
    content = {"a/container.log": text.encode("utf-8", "surrogatepass")}
    receive(streamed(packed(content), 17), work + "/hosts/h1", secrets, 10_000)
    for name in ("cluster/settings.json", "hosts/h1/host.json"):
        write_document(work, name, text, secrets)
    done = finish(work, str(home), "waent-logs-x", RUN._replace(status=[text], missing=[text]), secrets)
    with tarfile.open(done.archive) as archive:
        for member in archive:
            found = archive.extractfile(member).read().decode("utf-8", "surrogateescape")
            assert [secret for secret in secrets if secret in found and member.name[-5:] != ".html"] == []
