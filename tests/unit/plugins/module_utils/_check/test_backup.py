# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a backup holds, and every reason for which it does not fit."""

from __future__ import annotations

import json

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.backup import (
    FACTS,
    Backup,
    facts_of,
    file_name,
    is_there,
    misfits,
    notes_after,
    password_problems,
    question,
    read,
    shown,
    written,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from hypothesis import given
from hypothesis import strategies as st

FACTS_HERE = {
    "number": "15550100", "shards": 2, "masters": 2, "coreapps": 3, "version": "v2.19.4", "settings": {"a": 1},
    "users": {"admin": "ROLE_ADMIN", "sender": "ROLE_USER"},
}  # fmt: skip


def cluster(**changes):
    kinds = ["master"] * changes.pop("masters", 2) + ["coreapp"] * changes.pop("coreapps", 3)
    whole = {
        "registered": False, "registered_number": None, "shards": 2, "version": "v2.19.4",
        "nodes": [{"kind": kind} for kind in kinds],
    }  # fmt: skip
    return {**whole, **changes}


def codes(facts, target, number=""):
    return [problem.code for problem in misfits(facts, target, number)]


VALUES = {
    str: st.text(max_size=20),
    int: st.integers(0, 64),
    dict: st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
}


@given(
    st.fixed_dictionaries({name: VALUES[kind] for name, kind in FACTS.items()}),
    st.tuples(*[st.text(min_size=1, max_size=20)] * 3),
)
def test_what_was_written_is_read_again(facts, texts):
    backup = Backup(facts, *texts)
    assert read(written(backup)) == backup


PARTS = st.sampled_from(["format", "format_version", "facts", "data", "password", "made"])
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5)


@given(
    st.recursive(
        LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PARTS, inner, max_size=4), max_leaves=12
    )
)
def test_anything_else_is_refused_with_a_sentence(value):
    with pytest.raises(Refusal) as refused:
        read(json.dumps(value))
    assert refused.value.code == "BACKUP_INVALID"


@pytest.mark.parametrize(
    "change",
    [
        {"format_version": 2},
        {"data": ""},
        {"password": None},
        {"facts": {}},
        {"made": 3},
        {"facts": {**FACTS_HERE, "shards": True}},
        {"facts": {**FACTS_HERE, "number": 15550100}},
    ],
)
def test_a_part_that_is_not_whole_is_refused(change):
    document = json.loads(written(Backup(FACTS_HERE, "blob", "secret", "2026-11-29T19:00:00Z")))
    with pytest.raises(Refusal) as refused:
        read(json.dumps({**document, **change}))
    assert refused.value.code == "BACKUP_INVALID" and "blob" not in refused.value.message


def test_the_facts_of_a_cluster():
    running = cluster(registered=True, registered_number="15550100")
    facts, problems = facts_of(running, {"a": 1}, {"admin": "ROLE_ADMIN", "sender": "ROLE_USER"})
    assert (facts, problems) == (FACTS_HERE, [])
    assert facts.keys() == FACTS.keys()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"registered": False}, "BACKUP_NOT_REGISTERED"),
        ({"registered": None}, "BACKUP_UNKNOWN"),
        ({"registered": True, "registered_number": None}, "BACKUP_UNKNOWN"),
        ({"registered": True, "registered_number": "1", "shards": None}, "BACKUP_UNKNOWN"),
    ],
)
def test_what_could_not_be_checked_later_is_not_backed_up(changes, code):
    assert [problem.code for problem in facts_of(cluster(**changes), {}, {})[1]] == [code]


def test_the_same_cluster_without_a_number_fits():
    assert misfits(FACTS_HERE, cluster(), "15550100") == []
    assert misfits(FACTS_HERE, cluster(version="v2.19.7"), "") == []


@pytest.mark.parametrize(
    ("changes", "number", "code", "words"),
    [
        ({}, "15550199", "BACKUP_NUMBER_DIFFERS", "of the number 15550100, and the inventory is of 15550199"),
        ({"shards": 4}, "", "BACKUP_SHARDS_DIFFER", "of 2 shards, this installation has 4"),
        ({"shards": None}, "", "BACKUP_SHARDS_DIFFER", "of 2 shards, this installation has 1"),
        ({"masters": 1}, "", "BACKUP_NODES_DIFFER", "with 2 masters, this installation has 1"),
        ({"coreapps": 4}, "", "BACKUP_NODES_DIFFER", "with 3 coreapps, this installation has 4"),
        ({"version": "v2.18.9"}, "", "BACKUP_VERSION_OLDER", "of version v2.19.4, this installation has v2.18.9"),
        ({"registered": None}, "", "BACKUP_TARGET_UNKNOWN", "cannot be read"),
        (
            {"registered": True, "registered_number": "44"},
            "",
            "BACKUP_TARGET_REGISTERED",
            "The number 44 is registered",
        ),
    ],
)
def test_each_thing_that_does_not_fit_has_its_reason(changes, number, code, words):
    (problem,) = misfits(FACTS_HERE, cluster(**changes), number)
    assert problem.code == code and words in problem.message


@given(
    st.sampled_from([1, 2, 4, None]), st.integers(0, 4), st.integers(0, 5),
    st.sampled_from(["v2.18.1", "v2.19.4", "odd"]), st.sampled_from(["", "15550100", "1"]),
    st.sampled_from([(False, None), (None, None), (True, "15550100"), (True, "9")]),
)  # fmt: skip
def test_all_that_does_not_fit_is_named_at_once(shards, masters, coreapps, version, number, registered):
    target = cluster(
        shards=shards, masters=masters, coreapps=coreapps, version=version, registered=registered[0],
        registered_number=registered[1],
    )  # fmt: skip
    found = codes(FACTS_HERE, target, number)
    assert ("BACKUP_SHARDS_DIFFER" in found) == ((shards or 1) != 2)
    assert found.count("BACKUP_NODES_DIFFER") == (masters != 2) + (coreapps != 3)
    assert ("BACKUP_VERSION_OLDER" in found) == (version == "v2.18.1")
    assert ("BACKUP_NUMBER_DIFFERS" in found) == (number == "1")
    assert ("BACKUP_TARGET_REGISTERED" in found) == (registered == (True, "9"))
    assert is_there(FACTS_HERE, target) == (registered == (True, "15550100"))


@pytest.mark.parametrize(
    ("password", "code"),
    [("", "BACKUP_PASSWORD_MISSING"), (None, "BACKUP_PASSWORD_MISSING"), ("x" * 15, "BACKUP_PASSWORD_SHORT")],
)
def test_a_password_that_protects_nothing(password, code):
    (problem,) = password_problems(password)
    assert problem.code == code and "xxx" not in problem.message
    assert password_problems("x" * 16) == []


def test_what_no_backup_holds_is_said():
    assert notes_after(FACTS_HERE, {"a": 1}, {"admin": "ROLE_ADMIN", "sender": "ROLE_USER"}) == []
    assert notes_after(FACTS_HERE, {"a": 2}, {"admin": "ROLE_ADMIN"}) == [
        "Other than in the backup: settings a.",
        "No user sender is here: users and their passwords are in no backup; create them again.",
    ]


def test_what_is_shown_and_asked():
    assert shown(FACTS_HERE, "2026-11-29T19:00:00Z") == [
        "Backup of 2026-11-29T19:00:00Z: number 15550100, 2 shards, 2 masters, 3 coreapps, version v2.19.4",
        "users: admin, sender",
    ]
    assert "Any other installation of 15550100 has to be off" in question(FACTS_HERE)


@given(st.text(max_size=20))
def test_a_cluster_gives_its_files_a_name_that_fits_into_a_path(cluster_name):
    name = file_name(cluster_name, "20261129T190000Z")
    assert "/" not in name and not name.startswith(".") and name.endswith("-registration-20261129T190000Z.vault")
