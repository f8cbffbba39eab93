# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""C(--check --diff) before anything is installed: it shows what would happen, and nothing does."""

from __future__ import annotations

from ansible_collections.waent.fleet.tests.support import valid_variables
from ansible_collections.waent.fleet.tests.support.container_hosts import DATABASE_IMAGE, ContainerHosts
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK


def test_check_mode_shows_what_would_happen_on_a_machine_whose_engine_never_ran(fleet: ContainerHosts) -> None:
    fleet.write_hosts({"two": {}}, wa_database_hosts=["two"])
    variables = valid_variables.but(
        wa_database_image=DATABASE_IMAGE, wa_db_check_host="{{ ansible_host }}", wa_address="{{ ansible_host }}"
    )
    before = fleet.state("two")
    assert before["engine"] is False
    run = fleet.site(variables, "--check", "--diff")
    assert run.code == OK, run.output
    assert fleet.state("two") == before
    for sentence in (
        "two: start Docker Engine (it has never run)",
        "two: pull image docker.whatsapp.biz/web:v2.19.4",
        "two: pull image docker.whatsapp.biz/coreapp:v2.19.4",
        *("two: create wa-{0}".format(name) for name in ("db", "webapp-1", "master-2", "coreapp-2")),
    ):
        assert sentence in run.output


def test_a_database_of_our_own_that_would_be_too_small_is_reported_before_it_is_made(fleet: ContainerHosts) -> None:
    fleet.write_hosts({"two": {}}, wa_database_hosts=["two"])
    variables = valid_variables.but(
        wa_database_image=DATABASE_IMAGE, wa_db_check_host="{{ ansible_host }}", wa_address="{{ ansible_host }}",
        wa_shards=32, wa_database_max_connections=12,
    )  # fmt: skip
    run = fleet.site(variables, "--check")
    assert run.code == FAILED, run.output
    (sentence,) = run.sentences("DB_CONNECTIONS_TOO_FEW")
    assert "32 shards need about 1750" in sentence and "allows 12" in sentence
    assert "wa_database_max_connections" in sentence
