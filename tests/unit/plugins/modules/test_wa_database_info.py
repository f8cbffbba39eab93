# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_database_info through main(): the driver is real, the server is not there or is played."""

from __future__ import annotations

import json
import socket

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._state.database import GROUPS, Report, database_name
from ansible_collections.waent.fleet.plugins.modules import wa_database_info
from ansible_collections.waent.fleet.tests.support.scripted_api import run_module

DATABASES = tuple(database_name("one_", group) for group in GROUPS)
OPTIONS = {"db_host": "127.0.0.1", "db_username": "waent", "db_password": "canary-db-pw"}


def test_nobody_there(capfd):
    pytest.importorskip("pymysql")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    result = run_module(wa_database_info, capfd, db_port=port, **OPTIONS)
    assert not result.get("failed") and not result["usable"] and not result["changed"]
    assert [(p["code"], p["variable"]) for p in result["problems"]] == [("DB_UNREACHABLE", "wa_db_host")]
    assert "127.0.0.1:{0}".format(port) in result["problems"][0]["message"]
    assert result["database"]["reachable"] is False and result["database"]["max_connections"] is None
    assert "canary-db-pw" not in json.dumps(result)


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"max_connections": 500, "connections": 148, "databases": DATABASES}, []),
        ({"max_connections": 500, "connections": 149, "databases": DATABASES}, ["DB_CONNECTIONS_LOW"]),
        ({"max_connections": 500, "connections": 148, "databases": DATABASES[1:]}, ["DB_SCHEMA_MISSING"]),
    ],
)
def test_result_and_what_is_asked_for(capfd, monkeypatch, changes, codes):
    asked = []

    def read(access):
        asked.append(access)
        return Report("MYSQL", access.address, name_prefix="one_", reachable=True, version="8.0.33", **changes)

    monkeypatch.setattr(wa_database_info, "read_database", read)
    result = run_module(
        wa_database_info,
        capfd,
        check=True,
        connections_needed=352,
        expect_schema=True,
        db_name_prefix="one_",
        **OPTIONS,
    )
    assert result["usable"] is (not codes) and [problem["code"] for problem in result["problems"]] == codes
    assert result["database"]["version"] == "8.0.33"
    assert asked[0].address == "127.0.0.1:3306" and asked[0].name_prefix == "one_"


def test_host_is_required(capfd, monkeypatch):
    monkeypatch.delenv("WA_DB_HOSTNAME", raising=False)
    assert run_module(wa_database_info, capfd)["msg"] == "missing required arguments: db_host"
    assert "db_host is empty" in run_module(wa_database_info, capfd, db_host="")["msg"]
