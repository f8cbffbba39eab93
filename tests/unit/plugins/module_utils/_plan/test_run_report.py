# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run as a document: in the form that its schema describes, in whatever order things happen."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import jsonschema
import pytest
from ansible_collections.waent.fleet.plugins.module_utils._plan.run_report import PLAYBOOKS, RunReport
from hypothesis import given
from hypothesis import strategies as st

SCHEMA = json.loads((Path(__file__).parents[5] / "docs" / "run-report.schema.json").read_text(encoding="utf-8"))
THEN, NOW = "2026-11-29T02:30:00Z", "2026-11-29T02:31:00Z"


def begun(playbook: str = "reshard", check: bool = False) -> RunReport:
    return RunReport(playbook, "wa", check, THEN, hosts=("one", "two"))


def plan(*sentences: str, certain: int | None = None, operation: str = "reshard") -> dict[str, t.Any]:
    steps = [{"action": "create", "nodes": ["one:wa-coreapp-1"], "sentence": text, "gate": {}} for text in sentences]
    now = len(sentences) if certain is None else certain
    return {
        "operation": operation, "target": "4", "steps": steps, "batches": [[]] * now, "again": now < len(sentences)
    }  # fmt: skip


def document(report: RunReport) -> dict[str, t.Any]:
    made = report.document(NOW)
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(json.dumps(made)))
    return made


def states(report: RunReport) -> list[tuple[int, str, str]]:
    return [(step["number"], step["sentence"], step["state"]) for step in document(report)["steps"]]


def test_the_schema_is_one_and_names_every_member() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert set(SCHEMA["required"]) == set(SCHEMA["properties"]) == set(document(begun()))
    assert SCHEMA["properties"]["playbook"]["enum"] == list(PLAYBOOKS)


def test_a_run_that_does_all_it_planned() -> None:
    report = begun()
    report.plan(plan("Create.", "Set shards.", "Remove.", certain=2))
    report.begin(1)
    report.begin(2)
    assert states(report) == [(1, "Create.", "done"), (2, "Set shards.", "begun"), (3, "Remove.", "planned")]
    assert document(report)["result"] == "running", "a run that is killed now leaves that"
    report.pass_on()
    report.plan(plan("Remove two.", "Remove one."))
    assert states(report)[2:] == [(3, "Remove two.", "planned"), (4, "Remove one.", "planned")]
    report.begin(3)
    report.begin(4)
    report.change("one")
    report.change("one")
    report.end()
    made = document(report)
    assert (made["result"], made["target"], made["changed"], made["problems"]) == ("done", 4, {"one": 2}, [])
    assert {step["state"] for step in made["steps"]} == {"done"}


def test_two_plans_of_one_run_are_both_there() -> None:
    """site.yml recreates nodes, and empties a host afterwards."""
    report = begun("site")
    report.plan(plan("Replace.", operation="upgrade"))
    report.begin(1)
    report.plan(plan("Empty.", operation="drain"))
    report.begin(1)
    assert states(report) == [(1, "Replace.", "done"), (1, "Empty.", "begun")]
    assert document(report)["target"] is None, "the target of a part is not that of the run"


def test_what_site_recreates_leads_to_no_target() -> None:
    report = begun("site")
    report.plan(plan("Replace.", operation="site"))
    assert document(report)["target"] is None


def test_planned_changes_are_none() -> None:
    report = begun("site", check=True)
    report.will_change(["  one: create wa-db"])
    report.change("one")
    report.end()
    made = document(report)
    assert (made["result"], made["changes"]) == ("planned", ["one: create wa-db"])


def test_what_is_changed_beside_the_steps_is_what_was_said_first() -> None:
    report = begun("uninstall")
    assert not report.hear("wa_checks", "Decide", {"preflight": {"planned_changes": ["x"]}}), "of another playbook"
    assert report.hear("wa_removal", "Decide", {"planned_changes": ["Of cluster wa this goes:", "  one: volume v"]})
    assert not report.hear("wa_removal", "Compare", {"planned_changes": []})
    assert not report.hear("wa_removal", "Compare", {"planned_changes": ["nothing is there"]})
    assert document(report)["changes"] == ["Of cluster wa this goes:", "one: volume v"]


def test_site_reads_its_hosts_again_and_says_another_thing_then() -> None:
    report = begun("site")
    assert report.hear("wa_checks", "x", {"preflight": {"planned_changes": ["start Docker Engine"]}})
    assert report.hear("wa_checks", "x", {"preflight": {"planned_changes": ["create wa-db"]}})
    assert document(report)["changes"] == ["create wa-db"]


def test_what_is_shown_of_certificates_is_one_of_many_things_shown() -> None:
    report = begun("certificates")
    assert not report.hear("wa_show", "role : Show | Show the plan", {"lines": ["a plan"]})
    assert report.hear("wa_show", "role : Plan certificates | Show what is brought", {"lines": ["The certificate is"]})
    assert document(report)["changes"] == ["The certificate is"]


def test_a_refusal_has_every_problem_with_its_host() -> None:
    report = begun()
    report.fail("2 problems were found, nothing was changed.\n[A_B] one: It is odd.\n[C_D] three: It is even.", "one")
    report.end()
    made = document(report)
    assert (made["result"], made["problems"]) == (
        "refused",
        [
            {"code": "A_B", "host": "one", "message": "It is odd."},
            {"code": "C_D", "host": None, "message": "three: It is even."},
        ],
    )


def test_a_step_that_fails_is_named_with_its_reason() -> None:
    report = begun()
    report.plan(plan("Create.", "Set shards."))
    report.begin(1)
    report.fail("[RESHARD_STOPPED] It stopped.\nWhy: [NODE_EXITED] It ended.\nLast log lines:\n  a token", "one")
    report.end()
    made = document(report)
    assert (made["result"], [step["state"] for step in made["steps"]]) == ("stopped", ["failed", "planned"])
    assert [problem["code"] for problem in made["problems"]] == ["RESHARD_STOPPED", "NODE_EXITED"]
    assert "a token" not in json.dumps(made)


@pytest.mark.parametrize(("changed", "result"), [(False, "refused"), (True, "stopped")])
def test_words_without_a_code_are_not_in_it(changed: bool, result: str) -> None:
    """A module that breaks may say anything, secrets too, and everybody may read the file."""
    report = begun()
    if changed:
        report.change("two")
    report.fail("Traceback: password=canary", "two")
    report.end()
    made = document(report)
    assert (made["result"], [problem["code"] for problem in made["problems"]]) == (result, ["TASK_FAILED"])
    assert "canary" not in json.dumps(made)


def test_a_host_that_is_lost() -> None:
    report = begun()
    report.lose("two")
    report.end()
    assert document(report)["problems"] == [
        {"code": "HOST_LOST", "host": "two", "message": "two cannot be reached any more."}
    ]


TEXT = st.text(max_size=30)
EVENTS = st.one_of(
    st.tuples(st.just("will_change"), st.lists(TEXT).map(lambda lines: (lines,))),
    st.tuples(
        st.just("plan"),
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from(("reshard", "drain"))).map(
            lambda made: (plan(*["Do it."] * made[0], certain=min(made[1], made[0]), operation=made[2]),)
        ),
    ),
    st.tuples(st.just("begin"), st.tuples(st.integers(1, 6))),
    st.tuples(st.just("pass_on"), st.just(())),
    st.tuples(st.just("change"), st.tuples(st.sampled_from(("one", "two")))),
    st.tuples(st.just("fail"), st.tuples(TEXT | st.just("[A_B] one: x\n[C_D] y"), st.just("one"))),
    st.tuples(st.just("lose"), st.tuples(st.just("two"))),
)


@given(st.sampled_from(PLAYBOOKS), st.booleans(), st.lists(EVENTS, max_size=12))
def test_whatever_happens_it_has_the_same_form(playbook: str, check: bool, events: list[t.Any]) -> None:
    report = begun(playbook, check)
    for name, arguments in events:
        getattr(report, name)(*arguments)
        if not report.problems:
            assert document(report)["result"] == "running"
    report.end()
    made = document(report)
    failed = any(name in ("fail", "lose") for name, _arguments in events)
    assert (made["result"] in ("refused", "stopped")) is failed is bool(made["problems"])
    assert made["result"] != "running"
    if not failed:
        assert "begun" not in {step["state"] for step in made["steps"]}
