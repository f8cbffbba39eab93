# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_found_inventory on the controller: files as they are on disk, and never over others."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from unittest.mock import Mock

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.waent.fleet.plugins.action.wa_found_inventory import ActionModule
from ansible_collections.waent.fleet.plugins.modules import wa_found_inventory
from ansible_collections.waent.fleet.tests.support.checkout import run
from ansible_collections.waent.fleet.tests.support.compose_containers import (
    PASSWORD,
    development,
    environments,
    host,
)
from ansible_collections.waent.fleet.tests.support.scripted_api import run_module

ADMIN = "Canary-{{ nobody }}-1"
MAIN, VAULT = "group_vars/all/main.yml", "group_vars/all/vault.yml"
KEY = [("default", VaultSecret(b"key"))]


@pytest.fixture
def options(tmp_path):
    of_nodes = {name: values for (_host, name), values in environments(one=development()).items()}
    return {
        "hosts": [host("one", development())],
        "environments": {"one": of_nodes},
        "addresses": {"one": ["192.0.2.11"]},
        "variables": {"one": {"ansible_host": "192.0.2.11", "ansible_user": "ops"}},
        "given": {"wa_admin_password": ADMIN, "wa_cert": "Q2VydA==", "wa_name_prefix": "p"},
        "database": {"configured_shards": 2, "registered_number": "447700900123"},
        "directory": str(tmp_path / "mine"),
    }


def act(options, check_mode=False, secrets=None):
    task = Mock(args=options, async_val=0, check_mode=check_mode, action="waent.fleet.wa_found_inventory")
    loader = Mock(_vault=Mock(secrets=secrets))
    result = ActionModule(task, Mock(), Mock(), loader, Mock(), Mock()).run(task_vars={})
    assert PASSWORD not in json.dumps(result)
    assert ADMIN not in json.dumps(result)
    return result


def files(options):
    directory = Path(options["directory"])
    return {str(path.relative_to(directory)): path for path in directory.rglob("*") if path.is_file()}


def test_it_is_what_ansible_reads(options):
    result = act(options)
    assert (result["changed"], result.get("failed", False)) == (True, False)
    assert set(files(options)) == {"hosts.yml", MAIN, VAULT}
    assert stat.S_IMODE(files(options)[VAULT].stat().st_mode) == 0o600
    assert "not encrypted, readable for you only" in result["lines"][-1]
    done = run("ansible-inventory", "-i", options["directory"], "--list")
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    variables = read["_meta"]["hostvars"]["one"]
    assert variables["wa_db_password"] == PASSWORD
    # Not a template, whatever it looks like.
    assert "nobody" in str(variables["wa_admin_password"])
    assert (variables["ansible_user"], variables["wa_name_prefix"], variables["wa_coreapps"]) == ("ops", "p", 3)
    assert read["wa_cluster"]["children"] == ["wa_master_hosts", "wa_webapp_hosts", "wa_coreapp_hosts"]


def test_again_nothing_is_written_and_nothing_ever_over_what_is_there(options):
    act(options)
    before = {name: path.stat().st_mtime_ns for name, path in files(options).items()}
    again = act(options)
    assert (again["changed"], again["files"]) == (False, [])
    files(options)[MAIN].write_text(files(options)[MAIN].read_text() + "wa_pin: '123456'\n")
    refused = act(options)
    assert [problem["code"] for problem in refused["problems"]] == ["INVENTORY_EXISTS"]
    assert MAIN in refused["problems"][0]["message"]
    assert {name for name, path in files(options).items() if path.stat().st_mtime_ns != before[name]} == {MAIN}


def test_check_mode_writes_nothing(options):
    result = act(options, check_mode=True)
    assert (result["changed"], len(result["files"])) == (True, 3)
    assert not Path(options["directory"]).exists()


def test_secrets_are_encrypted_where_there_is_a_vault_password(options):
    act(options, secrets=KEY)
    text = files(options)[VAULT].read_text()
    assert text.startswith("$ANSIBLE_VAULT;")
    clear = yaml.safe_load(VaultLib(KEY).decrypt(text).decode().replace("!unsafe ", ""))
    assert (clear["wa_db_password"], clear["wa_admin_password"]) == (PASSWORD, ADMIN)


def test_a_directory_that_cannot_be_made(options, tmp_path):
    (tmp_path / "file").touch()
    result = act({**options, "directory": str(tmp_path / "file" / "mine")})
    assert [problem["code"] for problem in result["problems"]] == ["INVENTORY_NOT_WRITTEN"]


def test_a_host_that_was_not_read_may_have_nodes(options):
    result = act({**options, "unread": {"two": "Connection refused"}})
    assert [(problem["code"], problem["host"]) for problem in result["problems"]] == [("HOST_NOT_READ", "two")]
    assert result["failure"]["code"] == wa_found_inventory.CODE
    assert not Path(options["directory"]).exists()


def test_it_does_nothing_but_on_the_controller(options, capfd):
    assert run_module(wa_found_inventory, capfd, **options)["failed"]
