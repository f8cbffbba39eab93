# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session of the API that the preflight opened is ended there, however the run goes on, in check mode too.

The tasks are those of the roles, run by ansible-playbook against a real HTTPS server that knows logins.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, play, write_inventory, write_variables
from ansible_collections.waent.fleet.tests.support.scripted_api import META, ScriptedApi, certificate
from ansible_collections.waent.fleet.tests.support.valid_variables import but

LOGIN, LOGOUT = ("POST", "/v1/users/login"), ("POST", "/v1/users/logout")
TOKEN = "canary-token-7c"

# As site.yml goes: the API is queried for whether the cluster is in service, and then something ends the run.
RUN = [
    {
        "hosts": "wa_cluster",
        "gather_facts": False,
        "tasks": [
            {"ansible.builtin.import_role": {"name": "waent.fleet.preflight", "tasks_from": "desired"}},
            {"ansible.builtin.import_role": {"name": "waent.fleet.preflight", "tasks_from": "in_service"}},
        ],
    },
    {"hosts": "wa_cluster", "gather_facts": False, "tasks": [{"ansible.builtin.fail": {"msg": "image not pulled"}}]},
]


@pytest.fixture
def api(tmp_path):
    """A webapp that accepts the password; everything else it refuses."""
    server = ScriptedApi(*certificate(tmp_path))
    server.on(*LOGIN, {"users": [{"token": TOKEN, "expires_after": "2026-12-06 00:00:00+00:00"}], "meta": META})
    server.on(*LOGOUT, {"meta": META})
    yield server
    server.close()


@pytest.mark.parametrize("mode", [(), ("--check",)], ids=["run", "check"])
def test_a_run_that_fails_after_it_asked_the_api_leaves_no_session(mode, api, tmp_path: Path) -> None:
    reached = {"wa_address": "wa-1", "wa_api_address": "127.0.0.1", "wa_webapp_port": api.port}
    host = {"ansible_connection": "local", "rack": "a", **reached}
    inventory = write_inventory(tmp_path / "hosts.yml", {"one": host})
    variables = write_variables(tmp_path / "variables.json", but())
    playbook = tmp_path / "run.yml"
    playbook.write_text(json.dumps(RUN))
    done = play(str(playbook), "-i", inventory, "-e", variables, *mode)
    assert done.code == FAILED and "image not pulled" in done.output, done.output
    ended = [call.what for call in api.calls if call.what in (LOGIN, LOGOUT)]
    assert ended == [LOGIN, LOGOUT], done.output
    assert next(call for call in api.calls if call.what == LOGOUT).authorization == "Bearer " + TOKEN
    assert TOKEN not in done.output


def test_who_stops_a_run_logs_out_in_the_way_that_hides_no_reason() -> None:
    """A logout that fails ends a run with its own message; only where the run has ended well may it do that."""
    tasks = sorted(ROOT.glob("roles/*/tasks/**/*.yml"))
    direct = {path.name for path in tasks if "tasks_from: logout\n" in path.read_text()}
    assert direct == {"log_out.yml", "prove.yml"}
