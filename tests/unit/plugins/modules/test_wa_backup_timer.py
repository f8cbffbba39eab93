# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_backup_timer: what it installs, proves and removes, with a systemd that only notes what is asked of it."""

from __future__ import annotations

import base64
import stat
import subprocess

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._desired.backup_schedule import files, unit_name
from ansible_collections.waent.fleet.plugins.modules import wa_backup_timer
from ansible_collections.waent.fleet.tests.support.scripted_api import run_module

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
NAME = "waent-backup-waent"
PASSWORD = "Canary-admin-5Kd9wQ"
SYSTEMCTL = """#!/bin/sh
echo "$*" >>"{home}/calls"
case "$1" in
  --version) echo "systemd {version} (test)" ;;
  is-enabled|is-active) test -e "{home}/enabled" ;;
  is-failed) test -e "{home}/failed" ;;
  enable) touch "{home}/enabled" ;;
  disable) rm "{home}/enabled" ;;
  start) {start} ;;
esac
"""
MAKES = 'cd "{home}" && mkdir -p root{state} && cd root{state} && echo x >"$(ls | wc -l).cms"'


@pytest.fixture
def host(tmp_path, monkeypatch, capfd):
    """A host whose file system is a directory."""
    (tmp_path / "bin").mkdir()
    for name in ("openssl", "journalctl"):
        (tmp_path / "bin" / name).write_text("#!/bin/sh\necho '[BACKUP_NO_LOGIN] No webapp let us in (x).'\n")
    monkeypatch.setenv("PATH", "{0}:/usr/bin:/bin".format(tmp_path / "bin"))

    class Host:
        root = tmp_path / "root"

        def systemd(self, version=252, start=MAKES):
            start = start.format(home=tmp_path, state="/var/lib/" + NAME)
            script = tmp_path / "bin" / "systemctl"
            script.write_text(SYSTEMCTL.format(home=tmp_path, version=version, start=start))
            for path in (tmp_path / "bin").iterdir():
                path.chmod(0o755)

        def calls(self):
            path = tmp_path / "calls"
            return path.read_text().splitlines() if path.exists() else []

        def run(self, check_mode=False, **options):
            given = {
                "cluster_name": "waent", "urls": ["https://wa-1:9090"], "recipient": CERTIFICATE, "password": PASSWORD,
                "program": base64.b64encode(b"zip").decode(), **options,
            }  # fmt: skip
            module = type("Rooted", (), {"main": staticmethod(lambda: wa_backup_timer.main(str(self.root)))})
            result = run_module(module, capfd, check=check_mode, **given)
            assert PASSWORD not in str(result)
            return result

        def files(self):
            return {str(path)[len(str(self.root)) :] for path in self.root.rglob("*") if path.is_file()}

    found = Host()
    found.systemd()
    return found


def test_installed_once_proved_and_removed(host):
    checked = host.run(check_mode=True)
    assert checked["changed"] and not host.root.exists()
    first = host.run()
    assert first["changed"] and first["backup"].endswith("/0.cms") and first["name"] == NAME
    assert len(first["files"]) == 7
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (host.root / "etc/waent-backup" / NAME).iterdir()}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((host.root / "etc/waent-backup" / NAME).stat().st_mode) == 0o700
    assert stat.S_IMODE((host.root / "etc/waent-backup").stat().st_mode) == 0o700, "whose backups are made, neither"
    again = host.run()
    assert (again["changed"], again["files"], again["backup"]) == (False, [], "")
    gone = host.run(state="absent")
    assert gone["changed"] and host.files() == {"/var/lib/{0}/0.cms".format(NAME)}
    assert host.run(state="absent")["changed"] is False
    assert "disable --now {0}.timer".format(NAME) in host.calls()


def test_what_somebody_else_could_read_is_fixed(host):
    host.run()
    path = host.root / "etc/waent-backup" / NAME / "admin_password"
    path.chmod(0o644)
    assert host.run()["files"] == ["/etc/waent-backup/{0}/admin_password".format(NAME)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_another_schedule_starts_the_timer_again(host):
    host.run()
    assert host.run(schedule="Mon *-*-* 03:00")["files"] == ["/etc/systemd/system/{0}.timer".format(NAME)]
    assert "restart {0}.timer".format(NAME) in host.calls()


def test_a_run_that_was_killed_before_the_proof_is_proved_by_the_next(host):
    host.systemd(start="exit 1")
    assert host.run()["failure"]["code"] == "BACKUP_NOT_RUN"
    host.systemd()
    result = host.run()
    assert result["changed"] and result["backup"].endswith("/0.cms")


@pytest.mark.parametrize(
    ("start", "words"),
    [("exit 1", "[BACKUP_NO_LOGIN] No webapp let us in (x)."), ("exit 0", "has written no file")],
)
def test_a_backup_that_does_not_work_is_red(host, start, words):
    host.systemd(start=start)
    result = host.run()
    assert result["failed"] and words in result["msg"]


def test_a_host_that_cannot_do_it(host, tmp_path):
    host.systemd(version=241)
    assert host.run()["failure"]["code"] == "BACKUP_SYSTEMD_OLD"
    (tmp_path / "bin" / "systemctl").unlink()
    assert host.run()["failure"]["code"] in ("BACKUP_NO_SYSTEMD", "BACKUP_SYSTEMD", "BACKUP_NOT_RUN")


def test_what_cannot_be_meant_is_refused_before_anything_is_written(host):
    result = host.run(schedule="daily\nUser=root", recipient="")
    assert result["failure"]["details"]["codes"] == ["BACKUP_RECIPIENT", "BACKUP_SCHEDULE"]
    assert not host.root.exists() and host.calls() == []


def test_systemd_itself_takes_the_units(tmp_path):
    """By systemd-analyze, which a machine may not have; it runs no unit."""
    params = {name: option.get("default") for name, option in wa_backup_timer.ARGUMENTS.items()}
    given = {"cluster_name": "my cluster", "urls": [], "recipient": CERTIFICATE, "password": "x", "program": ""}
    units = []
    for file in files(wa_backup_timer.schedule_from({**params, **given})):
        if file.path.startswith("/etc/systemd/"):
            path = tmp_path / file.path.rpartition("/")[2]
            path.write_bytes(file.content)
            units.append(str(path))
    assert unit_name("my cluster") in units[0]
    try:
        done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no systemd-analyze here")
    assert "Unknown" not in done.stderr and "Failed to parse" not in done.stderr and done.returncode == 0, done.stderr


def test_another_password_and_nothing_else(host):
    assert host.run(state="renewed", password="Canary-other")["changed"] is False, "there is none to renew"
    host.run()
    before = host.files()
    assert host.run(state="renewed")["changed"] is False
    new = "Canary-admin-6Rt2yX"
    checked = host.run(check_mode=True, state="renewed", password=new)
    path = host.root / "etc/waent-backup" / NAME / "admin_password"
    assert checked["changed"] and path.read_text() == PASSWORD
    done = host.run(state="renewed", password=new)
    assert done["files"] == ["/etc/waent-backup/{0}/admin_password".format(NAME)] and done["backup"].endswith("/1.cms")
    assert new not in str(done) and path.read_text() == new and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert host.files() == before | {"/var/lib/{0}/1.cms".format(NAME)}
    assert host.run(state="renewed", password=new)["changed"] is False


def test_a_password_that_the_api_refuses_is_red(host):
    host.run()
    host.systemd(start='touch "{home}/failed"; exit 1')
    assert host.run(state="renewed", password="Canary-other")["failure"]["code"] == "BACKUP_NOT_RUN"
    # The host has it by now; that it does not work is said again, until it does.
    assert host.run(state="renewed", password="Canary-other")["failure"]["code"] == "BACKUP_NOT_RUN"
    host.systemd(start='rm "{home}/failed" && ' + MAKES)
    done = host.run(state="renewed", password="Canary-other")
    assert done["changed"] and done["files"] == [] and done["backup"].endswith(".cms")
    assert host.run(state="renewed", password="Canary-other")["changed"] is False


def test_what_there_is_is_read(host):
    assert host.run(state="read")["found"] is None
    host.run()
    found = host.run(state="read")["found"]
    assert (found["name"], found["waits"], found["backups"], found["last_run_seconds"]) == (NAME, True, 1, None)
    assert 0 <= found["last_backup_seconds"] < 600
    stamp = host.root / "var/lib/systemd/timers" / "stamp-{0}.timer".format(NAME)
    stamp.parent.mkdir(parents=True)
    stamp.touch()
    assert 0 <= host.run(state="read")["found"]["last_run_seconds"] < 600
