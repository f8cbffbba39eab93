# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collecting on a host, with a docker command that answers as an engine does."""

from __future__ import annotations

import io
import json
import os
import stat
import tarfile
import time
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io import node_logs
from ansible_collections.waent.fleet.plugins.module_utils._io.log_archive import Stream, receive
from ansible_collections.waent.fleet.plugins.module_utils._io.node_logs import (
    HARMLESS,
    Limits,
    collect,
    read_part,
    remove,
    remove_abandoned,
    secrets_of,
    without_values,
)

LIMITS = Limits(since=10800, seconds=60.0, size=1_000_000, host_size=10_000_000)
SECRET = "canary-db-8FqL2xZr"
ENVIRONMENT = [
    "WA_DB_PASSWORD=" + SECRET, "WA_DB_HOSTNAME=db.example.com", "SHORT_PIN=42", "OTHER=canary-other-value", "FLAG=1",
]  # fmt: skip

DOCKER = """#!/bin/sh
case "$1 $2" in
  "logs --timestamps") [ "$4" = 10800s ] || exit 7; cat "{home}/log.$5" || exit 1 ;;
  "cp "*) cat "{home}/$(echo "$2" | tr :/ __).tar" 2>/dev/null || {{ echo "Error: no such directory" >&2; exit 1; }} ;;
  *) exit 9 ;;
esac
"""


def container(name="wa-coreapp-1", environment=ENVIRONMENT):
    return {"Name": "/" + name, "Config": {"Env": list(environment), "Labels": {}}, "State": {"Status": "running"}}


def tar(path, files):
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo("logs/" + name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


@pytest.fixture
def engine(tmp_path):
    """The docker command, and the directory with what it answers."""
    script = tmp_path / "docker"
    script.write_text(DOCKER.format(home=tmp_path))
    script.chmod(0o755)
    (tmp_path / "log.wa-coreapp-1").write_text("2026-11-29T19:00:00Z password {0} refused\n".format(SECRET))
    return tmp_path


def collected(engine, limits=LIMITS, inspected=None, kinds=None):
    parent = engine / "tmp"
    parent.mkdir(exist_ok=True)
    found = collect(
        str(engine / "docker"), inspected or [container()], kinds or {"wa-coreapp-1": "coreapp"}, limits, str(parent)
    )
    with tarfile.open(found.path) as archive:
        files = {member.name: archive.extractfile(member).read().decode() for member in archive}
    return found, files


def test_log_description_and_crash_files_without_a_secret(engine):
    crash = {"wa-service-7-crash.log": b"died of " + SECRET.encode() + b"\n", "wa-service.log": b"not this\n"}
    tar(engine / "wa-coreapp-1__usr_local_waent_logs.tar", crash)
    found, files = collected(engine)
    assert set(files) == {
        "wa-coreapp-1/inspect.json", "wa-coreapp-1/container.log", "wa-coreapp-1/wa-service-7-crash.log",
    }  # fmt: skip
    assert not [name for name, text in files.items() if SECRET in text or "canary-other" in text]
    assert files["wa-coreapp-1/container.log"] == "2026-11-29T19:00:00Z password ******** refused\n"
    assert {piece["state"] for piece in found.pieces} == {"read"}
    environment = json.loads(files["wa-coreapp-1/inspect.json"])["Config"]["Env"]
    assert environment[:2] == ["WA_DB_PASSWORD=********", "WA_DB_HOSTNAME=db.example.com"]


def test_nobody_else_can_read_it_and_nothing_else_is_left(engine):
    found, _files = collected(engine)
    packed = Path(found.path)
    assert stat.S_IMODE(packed.parent.lstat().st_mode) == 0o700
    assert stat.S_IMODE(packed.lstat().st_mode) == 0o600
    assert list(packed.parent.iterdir()) == [packed]
    assert remove(found.path) and not remove(found.path)
    assert list((engine / "tmp").iterdir()) == []


def test_of_a_log_that_is_too_long_the_newest_lines_are_kept_and_no_half_of_a_secret(engine):
    lines = ["{0:06d} {1} end".format(number, SECRET) for number in range(20000)]
    (engine / "log.wa-coreapp-1").write_text("\n".join(lines) + "\n")
    found, files = collected(engine, LIMITS._replace(size=50_000))
    log = files["wa-coreapp-1/container.log"].splitlines()
    assert log[-1] == "019999 ******** end"
    assert all(line.endswith(" ******** end") and len(line) == len(log[-1]) for line in log)
    (piece,) = [one for one in found.pieces if one["what"] == "log"]
    assert (piece["state"], piece["cut_bytes"]) == ("cut", 20000 * len(lines[0] + "\n") - 50_000)
    assert 0 < piece["bytes"] <= 50_000


@pytest.mark.parametrize("extra", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_a_secret_where_the_cut_is_leaves_no_trace(engine, extra):
    size = 2000
    text = (SECRET + "\n") * ((size + extra) // (len(SECRET) + 1)) + "last\n"
    (engine / "log.wa-coreapp-1").write_text(text)
    _found, files = collected(engine, LIMITS._replace(size=size))
    assert set(files["wa-coreapp-1/container.log"].split()) <= {"********", "last"}


def test_what_takes_too_long_is_named_and_the_rest_is_there(engine):
    script = (engine / "docker").read_text().replace('"cp "*)', '"cp "*) sleep 1000 ;; "x "*)')
    (engine / "docker").write_text(script)
    begun = time.monotonic()
    found, files = collected(engine, LIMITS._replace(seconds=2.0))
    assert time.monotonic() - begun < 60
    assert "wa-coreapp-1/container.log" in files
    (crash,) = [piece for piece in found.pieces if piece["what"] == "crash"]
    assert crash["state"] == "failed" and "took longer than" in crash["reason"]


def test_a_log_that_does_not_end_is_there_as_far_as_it_was_read(engine):
    script = (engine / "docker").read_text().replace('exit 1 ;;\n  "cp', 'exit 1; sleep 1000 ;;\n  "cp')
    (engine / "docker").write_text(script)
    found, files = collected(engine, LIMITS._replace(seconds=3.0))
    assert "refused" in files["wa-coreapp-1/container.log"]
    (piece,) = [one for one in found.pieces if one["what"] == "log"]
    assert piece["state"] == "cut" and "too long" in piece["reason"]


def test_a_container_that_is_gone_meanwhile_is_named(engine):
    (engine / "log.wa-coreapp-1").unlink()
    found, _files = collected(engine)
    assert {piece["what"]: piece["state"] for piece in found.pieces} == {
        "inspect": "read", "log": "failed", "crash": "absent",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("driver", "reason"),
    [
        ("gelf", "its log driver is gelf, of which this engine keeps no copy: the log is where that driver sends it"),
        ("none", "its log driver is none, of which this engine keeps no copy: the log is where that driver sends it"),
        ("json-file", "docker logs ended with 1"),
        ("", "docker logs ended with 1"),
    ],
)
def test_a_log_that_docker_cannot_read_is_elsewhere_and_not_empty(engine, driver, reason):
    (engine / "log.wa-coreapp-1").unlink()
    entry = {**container(), "HostConfig": {"LogConfig": {"Type": driver, "Config": {}}}}
    found, files = collected(engine, inspected=[entry])
    (piece,) = [one for one in found.pieces if one["what"] == "log"]
    assert (piece["state"], piece["reason"]) == ("failed", reason)
    assert ("wa-coreapp-1/container.log" in files) == (driver in ("json-file", ""))


def test_twenty_crash_files_are_kept_and_one_more_is_named(engine):
    files = {"wa-service-{0}-crash.log".format(number): b"x\n" for number in range(22)}
    tar(engine / "wa-coreapp-1__usr_local_waent_logs.tar", files)
    found, kept = collected(engine)
    assert sum("crash" in name for name in kept) == 20
    assert sum(piece["state"] == "cut" for piece in found.pieces) == 2


def test_parts_make_the_whole(engine, tmp_path):
    found, files = collected(engine)
    place = tmp_path / "here"
    stream = Stream(lambda offset: read_part(found.path, offset, 7))
    assert sorted(receive(stream, str(place), ["refused"], 10_000)) == sorted(files)
    assert (place / "wa-coreapp-1/container.log").read_text() == "2026-11-29T19:00:00Z password ******** ********\n"


def test_what_a_killed_run_has_left_goes_and_what_runs_stays(tmp_path):
    old, young, others = tmp_path / "waent-logs-old", tmp_path / "waent-logs-young", tmp_path / "other"
    for path in (old, young, others):
        path.mkdir()
    os.utime(old, (0, 0))
    os.utime(others, (0, 0))
    (tmp_path / "waent-logs-link").symlink_to(others)
    assert remove_abandoned(str(tmp_path)) == [str(old)]
    assert young.is_dir() and others.is_dir()


@pytest.mark.parametrize("path", ["/etc/passwd", "waent-logs-x/other.gz", "other/logs.tar.gz"])
def test_nothing_that_is_not_ours_is_read_or_removed(tmp_path, path):
    full = tmp_path / path.lstrip("/")
    full.parent.mkdir(parents=True)
    full.write_text("x")
    for call in (lambda: read_part(str(full), 0, 10), lambda: remove(str(full))):
        with pytest.raises(PermissionError):
            call()
    assert full.exists()


def test_a_directory_that_is_a_link_is_not_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "logs.tar.gz").write_text("x")
    (tmp_path / "waent-logs-x").symlink_to(tmp_path / "real")
    with pytest.raises(PermissionError):
        remove(str(tmp_path / "waent-logs-x" / "logs.tar.gz"))


def test_which_values_are_secrets():
    assert secrets_of([container()]) == [SECRET, "42", {"OTHER": "canary-other-value"}, {"FLAG": "1"}]
    assert not {name for name in HARMLESS if any(word in name for word in ("PASSWORD", "SECRET", "API_KEY", "JWT"))}
    assert without_values(container(environment=["FLAG=1"]))["Config"]["Env"] == ["FLAG=********"]


def test_a_failure_leaves_nothing(engine, monkeypatch):
    def broken(*_args, **_named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(node_logs, "_collected", broken)
    with pytest.raises(OSError, match="No space"):
        collected(engine)
    assert list((engine / "tmp").iterdir()) == []
