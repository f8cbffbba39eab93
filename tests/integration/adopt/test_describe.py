# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""adopt.yml beside nodes that docker-compose has started: it writes down what it finds, and touches nothing."""

from __future__ import annotations

import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.compose_cluster import (
    AWAY,
    CERT,
    DEVELOPMENT,
    DIVISOR,
    HOST,
    NUMBER,
    PASSWORD,
    SINGLE,
    ComposeCluster,
    Setup,
)
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK
from ansible_collections.waent.fleet.tests.support.printed import commands_after

MAIN, VAULT = "group_vars/all/main.yml", "group_vars/all/vault.yml"


@pytest.fixture(params=[SINGLE, pytest.param(DEVELOPMENT, marks=pytest.mark.thorough)], ids=lambda setup: setup.name)
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> t.Iterator[ComposeCluster]:
    """A cluster in service."""
    setup: Setup = request.param
    with ComposeCluster(tmp_path, setup) as made:
        yield made


def test_what_compose_has_started_is_written_down(cluster: ComposeCluster) -> None:
    before = cluster.containers()
    lacking = cluster.describe(into=False)
    assert (lacking.code, lacking.codes) == (FAILED, ["INTO_MISSING"]), lacking.output
    command, *_ = commands_after(lacking.output, "[INTO_MISSING]")
    assert "into" in command.given(into=str(cluster.inventory))[-1]

    planned = cluster.describe("--check")
    assert planned.code == OK, planned.output
    assert not cluster.inventory.exists(), "check mode writes nothing"

    refused = cluster.describe(away=AWAY)
    assert (refused.code, refused.codes) == (FAILED, ["HOST_NOT_READ"]), refused.output
    assert not cluster.inventory.exists(), "what an unread host has is in no inventory"

    run = cluster.describe("-vvv", "--diff")
    assert run.code == OK, run.output
    for secret in ("testpass", PASSWORD, CERT):
        assert secret not in run.output
    assert stat.S_IMODE((cluster.inventory / VAULT).stat().st_mode) == 0o600
    main, vault = cluster.written(MAIN), cluster.written(VAULT)
    assert (main["wa_version"], main["wa_shards"]) == ("v2.19.4", cluster.setup.shards)
    assert (main["wa_cc"] + main["wa_phone_number"]) == "1" + NUMBER
    assert main["wa_media"] in cluster.volumes()
    assert vault["wa_db_password"] == "testpass"
    assert vault["wa_extra_environment"]["WAEMU_TIME_DIVISOR"] == DIVISOR
    hosts = cluster.written("hosts.yml")["all"]["hosts"]
    assert set(hosts) == {HOST}
    if cluster.setup.shards > 1:
        counts = {kind: hosts[HOST]["wa_{0}s".format(kind)] for kind in cluster.setup.nodes}
        assert counts == cluster.setup.nodes

    again = cluster.describe()
    assert (again.code, sum(again.changes.values())) == (OK, 0), again.output
    assert cluster.containers() == before
    assert cluster.nodes() == {}
    assert cluster.serves()
