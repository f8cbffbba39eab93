# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups on a schedule by a real systemd, on a host that has no other part in the cluster; a story, in this order."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.waent.fleet.tests.support.live_cluster import GATEWAY_IMAGE, LiveCluster, Shape
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, Run
from ansible_collections.waent.fleet.tests.support.printed import commands
from ansible_collections.waent.fleet.tests.support.systemd_host import SystemdHost
from ansible_collections.waent.fleet.tests.support.this_machine import machine_address
from ansible_collections.waent.fleet.tests.support.valid_variables import SECRETS

pytestmark = pytest.mark.thorough

KEEPER, UNIT = "keeper", "waent-backup-dayt"
STATE, PASSWORD_FILE = "/var/lib/" + UNIT, "/etc/waent-backup/{0}/admin_password".format(UNIT)
NEW_PASSWORD = "Canary-admin-of-the-timer-3Wd!"
CANARIES = {**SECRETS, "file": "canary-backup-password-2Kp9", "new": NEW_PASSWORD}


@pytest.fixture(scope="module")
def keeper() -> t.Iterator[SystemdHost]:
    """The host that makes the backups."""
    with SystemdHost("dayt-" + KEEPER) as made:
        yield made


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, keeper: SystemdHost) -> t.Iterator[LiveCluster]:
    """One shard, whose webapp that host reaches."""
    home = tmp_path_factory.mktemp("timer")
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=backup", "-days", "2"]
    files = {"-keyout": home / "key.pem", "-out": home / "recipient.pem"}
    subprocess.run([*words, *(str(word) for pair in files.items() for word in pair)], check=True, capture_output=True)
    # Nothing here waits for the cluster's own times: slower ones leave a busy machine more of them.
    made = LiveCluster(home, Shape("dayt", 26900, shards=1, webapps=1, divisor=3.0))
    address = machine_address(made.engine, GATEWAY_IMAGE)
    made.shape = made.shape._replace(reached={"wa_api_address": address})
    try:
        made.start()
        inventory = yaml.safe_load(Path(made.inventory).read_text())
        inventory["all"]["hosts"][KEEPER] = keeper.variables()
        Path(made.inventory).write_text(yaml.safe_dump(inventory))
        made.declare(
            wa_backup_host=KEEPER, wa_backup_recipient=str(home / "recipient.pem"), wa_backup_schedule="hourly",
            wa_backup_password=CANARIES["file"], wa_backup_directory=str(home / "backups"),
        )  # fmt: skip
        yield made
    finally:
        made.remove()


def silent(cluster: LiveCluster, playbook: str, *more: str) -> Run:
    """A run as talkative as it gets, in which no secret may be."""
    run = cluster.play(playbook, "-vvv", "--diff", "-e", "confirm=yes", *more)
    assert [name for name, value in CANARIES.items() if value in run.output] == []
    return run


def backups(keeper: SystemdHost) -> list[str]:
    """Names of the files on the host, the oldest first."""
    return keeper.run("ls", STATE).stdout.split()


def about_backups(run: Run) -> list[str]:
    """Codes of what status.yml says of them, red or as a warning."""
    return [code for code in (*run.codes, *run.warnings) if code.startswith("BACKUP")]


def test_the_timer_makes_backups_that_only_the_key_opens(cluster: LiveCluster, keeper: SystemdHost) -> None:
    before = cluster.play("status.yml")
    assert before.code == OK and about_backups(before) == ["BACKUP_TIMER_MISSING"], before.output
    checked = silent(cluster, "backup.yml", "--check")
    assert checked.code == OK and keeper.run("systemctl", "cat", UNIT + ".timer").returncode != 0, checked.output

    run = silent(cluster, "backup.yml")
    assert run.code == OK and len(backups(keeper)) == 1, run.output
    assert keeper.run("systemctl", "is-active", UNIT + ".timer").stdout.strip() == "active"
    again = silent(cluster, "backup.yml")
    assert again.code == OK and again.changes[KEEPER] == 0 and len(backups(keeper)) == 1, again.output

    # As the timer starts it.
    assert keeper.run("systemctl", "start", UNIT + ".service").returncode == 0
    (_first, second) = backups(keeper)
    text = keeper.run("cat", "{0}/{1}".format(STATE, second)).stdout
    assert text.startswith("-----BEGIN CMS-----")
    opened = subprocess.run(
        ["openssl", "cms", "-decrypt", "-inform", "PEM", "-inkey", str(cluster.home / "key.pem")],
        input=text, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(opened.stdout)["facts"]["shards"] == 1


def test_nobody_but_root_reads_what_it_needs(cluster: LiveCluster, keeper: SystemdHost) -> None:
    modes = keeper.run("find", "/etc/waent-backup", "-printf", "%m %u %p\\n").stdout.split("\n")
    assert {line[:8] for line in modes if line} == {"700 root", "600 root"}
    listed = keeper.run("stat", "-L", "-c", "%a %U", STATE).stdout.split()
    assert listed[0] == "700" and listed[1] != "root", "the service is nobody's user"
    seen = "".join(
        keeper.run(*words).stdout
        for words in (
            ("journalctl", "--no-pager"), ("systemctl", "show", UNIT + ".service"), ("systemctl", "cat", UNIT),
            ("sh", "-c", "cat /etc/systemd/system/{0}.* {1}/*".format(UNIT, STATE)),
        )
    )  # fmt: skip
    assert [name for name, value in CANARIES.items() if value in seen] == []
    assert keeper.run("sh", "-c", "ls /run/credentials | grep waent").stdout == "", "only while it runs"


def test_the_new_password_of_admin_goes_to_the_host(cluster: LiveCluster, keeper: SystemdHost) -> None:
    cluster.declare(wa_admin_password=NEW_PASSWORD, wa_admin_former_password=SECRETS["wa_admin_password"])
    checked = silent(cluster, "rotate.yml", "-e", "rotate=admin_password", "--check")
    assert checked.code == OK and keeper.run("cat", PASSWORD_FILE).stdout == SECRETS["wa_admin_password"]
    # Killed after the API has the new password, and before the host has it.
    arguments = ("-e", "rotate=admin_password", "-e", "confirm=yes")
    killed = cluster.killed("rotate.yml", "Renew | Give the host the new password", *arguments)
    assert killed.task, killed.output
    assert keeper.run("cat", PASSWORD_FILE).stdout == SECRETS["wa_admin_password"]
    run = silent(cluster, "rotate.yml", "-e", "rotate=admin_password")
    assert run.code == OK, run.output
    assert keeper.run("cat", PASSWORD_FILE).stdout == NEW_PASSWORD
    assert keeper.run("systemctl", "start", UNIT + ".service").returncode == 0
    again = silent(cluster, "rotate.yml", "-e", "rotate=admin_password")
    assert again.code == OK and set(again.changes.values()) == {0}, again.output


def test_what_status_says_of_a_timer_ends_healthy(cluster: LiveCluster, keeper: SystemdHost, tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    healthy = cluster.play("status.yml", "-e", "wa_report={0}".format(path))
    assert healthy.code == OK and about_backups(healthy) == [], healthy.output
    assert "backups on a schedule" in healthy.output
    (row,) = json.loads(path.read_text())["backups"]
    assert (row["host"], row["timer"], row["waits"], row["failed"]) == (KEEPER, UNIT, True, False)
    assert row["backups"] == len(backups(keeper)) and row["last_backup_age_seconds"] < 3600

    keeper.run("sh", "-c", "printf wrong >{0}".format(PASSWORD_FILE))
    assert keeper.run("systemctl", "start", UNIT + ".service").returncode != 0
    keeper.run("systemctl", "stop", UNIT + ".timer")
    red = cluster.play("status.yml")
    assert (red.code, sorted(about_backups(red))) == (FAILED, ["BACKUP_FAILED", "BACKUP_TIMER_OFF"]), red.output
    for code in about_backups(red):
        (command,) = commands(red.sentences(code)[0])
        assert (command.playbook, command.arguments) == ("backup", {})
    run = silent(cluster, "backup.yml")
    assert run.code == OK, run.output
    healthy = cluster.play("status.yml")
    assert healthy.code == OK and about_backups(healthy) == [], healthy.output


def test_a_host_that_does_not_answer_is_unknown(cluster: LiveCluster, keeper: SystemdHost) -> None:
    keeper.container.stop()
    try:
        status = cluster.play("status.yml")
    finally:
        keeper.container.start()
    assert status.code == OK and about_backups(status) == ["BACKUP_UNKNOWN"], status.output


def test_uninstalling_the_cluster_removes_all_but_the_backups(cluster: LiveCluster, keeper: SystemdHost) -> None:
    keeper.wait()
    kept = backups(keeper)
    checked = cluster.play("uninstall.yml", *cluster.everything(), "--check")
    assert "{0}: the timer {1}, with all that it needs; its backups stay".format(KEEPER, UNIT) in checked.output
    cluster.uninstall()
    assert keeper.run("systemctl", "cat", UNIT + ".timer").returncode != 0
    assert keeper.run("sh", "-c", "ls -d /etc/waent-backup /usr/local/lib/waent-backup").stdout == ""
    assert kept and backups(keeper) == kept
