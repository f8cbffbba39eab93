# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_checks: what its four modules answer, each with what the ones before it have found out. It reads no host."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from ansible_collections.waent.fleet.plugins.action import wa_checks as action
from ansible_collections.waent.fleet.plugins.modules import wa_identity, wa_placement, wa_preflight, wa_sizing
from ansible_collections.waent.fleet.plugins.plugin_utils.cluster_facts import FACTS
from ansible_collections.waent.fleet.tests.support.module_process import run_module_process
from ansible_collections.waent.fleet.tests.support.observed_host import bare

HOSTS = [{"name": name, "rack": name, "kinds": ["coreapp", "master", "webapp"]} for name in ("one", "two")]
SIZES = {"shards": 1, "shards_now": 0, "max_connections": 500}
ROW = {"node": "10.9.9.9:wa-coreapp-7", "age_seconds": 5.0}


@pytest.fixture
def run(monkeypatch):
    """Runs the action with what the facts of a play would be; they see what was registered before them."""
    shown = []
    monkeypatch.setattr(action, "show", shown.append)

    def call(shards=1, liveness=(), sizes=None, **options):
        inventory = [{"name": one["name"], "address": one["name"]} for one in HOSTS]

        def identity(play):
            nodes = play.result("__wa_desired")["nodes"]
            return {"nodes": nodes, "inventory": inventory, "database": {"liveness": list(liveness)}}

        def preflight(play):
            reports = [play.result(name) for name in ("__wa_desired", "__wa_first_room", "__wa_identity")]
            hosts = [dict(bare(one["name"]), asked={**bare("x")["asked"]}) for one in HOSTS]
            return {"hosts": hosts, "nodes": play.result("__wa_desired")["nodes"], "reports": reports,
                    "fix_engines": ["absent", "stopped"]}  # fmt: skip

        made = {
            "placement": lambda play: {"shards": shards, "hosts": HOSTS},
            "running": lambda play: [],
            "first_sizing": lambda play: dict(sizes or {}),
            "identity": identity,
            "preflight": preflight,
        }
        assert set(made) <= set(FACTS)
        monkeypatch.setattr(action, "FACTS", made)
        task = Mock(args=options, async_val=0, check_mode=False, action="waent.fleet.wa_checks")
        plugin = action.ActionModule(task, Mock(), Mock(), Mock(), Mock(), Mock())
        stale = {"__wa_identity": {"problems": [{"code": "STALE", "message": "of before"}]}}
        result = plugin.run(task_vars={"hostvars": {}, **stale})
        assert task.args == options and not result["failed"]
        return result, list(shown)

    return call


def codes(result):
    return [problem["code"] for problem in result["problems"]]


def test_it_answers_as_the_four_modules(run):
    result, _shown = run(sizes=SIZES)
    placed, _problems = wa_placement.answer(_whole(wa_placement.argument_spec(), {"shards": 1, "hosts": HOSTS}))
    assert (result["nodes"], result["counts"]) == (placed["nodes"], placed["counts"])
    assert result["first_room"]["needs"] == wa_sizing.answer(_whole(wa_sizing.ARGUMENTS, SIZES))[0]["needs"]
    assert set(wa_identity.answer(_whole(wa_identity.ARGUMENTS, {"nodes": [], "inventory": []}))[0]) < set(
        result["identity"]
    )
    assert set(result["preflight"]["hosts"]) == {"one", "two"}
    assert "STALE" not in codes(result["preflight"])


def _whole(spec, given):
    """With defaults."""
    return {**{name: option.get("default") for name, option in spec.items()}, **given}


def test_what_one_has_found_the_last_one_reports(run):
    result, shown = run(shards=3, sizes=SIZES, show=True)
    assert codes(result) == ["WA_SHARDS_INVALID"] and result["nodes"] == []
    assert "WA_SHARDS_INVALID" in codes(result["preflight"]) and result["preflight"]["refusal"]
    assert result["first_room"] == {}, "what has no place has no size"
    assert shown == [], "what is refused is not going to be done"


def test_the_changes_are_shown_where_they_are_asked_for(run):
    result, shown = run(show=True)
    assert codes(result["preflight"]) == [] and shown == [result["preflight"]["planned_changes"]]
    assert run()[1] == shown, "once more, and not shown"


def test_nodes_that_may_live_are_watched_before_anything_is_shown(run):
    result, shown = run(liveness=[ROW], show=True)
    assert result["identity"]["suspects"] == [ROW["node"]] and shown == []


def test_what_the_api_said_is_handed_on(run, monkeypatch):
    asked = []
    answer = wa_preflight.answer
    monkeypatch.setattr(
        action.wa_preflight.ActionModule, "answer", staticmethod(lambda params: asked.append(params) or answer(params))
    )
    run(health={"cluster": {"registered": True}}, login={"token": None})
    assert (asked[0]["health"], asked[0]["login"]) == ({"cluster": {"registered": True}}, {"token": None})


def test_there_is_no_module_of_it_on_a_host():
    with pytest.raises(AssertionError):
        run_module_process("wa_checks")
