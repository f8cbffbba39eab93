# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status as a document: in the form that its schema describes, whatever was read."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.report import report
from ansible_collections.waent.fleet.plugins.module_utils._check.status import Reports
from ansible_collections.waent.fleet.tests.unit.plugins.module_utils._check.test_status import (
    AWAY,
    HEALTH,
    KEY_REFUSED,
    NODES,
    PROBLEM,
    REFUSED,
)

SCHEMA = json.loads((Path(__file__).parents[5] / "docs" / "status-report.schema.json").read_text(encoding="utf-8"))
NUMBER = "15550100244"


def document(health=HEALTH, **more):
    made = report(Reports(NODES, health, **more), cluster_name="wa", time="2026-11-29T02:30:00Z", shards=2)
    jsonschema.Draft202012Validator(SCHEMA).validate(made)
    return made


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert set(SCHEMA["required"]) == set(SCHEMA["properties"]) == set(document())


def test_a_healthy_cluster():
    made = document({**HEALTH, "cluster": {**HEALTH["cluster"], "shards": 1, "registered_number": NUMBER}})
    assert (made["healthy"], made["problems"], made["shards"]) == (True, [], {"set": 1, "declared": 2})
    assert made["nodes"][0]["shards"] == [-1, 0] and made["nodes"][1]["shards"] == []
    assert NUMBER not in json.dumps(made)


@pytest.mark.parametrize(
    "health, more",
    [
        (AWAY, {"unread": {"two": "timed out"}}),
        (KEY_REFUSED, {"login": REFUSED, "has_key": True}),
        ({}, {}),
        ({"failed": True, "msg": "It broke."}, {}),
        (HEALTH, {"preflight": {"problems": [PROBLEM], "plan": []}}),
        ({**HEALTH, "webapps": [{"url": "https://one:9090", "answers": False, "error": "API_1023"}]}, {"notes": ["a"]}),
    ],
)
def test_whatever_was_read_it_has_the_same_form(health, more):
    made = document(health, **more)
    assert made["healthy"] is (not made["problems"])


def test_the_schema_refuses_another_form():
    for change in ({"format_version": 2}, {"nodes": [{"name": 1}]}, {"problems": [{"code": "x"}]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(SCHEMA).validate({**document(), **change})
