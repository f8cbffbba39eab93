# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rotate.yml on a cluster in service, under load behind HAProxy.

Every run is as talkative as it gets, and no secret may be in what it says.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.balancer import Balancer
from ansible_collections.waent.fleet.tests.support.live_cluster import OK, LiveCluster
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, Run, write_inventory
from ansible_collections.waent.fleet.tests.support.run_reports import run_report
from ansible_collections.waent.fleet.tests.support.valid_variables import SECRETS

TALK = ("-vvv", "--diff", "-e", "confirm=yes")
RIGHTS = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP"
"""What the product needs in the database."""


def rotate(live: LiveCluster, secret: str, *more: str) -> Run:
    """The run, after a look whether it shows a secret."""
    run = live.play("rotate.yml", "-e", "rotate=" + secret, *TALK, *more)
    assert "canary" not in run.output.lower(), "a secret is shown"
    return run


def recreated(live: LiveCluster, before: dict[str, tuple[str, str]]) -> set[str]:
    """Nodes that are other containers than before."""
    return {name for name, made in live.containers().items() if before.get(name, ("",))[0] != made[0]}


def of_kind(live: LiveCluster, *kinds: str) -> set[str]:
    """Names of all nodes of these kinds."""
    return {name for name in live.containers() if name.split("-")[-2] in kinds}


def words(output: str) -> str:
    """As one line: Ansible breaks long sentences."""
    return " ".join(output.split())


def check(live: LiveCluster, secret: str, *says: str) -> None:
    """Check mode says what is going to happen, and changes nothing."""
    before = live.containers()
    run = rotate(live, secret, "--check")
    assert run.code == OK, run.output
    assert [text for text in says if text not in words(run.output)] == []
    assert live.containers() == before


def again(live: LiveCluster, secret: str) -> None:
    """A second run changes nothing."""
    before = live.containers()
    run = rotate(live, secret)
    assert run.code == OK, run.output
    assert "nothing to rotate" in words(run.output)
    assert {host: counts["changed"] for host, counts in run.recap.items() if counts["changed"]} == {}
    assert live.containers() == before


def test_another_password_of_admin_and_back(live: LiveCluster) -> None:
    first, second = SECRETS["wa_admin_password"], "Canary-admin-2-8Rw!"
    live.declare(wa_admin_password=second)
    try:
        run = rotate(live, "admin_password")
        assert (run.code, "wa_admin_former_password" in run.output) == (FAILED, True), run.output
        live.declare(wa_admin_former_password=first)
        check(live, "admin_password", "No node is touched and no request fails")
        assert rotate(live, "admin_password").code == OK
        again(live, "admin_password")
    finally:
        live.declare(wa_admin_password=first, wa_admin_former_password=second)
        assert rotate(live, "admin_password").code == OK
        live.declare(wa_admin_former_password="")
    assert live.faults(1) == []


def test_another_api_key_under_load_and_killed(live: LiveCluster, balancer: Balancer, tmp_path: Path) -> None:
    before, path = live.containers(), tmp_path / "run.json"
    live.declare(wa_api_key="canary-second-api-key-7Rt")
    check(live, "api_key", "webapps refuse (401) requests", "environment: WA_API_KEY differs from the inventory")
    arguments = ("-e", "rotate=api_key", "-e", "wa_report={0}".format(path), *TALK)
    with live.probe(webapps=[balancer.url]) as probe:
        # The first webapp has the new key, and is still out of the balancer.
        killed = live.killed("rotate.yml", "Replace | Return the webapp to the balancer", *arguments)
        assert killed.task and "canary" not in killed.output.lower(), killed.output
        assert len(recreated(live, before)) == 1
        half = run_report(path)
        assert (half["playbook"], half["result"]) == ("rotate", "running"), "site.yml is a part of it"
        assert [step["state"] for step in half["steps"]] == ["begun", "planned"]
        run = rotate(live, "api_key", *arguments[2:4])
    assert run.code == OK, run.output
    assert recreated(live, before) == of_kind(live, "webapp")
    whole = run_report(path)
    assert (whole["playbook"], whole["result"], whole["target"]) == ("rotate", "done", None)
    assert [step["state"] for step in whole["steps"]] == ["done"]
    assert whole["changes"][0].startswith("wa_api_key goes to ") and whole["changed"]
    report = probe.report
    assert (report.lost, report.twice, report.bans) == ([], [], []) and report.accepted > 0
    again(live, "api_key")


def test_what_would_change_with_it_is_refused(live: LiveCluster) -> None:
    before = live.containers()
    live.declare(wa_db_password="canary-of-the-same-user-2")
    try:
        run = rotate(live, "database_password")
        assert run.code == FAILED and "ROTATE_SAME_USER" in run.codes, run.output
        live.declare(wa_jwt_key="canary-second-jwt-key-2Xw8")
        run = rotate(live, "jwt_key")
        assert run.code == FAILED and "ROTATE_OTHER_CHANGES" in run.codes, run.output
    finally:
        live.declare(wa_db_password=SECRETS["wa_db_password"], wa_jwt_key=SECRETS["wa_jwt_key"])
    assert live.containers() == before


def test_the_database_that_site_makes_has_one_user(live: LiveCluster) -> None:
    before = live.containers()
    live.declare(wa_db_username="second", wa_db_password="canary-second-db-4Tq")
    try:
        run = rotate(live, "database_password")
    finally:
        live.declare(wa_db_username="root", wa_db_password=SECRETS["wa_db_password"])
    assert run.code == FAILED and "WA_DATABASE_USER" in run.codes, run.output
    assert live.containers() == before


@pytest.mark.thorough
def test_another_key_for_tokens_under_load(live: LiveCluster, balancer: Balancer) -> None:
    before = live.containers()
    live.declare(wa_jwt_key="canary-third-jwt-key-5Bn1")
    check(live, "jwt_key", "Every token ends with it")
    with live.probe(webapps=[balancer.url]) as probe:
        run = rotate(live, "jwt_key")
    assert run.code == OK, run.output
    live._token = ""
    assert recreated(live, before) == of_kind(live, "webapp")
    assert (probe.report.lost, probe.report.twice, probe.report.bans) == ([], [], [])
    again(live, "jwt_key")


@pytest.mark.thorough
def test_another_secret_between_the_nodes(live: LiveCluster, balancer: Balancer) -> None:
    before = live.containers()
    given: dict[str, t.Any] = live._given["wa_extra_environment"]
    live.declare(wa_extra_environment={**given, "WA_SECRET": "canary-between-nodes-4Hn"})
    check(live, "wa_secret", "no message is accepted until webapps and coreapps are back")
    with live.probe(webapps=[balancer.url]) as probe:
        run = rotate(live, "wa_secret")
    assert run.code == OK, run.output
    assert recreated(live, before) == of_kind(live, "webapp", "master", "coreapp")
    assert (probe.report.lost, probe.report.twice, probe.report.bans) == ([], [], [])
    assert live.faults(1) == []
    again(live, "wa_secret")


@pytest.fixture
def database_elsewhere(live: LiveCluster) -> t.Iterator[None]:
    """The inventory takes the database for one that is there: of those that site.yml makes, only root is the user."""
    before = live.inventory
    hosts = {live.shape.host: live.shape.host_variables()}
    live.inventory = write_inventory(live.home / "elsewhere.yml", hosts, haproxy=[live.shape.host])
    yield
    live.inventory = before


# The last one here: the cluster keeps the second user, and is recreated for whoever asks for it as it was.
@pytest.mark.thorough
def test_a_second_user_of_the_database_under_load_and_killed(
    live: LiveCluster, balancer: Balancer, database_elsewhere: None
) -> None:
    live.spoilt = True
    before = live.containers()
    live._sql(
        "CREATE USER 'second'@'%' IDENTIFIED BY 'canary-second-db-4Tq'; GRANT {0} ON *.* TO 'second'@'%';".format(
            RIGHTS
        )
    )
    live.declare(wa_db_username="second", wa_db_password="canary-second-db-4Tq")
    check(live, "database_password", "Each shard changes its owner, about 10 s without service there.")
    with live.probe(webapps=[balancer.url]) as probe:
        killed = live.killed("rotate.yml", "Switchover | Wait until a standby", "-e", "rotate=database_password", *TALK)
        assert killed.task, killed.output
        assert "canary" not in killed.output
        run = rotate(live, "database_password")
    assert run.code == OK, run.output
    assert recreated(live, before) == of_kind(live, "webapp", "master", "coreapp")
    report = probe.report
    assert (report.lost, report.twice, report.bans) == ([], [], []) and report.accepted > 0
    assert live.faults(1) == []
    again(live, "database_password")
