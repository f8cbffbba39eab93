# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_rotation as a process, the way Ansible runs modules that have no action plugin."""

from __future__ import annotations

from ansible_collections.waent.fleet.tests.support.module_process import run_module_process
from ansible_collections.waent.fleet.tests.support.observed_host import IDS, WEB, container, observed

NODE = {"host": "h1", "kind": "webapp", "index": 1, "name": "wa-webapp-1", "key": "h1:wa-webapp-1", "ports": [9090]}


def run(differs, **options):
    image = {"image": WEB, "image_id": IDS[WEB]}
    made = container("wa-webapp-1", cluster="waent", kind="webapp", index=1, environment_differs=differs, **image)
    host = observed("h1", [made])
    host["asked"].pop("container_settings", None)
    return run_module_process("wa_rotation", nodes=[NODE], hosts=[host], **options)


def test_which_nodes_and_what_it_costs():
    result = run(["WA_API_KEY"], rotate="api_key")
    assert result["nodes"] == ["wa-webapp-1 on h1"] and not result["outage"] and not result["changed"]
    assert result["sentences"][0] == "wa_api_key goes to wa-webapp-1 on h1."
    assert run(["WA_SECRET"], rotate="wa_secret")["outage"]
    assert run([], rotate="api_key")["nodes"] == []


def test_what_would_change_with_it_is_refused():
    result = run(["WA_API_KEY", "WA_DB_HOSTNAME"], rotate="api_key")
    assert result["failed"] and result["failure"]["code"] == "WA_ROTATION_REFUSED"
    assert [problem["code"] for problem in result["problems"]] == ["ROTATE_OTHER_CHANGES"]


def test_other_differences_alone_are_no_matter_of_a_rotation():
    assert "failed" not in run(["WA_DB_HOSTNAME"], rotate="api_key")


def test_what_is_left_in_the_end():
    result = run(["WA_API_KEY"], rotate="api_key", done=True)
    assert [problem["code"] for problem in result["problems"]] == ["ROTATE_UNFINISHED"]
    assert "failed" not in run([], rotate="api_key", done=True)


def test_a_host_that_was_not_read_may_have_any_secret():
    for done in (True, False):
        result = run([], rotate="api_key", unread={"h2": "no answer"}, spared=["h2"], done=done)
        assert [problem["code"] for problem in result["problems"]] == ["HOST_NOT_READ"]


def test_nothing_is_installed_by_a_rotation():
    result = run_module_process("wa_rotation", nodes=[NODE], hosts=[observed("h1")], rotate="api_key")
    assert [problem["code"] for problem in result["problems"]] == ["ROTATE_NOBODY"]


def test_a_node_that_is_missing_would_be_created_with_it():
    second = {**NODE, "name": "wa-webapp-2", "index": 2}
    made = container(
        "wa-webapp-1", cluster="waent", kind="webapp", index=1, environment_differs=["WA_API_KEY"], image=WEB
    )
    host = observed("h1", [{**made, "image_id": IDS[WEB]}])
    host["asked"].pop("container_settings", None)
    result = run_module_process("wa_rotation", nodes=[NODE, second], hosts=[host], rotate="api_key")
    (problem,) = result["problems"]
    assert "wa-webapp-2 on h1" in problem["message"] and "it is not there" in problem["message"]
