# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""backup.yml and restore.yml: a registration leaves one installation and comes up in another, under the gateway's eye.

The gateway outlives both. It bans a number that two installations serve, and it knows whether it was registered again.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import subprocess
import typing as t
import urllib.request
from pathlib import Path

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.waent.fleet.plugins.module_utils._desired.backup_schedule import Schedule, files
from ansible_collections.waent.fleet.plugins.plugin_utils.backup_program import program
from ansible_collections.waent.fleet.tests.support.live_cluster import LiveCluster, Shape
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, Run, write_inventory
from ansible_collections.waent.fleet.tests.support.printed import Command, commands
from ansible_collections.waent.fleet.tests.support.valid_variables import SECRETS

PASSWORD = "canary-backup-password-7Hs2Vk"
HOOK_PASSWORD = "canary-hook-9Rt4Lm"
CANARIES = {**SECRETS, "backup": PASSWORD, "webhook": HOOK_PASSWORD}
NUMBER = "15550100244"
PLAYS = {"waits": "Restore | Wait until", "before": "Restore | Restore"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[LiveCluster]:
    """One shard, registered; the tests below are one story, in their order."""
    home = tmp_path_factory.mktemp("backup")
    made = LiveCluster(home, Shape("dayb", 26700, shards=1, webapps=1))
    hook = "https://user:{0}@hooks.example.com/wa".format(HOOK_PASSWORD)
    try:
        made.prepare()
        settings = {**made._given["wa_settings"], "webhooks": {"url": hook}}
        made.declare(wa_backup_password=PASSWORD, wa_backup_directory=str(home / "backups"), wa_settings=settings)
        run = made.play("site.yml")
        assert run.code == OK, run.output
        yield made
    finally:
        made.remove()


def shown(cluster: LiveCluster, playbook: str, *more: str) -> Run:
    """Run a playbook with everything shown; no secret may be."""
    run = cluster.play(playbook, "-vvv", "--diff", *more)
    hidden = {**CANARIES, **{"of the file {0}".format(name): text for name, text in contents(cluster).items()}}
    assert [name for name, value in hidden.items() if value in run.output] == []
    assert "Traceback" not in run.output
    return run


def backups(cluster: LiveCluster) -> list[Path]:
    """The files, the oldest first."""
    return sorted((cluster.home / "backups").glob("*.vault"))


def opened(path: Path) -> dict[str, t.Any]:
    """The content of a file, as ansible-vault reads it."""
    vault = VaultLib([("default", VaultSecret(PASSWORD.encode()))])
    found: dict[str, t.Any] = json.loads(vault.decrypt(path.read_bytes()))
    return found


def contents(cluster: LiveCluster) -> dict[str, str]:
    """What of all files nobody may see."""
    return {
        "{0} {1}".format(path.name, name): opened(path)[name]
        for path in backups(cluster)
        for name in ("data", "password")
    }


def gateway(cluster: LiveCluster, path: str) -> t.Any:
    """What the gateway knows."""
    with urllib.request.urlopen(cluster.gateway_url + path, timeout=30) as reply:
        return json.load(reply)


def test_without_a_file_it_says_what_is_missing(cluster: LiveCluster) -> None:
    run = cluster.play("restore.yml")
    assert (run.code, run.codes) == (FAILED, ["BACKUP_MISSING"]), run.output
    assert needed(run) == Command("", {"backup": "FILE"}, again=False)


def needed(run: Run) -> Command:
    """What restore.yml without a file says to add."""
    (command,) = commands(run.sentences("BACKUP_MISSING")[0])
    return command


def test_one_file_that_only_its_owner_and_the_password_open(cluster: LiveCluster) -> None:
    before = cluster.containers()
    checked = shown(cluster, "backup.yml", "--check")
    assert checked.code == OK and backups(cluster) == [], checked.output
    assert "It would be written to" in checked.output

    for count in (1, 2):
        run = shown(cluster, "backup.yml")
        assert run.code == OK and len(backups(cluster)) == count, run.output
        assert set(run.changes.values()) == {0}
    directory = cluster.home / "backups"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}
    first, second = map(opened, backups(cluster))
    assert first["password"] != second["password"]
    facts = first["facts"]
    assert (facts["number"], facts["shards"], facts["masters"], facts["coreapps"]) == (NUMBER, 1, 2, 2)
    assert facts["users"] == {"admin": "ROLE_ADMIN"} and HOOK_PASSWORD in facts["settings"]["webhooks"]["url"]
    assert cluster.containers() == before and cluster.faults(1) == []


def test_a_host_without_ansible_makes_a_backup_that_is_brought_into_the_same_format(
    cluster: LiveCluster, tmp_path: Path
) -> None:
    """As the unit runs it; systemd, which gives it its credentials, is not here. The restore below takes this file."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=backup", "-days", "2"]
    subprocess.run([*words, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    asked = Schedule(
        cluster.shape.prefix, "daily", 3, cluster.webapps(), NUMBER, ("admin",), SECRETS["wa_admin_password"], "",
        certificate.read_text(), False, program(),
    )  # fmt: skip
    state = tmp_path / "state"
    state.mkdir()
    for file in files(asked):
        (tmp_path / file.path.rpartition("/")[2]).write_bytes(file.content)
    (packed,) = tmp_path.glob("*.pyz")
    environment = {"PATH": os.defpath, "CREDENTIALS_DIRECTORY": str(tmp_path), "STATE_DIRECTORY": str(state)}
    done = subprocess.run(
        ["/usr/bin/python3", "-I", str(packed)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (made,) = state.iterdir()
    assert [name for name, value in CANARIES.items() if value in made.read_text() + done.stdout + done.stderr] == []
    words = ["openssl", "cms", "-decrypt", "-inform", "PEM", "-in", str(made), "-inkey", str(key)]
    text = subprocess.run(words, check=True, capture_output=True).stdout
    target = cluster.home / "backups" / "z-of-the-schedule.vault"
    target.touch(mode=0o600)
    target.write_bytes(VaultLib().encrypt(text.decode(), secret=VaultSecret(PASSWORD.encode())))
    first, last = opened(backups(cluster)[0]), opened(target)
    assert last["facts"] == first["facts"] and last["data"] and last["password"] != first["password"]


@contextlib.contextmanager
def one_away(cluster: LiveCluster) -> t.Iterator[None]:
    """The inventory has a host more, which does not answer."""
    away = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_connection": "ssh", "rack": "b"}
    hosts = {cluster.shape.host: cluster.shape.host_variables(), "away": away}
    before = cluster.inventory
    cluster.inventory = write_inventory(cluster.home / "two.yml", hosts, wa_database_hosts=[cluster.shape.host])
    try:
        yield
    finally:
        cluster.inventory = before


def test_a_host_that_is_away_keeps_nobody_from_a_backup(cluster: LiveCluster) -> None:
    count = len(backups(cluster))
    with one_away(cluster):
        run = shown(cluster, "backup.yml")
    assert run.code == OK and len(backups(cluster)) == count + 1, run.output


def test_a_password_that_is_short_or_another_one(cluster: LiveCluster) -> None:
    file = "backup={0}".format(backups(cluster)[0])
    for password, code in (("short", "BACKUP_PASSWORD_SHORT"), ("", "BACKUP_PASSWORD_MISSING")):
        run = cluster.play("backup.yml", "-e", json.dumps({"wa_backup_password": password}))
        assert run.code == FAILED and code in run.output, run.output
    run = cluster.play("restore.yml", "-e", file, "-e", "wa_backup_password=another-one-that-is-long")
    assert run.code == FAILED and "[BACKUP_PASSWORD_WRONG]" in run.output, run.output


def test_where_the_number_is_served_nothing_is_restored(cluster: LiveCluster) -> None:
    before = cluster.containers()
    run = shown(cluster, "restore.yml", "-e", "backup={0}".format(backups(cluster)[0]))
    assert run.code == OK and "registered here already" in run.output, run.output
    assert set(run.changes.values()) == {0} and cluster.containers() == before


def test_another_installation_takes_over_without_a_second_login(cluster: LiveCluster) -> None:
    file = needed(cluster.play("restore.yml")).given(backup=str(backups(cluster)[-1]))
    registered = gateway(cluster, "/numbers/" + NUMBER)
    keys = cluster.ask("/v1/support")["support"]["e2e"]
    # The installation is gone, and its database with it.
    cluster.uninstall()
    assert gateway(cluster, "/connections") == []
    run = cluster.play("site.yml", "-e", "wa_register=false")
    assert run.code == OK, run.output

    run = shown(cluster, "restore.yml", *file, "-e", "wa_phone_number=5550100999")
    assert run.code == FAILED and "BACKUP_NUMBER_DIFFERS" in run.output, run.output
    run = shown(cluster, "restore.yml", *file, "--check")
    assert run.code == OK and gateway(cluster, "/connections") == [], run.output
    run = shown(cluster, "restore.yml", *file)
    assert run.code == FAILED and "NOT_CONFIRMED" in run.output, run.output

    for task in PLAYS.values():
        killed = cluster.killed("restore.yml", task, *file, "-e", "confirm=yes")
        assert killed.code != OK, killed.output
    # What a host that does not answer has is not asked for: the API shows every node.
    with one_away(cluster):
        run = shown(cluster, "restore.yml", *file, "-e", "confirm=yes")
    assert run.code == OK, run.output
    assert cluster.faults(1) == []
    assert gateway(cluster, "/bans") == []
    now = gateway(cluster, "/numbers/" + NUMBER)
    assert {**now, "waiting_events": 0} == {**registered, "waiting_events": 0}
    # Each registration makes other keys.
    assert cluster.ask("/v1/support")["support"]["e2e"] == keys and keys["registration_id"]
    again = shown(cluster, "restore.yml", *file)
    assert again.code == OK and set(again.changes.values()) == {0}, again.output
    # Nobody else was logged in meanwhile, and the desired state holds as before.
    site = cluster.play("site.yml")
    assert site.code == OK and "BANNED" not in site.output, site.output
    assert cluster.faults(1) == []
