# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of a scheduled backup: as a file of its own, in a Python without Ansible, against a real HTTPS server."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check import backup
from ansible_collections.waent.fleet.plugins.module_utils._io import scheduled_backup
from ansible_collections.waent.fleet.plugins.plugin_utils.backup_program import program
from ansible_collections.waent.fleet.tests.support.scripted_api import META, WRITES

PASSWORD = "Canary-admin-5Kd9wQ"
BLOB = "canary-blob-of-the-client"
SECRETS = (PASSWORD, BLOB, "canary-token", "canary-hook")


@pytest.fixture(scope="module")
def recipient(tmp_path_factory):
    """A certificate, and its key, which stays here."""
    home = tmp_path_factory.mktemp("recipient")
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=backup", "-days", "2"]
    files = ["-keyout", str(home / "key.pem"), "-out", str(home / "cert.pem")]
    subprocess.run([*words, *files], check=True, capture_output=True)
    return home


def serve(api, number="15550100", status_of_backup=200):
    status = "connected" if number else "unregistered"
    nodes = {"h:wa-coreapp-1": (status, "coreapp"), "h:wa-master-1": ("disconnected", "primary_master")}
    health = {key: {"gateway_status": one, "role": role} for key, (one, role) in nodes.items()}
    api.on("POST", "/v1/users/login", {"users": [{"token": "canary-token"}], "meta": META})
    api.on("POST", "/v1/users/logout", {"meta": META})
    api.on("GET", "/v1/health", {"health": health, "meta": META})
    api.on("GET", "/v1/support", {"support": {"debug_info": number or "unregistered"}, "meta": META})
    api.on("GET", "/v1/account/shards", {"account": {"shards": 1}, "meta": META})
    webhooks = {"webhooks": {"url": "https://u:canary-hook@h/x"}}
    api.on("GET", "/v1/settings/application", {"settings": {"application": webhooks}, "meta": META})
    api.on("GET", "/v1/users/admin", {"users": [{"username": "admin", "ROLES": "ROLE_ADMIN"}], "meta": META})
    answer = {"settings": {"data": BLOB}, "meta": META} if status_of_backup == 200 else None
    api.on("POST", "/v1/settings/backup", answer, status=status_of_backup)


def no_answer_about_a_user(api):
    serve(api)
    api.refuse("GET", "/v1/users/sender", 1014, status=500)


@pytest.fixture
def run(api, recipient, tmp_path):
    """Runs the packed program as the unit does; no secret may be in what it says or leaves."""
    credentials, state = tmp_path / "credentials", tmp_path / "state"
    for directory in (credentials, state):
        directory.mkdir()
    (tmp_path / "program.pyz").write_bytes(program())

    def call(urls=(), **config):
        given = {
            "cluster": "waent",
            "urls": [*urls, api.url],
            "number": "",
            "users": ["admin"],
            "keep": 2,
            "verify": True,
        }
        (credentials / "config").write_text(json.dumps({**given, **config}))
        (credentials / "admin_password").write_text(PASSWORD)
        (credentials / "authority").write_bytes(open(api.ca_path, "rb").read())  # noqa: PTH123, SIM115
        (credentials / "recipient").write_bytes((recipient / "cert.pem").read_bytes())
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(tmp_path / "program.pyz")], capture_output=True, text=True, check=False,
            env={"PATH": os.defpath, "CREDENTIALS_DIRECTORY": str(credentials), "STATE_DIRECTORY": str(state)},
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        left = "".join(path.read_text(errors="replace") for path in state.iterdir())
        assert [secret for secret in SECRETS if secret in done.stdout + done.stderr + left] == []
        return done, sorted(state.iterdir())

    return call


def opened(path, recipient):
    words = ["openssl", "cms", "-decrypt", "-inform", "PEM", "-in", str(path), "-inkey", str(recipient / "key.pem")]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def test_one_file_that_the_host_itself_cannot_open(api, run, recipient):
    serve(api)
    done, (path,) = run()
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and str(path) in done.stdout
    kept = backup.read(opened(path, recipient))
    assert kept.data == BLOB and kept.facts["users"] == {"admin": "ROLE_ADMIN"}
    assert (kept.facts["number"], kept.facts["shards"], kept.facts["masters"]) == ("15550100", 1, 1)
    assert kept.facts["settings"]["webhooks"]["url"] == "https://u:canary-hook@h/x"
    (made,) = [call for call in api.calls if call.path == "/v1/settings/backup"]
    assert made.body == {"password": kept.password} and len(kept.password) > 40
    assert api.calls[-1].path == "/v1/users/logout"


def test_a_user_that_is_not_there_is_left_out(api, run, recipient):
    serve(api)
    api.refuse("GET", "/v1/users/sender", 1006, status=404)
    done, (path,) = run(users=["admin", "sender"])
    assert done.returncode == 0, done.stderr
    assert backup.read(opened(path, recipient)).facts["users"] == {"admin": "ROLE_ADMIN"}


def test_another_webapp_where_one_is_away(api, run):
    serve(api)
    done, paths = run(urls=["https://127.0.0.1:9"])
    assert done.returncode == 0 and len(paths) == 1, done.stderr


def test_old_ones_go_and_what_is_not_ours_stays(api, run, tmp_path):
    serve(api)
    state = tmp_path / "state"
    old = [state / "waent-registration-2026010{0}T000000Z.cms".format(day) for day in (1, 2, 3)]
    for path in (*old, state / "notes.txt"):
        path.write_text("x")
    done, paths = run()
    assert done.returncode == 0, done.stderr
    assert old[-1] in paths and state / "notes.txt" in paths and len(paths) == 3


@pytest.mark.parametrize(
    ("prepare", "config", "words"),
    [
        (lambda api: serve(api, number=""), {}, "BACKUP_NOT_REGISTERED"),
        (serve, {"number": "441"}, "BACKUP_NUMBER_DIFFERS"),
        (lambda api: api.on("POST", "/v1/users/login", None, status=401), {}, "[BACKUP_NO_LOGIN] No webapp let us in"),
        (lambda api: serve(api, status_of_backup=500), {}, "HTTP status 500"),
        # Whether there is such a user is not known, so no backup may say that there is none.
        (no_answer_about_a_user, {"users": ["sender"]}, "/v1/users/sender failed (HTTP status 500)"),
    ],
)
def test_without_a_backup_one_sentence_and_old_ones_stay(api, run, tmp_path, prepare, config, words):
    prepare(api)
    kept = [tmp_path / "state" / "waent-registration-2026010{0}T000000Z.cms".format(day) for day in (1, 2, 3)]
    for path in kept:
        path.write_text("x")
    done, paths = run(**config)
    assert done.returncode == 1 and words in done.stderr, done.stderr
    assert paths == kept


def test_who_serves_another_certificate_gets_no_password(api, run, tmp_path, recipient, monkeypatch):
    serve(api)
    (tmp_path / "other").mkdir()
    monkeypatch.setattr(api, "ca_path", str(recipient / "cert.pem"))
    done, _paths = run()
    assert done.returncode == 1 and "certificate verify failed" in done.stderr.lower(), done.stderr
    assert [call for call in api.calls if call.method in WRITES] == []


def test_the_same_sources_make_the_same_file():
    assert program() == program()


def test_without_its_credentials_one_sentence(capsys, monkeypatch):
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert scheduled_backup.main() == 1
    assert "[BACKUP_FAILED] No backup was made" in capsys.readouterr().err
