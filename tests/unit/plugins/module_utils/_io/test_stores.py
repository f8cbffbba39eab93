# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks and volumes: made where the engine says that there is none, and left alone otherwise."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io.command import NoAnswer
from ansible_collections.waent.fleet.plugins.module_utils._io.stores import NETWORK, VOLUME, make

DESIRED = {"name": "waent", "labels": {"waent.fleet.cluster": "waent"}}
ABSENT = {
    NETWORK: (1, "", "Error response from daemon: network waent not found\n"),
    VOLUME: (1, "", "Error response from daemon: get waent: no such volume\n"),
}
FOUND = (0, "waent\n", "")
DONE = (0, "6f1c\n", "")


def engine(*answers):
    """Runs commands, and keeps them."""
    left, asked = list(answers), []

    def run(argv):
        asked.append(argv[1:])
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return run, asked


@pytest.mark.parametrize("kind", [NETWORK, VOLUME])
def test_what_is_missing_is_made_with_its_labels(kind):
    run, asked = engine(ABSENT[kind], DONE)
    assert make(run, "docker", kind, DESIRED, check=False) == {"changed": True, "failed": False}
    assert asked[1] == [kind, "create", "--label=waent.fleet.cluster=waent", "waent"]


@pytest.mark.parametrize("kind", [NETWORK, VOLUME])
@pytest.mark.parametrize("check", [False, True])
def test_what_exists_stays_as_it_is(kind, check):
    run, asked = engine(FOUND)
    assert make(run, "docker", kind, DESIRED, check) == {"changed": False, "failed": False}
    assert len(asked) == 1


def test_check_mode_makes_nothing():
    run, asked = engine(ABSENT[NETWORK])
    assert make(run, "docker", NETWORK, DESIRED, check=True) == {"changed": True, "failed": False}
    assert len(asked) == 1


def test_a_network_whose_id_begins_like_the_name_is_another_one():
    run, asked = engine((0, "somebody-elses\n", ""), DONE)
    assert make(run, "docker", NETWORK, DESIRED, check=False)["changed"]
    assert asked[1][1] == "create"


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([(1, "", "Cannot connect to the Docker daemon.\n")], "Cannot connect to the Docker daemon."),
        ([ABSENT[VOLUME], (1, "", "no space left on device\n"), ABSENT[VOLUME]], "no space left on device"),
        ([ABSENT[VOLUME], (1, "", "no space left on device\n"), (1, "", "it is gone\n")], "no space left on device"),
        ([NoAnswer("docker volume: no answer within 25 s")], "docker volume: no answer within 25 s"),
        ([(1, "", "")], "it gave no reason"),
    ],
)
def test_what_cannot_be_made_or_seen_is_a_failure(answers, said):
    run, _asked = engine(*answers)
    assert make(run, "docker", VOLUME, DESIRED, check=False) == {"changed": False, "failed": True, "msg": said}


def test_somebody_else_may_make_it_in_between():
    run, _asked = engine(ABSENT[NETWORK], (1, "", "network with name waent already exists\n"), FOUND)
    assert make(run, "docker", NETWORK, DESIRED, check=False) == {"changed": False, "failed": False}
