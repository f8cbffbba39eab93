# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_removal as a process, the way Ansible runs modules that have no action plugin."""

from __future__ import annotations

from ansible_collections.waent.fleet.tests.support.module_process import run_module_process
from ansible_collections.waent.fleet.tests.support.observed_host import container, engine, observed


def run(**options):
    return run_module_process("wa_removal", **options)


def test_what_goes_what_stays_and_who_was_not_asked():
    hosts = [
        observed("h1", [container("wa-webapp-1", cluster="waent", kind="webapp")]),
        observed("h2", engine=engine("denied", reason="permission denied")),
        observed("h3", engine=engine("absent"), networks=[]),
    ]
    result = run(
        hosts=hosts, expected={name: {"message": ""} for name in ("h1", "h2", "h3", "h4")}, cluster_name="waent"
    )
    assert result["changed"] is False
    assert result["hosts"] == {
        "h1": {
            "containers": ["wa-webapp-1"], "networks": [{"name": "waent", "id": "waent"}], "volumes": [], "stays": [],
            "files": [], "timers": [], "stages": [["wa-webapp-1"], [], [], []], "shares": [],
        }
    }  # fmt: skip
    assert result["planned_changes"][:4] == [
        "Of cluster waent this goes:", "  h1: container wa-webapp-1", "  h1: network waent",
        "What cannot be read is left as it is:",
    ]  # fmt: skip
    assert result["planned_changes"][4] == "  " + result["unread"]["h2"]
    assert sorted(result["unread"]) == ["h2", "h4"]
    assert result["unread"]["h2"].startswith("[ENGINE_DENIED] h2: ")
    assert result["refusals"]["h2"].splitlines() == [
        "Nothing was removed from h2: what the cluster has there is still there. Fix this and run the playbook again.",
        result["unread"]["h2"],
    ]


def test_nothing_that_goes():
    result = run(hosts=[], expected={}, cluster_name="waent")
    assert result["planned_changes"] == ["Of cluster waent nothing was found that goes."]
    assert (result["hosts"], result["unread"], result["refusals"]) == ({}, {}, {})


def test_what_is_left_when_the_hosts_are_read_again():
    before = {"h1": {}, "h2": {}}
    after = [observed("h1", networks=[]), observed("h2", [container("wa-db", cluster="waent", kind="database")])]
    result = run(
        hosts=after, expected={"h1": {"message": ""}, "h2": {"message": "the engine said no"}}, cluster_name="waent",
        proves=True, before=before, unread={"h3": "away"}, pin="/inv/.wa_api_ca_waent.pem",
    )  # fmt: skip
    assert set(result["left"]) == {"h2"}
    assert result["left"]["h2"].startswith("[REMOVAL_INCOMPLETE] h2: Still there: wa-db")
    assert result["pin"] == "" and "Not done: h2, h3" in result["lines"][1]
    done = run(hosts=after[:1], expected={}, cluster_name="waent", proves=True, before={"h1": {}}, pin="/x")
    assert (done["left"], done["pin"]) == ({}, "/x")
