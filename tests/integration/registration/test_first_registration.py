# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first registration of a number with several shards: whatever site.yml says to do next works from that state.

Nobody is at the terminal. The order of the tests matters: each goes on with what the one before has left.
"""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.live_cluster import CODE, OK, LiveCluster, Shape
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, Run

SHARDS = 2


def with_code(code: str) -> list[str]:
    """As the sentences say it."""
    return ["-e", "wa_registration_code=" + code]


def said(run: Run) -> str:
    """What it said, without the folding of long lines."""
    return " ".join(run.output.split())


def changes(run: Run) -> list[int]:
    return [numbers["changed"] for numbers in run.recap.values()]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[LiveCluster]:
    """Prepared only: no node, no database, and no code in the inventory."""
    shape = Shape("first", 22000, shards=SHARDS, webapps=1, more={"wa_registration_code": ""})
    made = LiveCluster(tmp_path_factory.mktemp("first"), shape)
    try:
        made.prepare()
        yield made
    finally:
        made.remove()


def test_without_a_code_it_says_how_to_give_one(cluster: LiveCluster) -> None:
    run = cluster.play("site.yml")
    assert run.code == FAILED, run.output
    assert "[REGISTRATION_CODE_MISSING]" in said(run)
    assert "Run the playbook again with -e wa_registration_code=CODE" in said(run)


def test_a_wrong_code_is_reported_as_one(cluster: LiveCluster) -> None:
    run = cluster.play("site.yml", *with_code("999999"))
    assert run.code == FAILED, run.output
    assert "SHARDS_DIFFER" not in said(run)
    assert "The registration code was not accepted" in said(run)
    assert "run the playbook again with -e wa_registration_code=CODE" in said(run)


def test_the_right_code_after_that_ends_with_all_shards(cluster: LiveCluster) -> None:
    run = cluster.play("site.yml", *with_code(CODE))
    assert run.code == OK, run.output
    assert cluster.faults(SHARDS) == []
    again = cluster.play("site.yml")
    assert (again.code, set(changes(again))) == (OK, {0}), again.output


def test_registered_without_its_shards_it_says_what_finishes_it(cluster: LiveCluster) -> None:
    """As a run killed in between leaves it. It may be in service: site.yml leaves it so, and says what helps."""
    cluster.lose_its_shards()
    refused = cluster.play("site.yml")
    assert (refused.code, refused.codes) == (FAILED, ["SHARDS_DIFFER"]), refused.output
    (sentence,) = refused.sentences("SHARDS_DIFFER")
    assert "run playbooks/reshard.yml -e shards={0}.".format(SHARDS) in sentence
    finished = cluster.reshard(SHARDS, "-e", "confirm=yes")
    assert finished.code == OK, finished.output
    assert cluster.faults(SHARDS) == []
    again = cluster.play("site.yml")
    assert (again.code, set(changes(again))) == (OK, {0}), again.output
