# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new cluster that takes the number of a single instance, which is stopped for it when that is said."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.compose_cluster import DIVISOR, NUMBER, SINGLE, ComposeCluster
from ansible_collections.waent.fleet.tests.support.live_cluster import LiveCluster, Shape
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK
from ansible_collections.waent.fleet.tests.support.printed import commands_after

pytestmark = pytest.mark.thorough


@pytest.fixture
def single(tmp_path: Path) -> t.Iterator[ComposeCluster]:
    """In service."""
    with ComposeCluster(tmp_path / "single", SINGLE) as made:
        yield made


@pytest.fixture
def cluster(tmp_path: Path, single: ComposeCluster) -> t.Iterator[LiveCluster]:
    """Prepared only: nothing of it runs. It is of the same number, and comes to the same gateway."""
    made = LiveCluster(tmp_path, Shape("instead", 30700, shards=1, webapps=1, more={"wa_phone_number": NUMBER}))
    try:
        made.prepare()
        made.declare(wa_extra_environment={"WAEMU_TIME_DIVISOR": DIVISOR, "WAEMU_GATEWAY_URL": single.link})
        made.gateway_url = single.gateway_url
        yield made
    finally:
        made.remove()


def running(single: ComposeCluster) -> set[str]:
    """The services of the set-up whose containers run."""
    names = ("waweb", "wacore", "db")
    return {name for name in names if single.project.container(name).status == "running"}


def test_a_single_instance_is_stopped_for_the_cluster_that_takes_its_number(
    cluster: LiveCluster, single: ComposeCluster
) -> None:
    refused = cluster.play("site.yml")
    assert refused.code == FAILED and "SINGLE_CONNECT_RUNNING" in refused.codes, refused.output
    (command, *_) = commands_after(refused.output, "[SINGLE_CONNECT_RUNNING]")
    assert not command.again, "an argument is added"
    assert running(single) == {"waweb", "wacore", "db"} and single.serves()
    run = cluster.play("site.yml", *command.given())
    assert run.code == OK, run.output
    assert running(single) == {"db"}
    assert cluster.faults(1) == []
    status = cluster.play("status.yml")
    assert status.code == OK, status.output
