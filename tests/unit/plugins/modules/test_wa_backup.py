# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_backup through its action and main(), against a real HTTPS server."""

from __future__ import annotations

import json
import stat
from unittest.mock import Mock

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.playbook.play_context import PlayContext
from ansible_collections.waent.fleet.plugins.action import wa_backup as action
from ansible_collections.waent.fleet.tests.support.scripted_api import META, WRITES

PASSWORD = "canary-backup-password-1"
HOOK = "https://u:canary-hook@h/x"
BLOB = "canary-blob-of-the-client"


class Server:
    """A cluster with one shard, which may be registered."""

    def __init__(self, api, number="15550100"):
        self.number, self.restored = number, []
        api.on("GET", "/v1/health", lambda _call: (200, {"health": self.health(), "meta": META}))
        api.on("GET", "/v1/support", lambda _call: (200, {"support": self.support(), "meta": META}))
        self.shards = 1
        api.on("GET", "/v1/account/shards", lambda _call: (200, {"account": {"shards": self.shards}, "meta": META}))
        settings = {"settings": {"application": {"webhooks": {"url": HOOK}}}, "meta": META}
        api.on("GET", "/v1/settings/application", settings)
        api.on("GET", "/v1/users/admin", {"users": [{"username": "admin", "ROLES": "ROLE_ADMIN"}], "meta": META})
        api.refuse("GET", "/v1/users/sender", 1006, status=404)
        api.on("POST", "/v1/settings/backup", {"settings": {"data": BLOB}, "meta": META})
        api.on("POST", "/v1/settings/restore", self.restore)

    def health(self):
        connected = "connected" if self.number else "unregistered"
        nodes = {"h:wa-coreapp-1": (connected, "coreapp"), "h:wa-master-1": ("disconnected", "primary_master")}
        return {key: {"gateway_status": status, "role": role} for key, (status, role) in nodes.items()}

    def support(self):
        return {"debug_info": self.number or "unregistered", "multi_connect": True}

    def restore(self, call):
        self.restored.append(call.body)
        self.number = "15550100"
        return 200, {"meta": META}


@pytest.fixture
def act(access, tmp_path, clock):
    """The result of the action; no secret may be in it."""

    def call(check_mode=False, **options):
        args = {"path": str(tmp_path / "backups" / "x.vault"), "encryption_password": PASSWORD, **access, **options}
        task = Mock(args=args, async_val=0, check_mode=check_mode, delegate_to="localhost", no_log=False)
        task.action = "waent.fleet.wa_backup"
        plugin = action.ActionModule(task, Mock(), PlayContext(), Mock(), Mock(), Mock())
        plugin._update_module_args = lambda _name, given, _variables: given.update(_ansible_check_mode=check_mode)
        plugin._compute_environment_string = lambda _environment: ""
        result = plugin.run(task_vars={"inventory_hostname": "localhost"})
        assert task.args == args
        text = json.dumps(result, default=str)
        for canary in (PASSWORD, BLOB, "canary-hook", args["encryption_password"] or "canary"):
            assert canary not in text
        return result

    return call


def opened(path):
    return json.loads(VaultLib([("default", VaultSecret(PASSWORD.encode()))]).decrypt(path.read_bytes()))


def test_a_file_with_everything_that_only_its_owner_reads(api, act, tmp_path):
    Server(api)
    result = act(state="saved", users=["admin", "sender"])
    assert "failed" not in result, result
    path = tmp_path / "backups" / "x.vault"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["x.vault"]
    document = opened(path)
    assert document["data"] == BLOB and document["facts"]["settings"] == {"webhooks": {"url": HOOK}}
    assert document["facts"]["users"] == {"admin": "ROLE_ADMIN"}
    (made,) = [call for call in api.calls if call.path == "/v1/settings/backup"]
    assert made.body == {"password": document["password"]} and len(document["password"]) > 40
    assert result["facts"]["number"] == "15550100" and "settings" not in result["facts"]


def test_check_mode_makes_none(api, act, tmp_path):
    Server(api)
    result = act(state="saved", check_mode=True)
    assert result["changed"] and "It would be written" in result["lines"][-1]
    assert not (tmp_path / "backups").exists()
    assert not [call for call in api.calls if call.method in WRITES]


def test_a_file_that_is_there_is_not_overwritten(api, act, tmp_path):
    Server(api)
    path = tmp_path / "backups" / "x.vault"
    path.parent.mkdir()
    path.write_text("mine")
    assert act(state="saved")["failure"]["code"] == "BACKUP_EXISTS"
    assert path.read_text() == "mine" and len(list(path.parent.iterdir())) == 1


def test_a_directory_that_cannot_be_made(api, act, tmp_path):
    Server(api)
    (tmp_path / "backups").write_text("a file")
    assert act(state="saved")["failure"]["code"] == "BACKUP_NOT_WRITTEN"


def test_without_a_number_there_is_nothing_to_back_up(api, act, tmp_path):
    Server(api, number="")
    result = act(state="saved")
    assert result["failed"] and "BACKUP_NOT_REGISTERED" in result["msg"]
    assert [one["code"] for one in result["problems"]] == ["BACKUP_NOT_REGISTERED"]
    assert not (tmp_path / "backups").exists()


@pytest.mark.parametrize(("password", "code"), [("", "BACKUP_PASSWORD_MISSING"), ("short", "BACKUP_PASSWORD_SHORT")])
def test_a_password_that_protects_nothing_is_refused_before_anybody_is_asked(api, act, password, code):
    Server(api)
    result = act(state="saved", encryption_password=password)
    assert code in result["msg"] and [one["code"] for one in result["problems"]] == [code]
    assert api.calls == []


def test_it_is_restored_once(api, act):
    server = Server(api)
    act(state="saved")
    server.number = ""
    planned = act(state="restored", check_mode=True)
    assert planned["changed"] and server.restored == [] and "has to be off" in planned["question"]
    result = act(state="restored")
    assert result["changed"] and [body["data"] for body in server.restored] == [BLOB]
    again = act(state="restored")
    assert (again["changed"], again["question"], len(server.restored)) == (False, "", 1)
    assert "registered here already" in again["lines"][-1]


def test_shards_that_have_to_be_set_before_are_answered_to_whoever_sets_them(api, act):
    server = Server(api)
    server.shards = 4
    act(state="saved")
    server.number, server.shards = "", 1
    planned = act(state="restored", check_mode=True, sets_shards=True)
    assert planned["shards_to_set"] == 4 and "are set to 4" in planned["lines"][-1] and planned["question"]
    for refused in (act(state="restored", check_mode=True), act(state="restored", sets_shards=True)):
        assert refused["failure"]["details"]["codes"] == ["BACKUP_SHARDS_DIFFER"]
    assert server.restored == []
    server.number = "441"
    other = act(state="restored", check_mode=True, sets_shards=True)
    assert other["failure"]["details"]["codes"] == ["BACKUP_SHARDS_DIFFER", "BACKUP_TARGET_REGISTERED"]
    server.number, server.shards = "", 4
    assert act(state="restored", check_mode=True, sets_shards=True)["shards_to_set"] == 0
    assert act(state="restored")["changed"] and len(server.restored) == 1


def test_what_does_not_fit_is_refused_with_all_reasons(api, act):
    server = Server(api)
    act(state="saved")
    server.number = ""
    two = {**server.health(), "h:wa-coreapp-2": {"gateway_status": "unregistered", "role": "coreapp"}}
    server.health = lambda: two
    result = act(state="restored", number="441")
    assert result["failure"]["details"]["codes"] == ["BACKUP_NODES_DIFFER", "BACKUP_NUMBER_DIFFERS"]
    assert sorted(one["code"] for one in result["problems"]) == result["failure"]["details"]["codes"]
    assert server.restored == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "BACKUP_NOT_READ"),
        (b"plain", "BACKUP_INVALID"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n00\n", "BACKUP_PASSWORD_WRONG"),
    ],
)
def test_a_file_that_cannot_be_read(api, act, tmp_path, content, code):
    Server(api, number="")
    if content is not None:
        (tmp_path / "backups").mkdir()
        (tmp_path / "backups" / "x.vault").write_bytes(content)
    assert act(state="restored")["failure"]["code"] == code
    assert api.calls == []


def test_another_password_opens_nothing(api, act):
    Server(api)
    act(state="saved")
    assert act(state="restored", encryption_password="y" * 20)["failure"]["code"] == "BACKUP_PASSWORD_WRONG"
