# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why nodes do not come up, in sentences: state, exit code, restarts and the line that says why; and no secret."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.waent.fleet.plugins.filter.node_reasons import FilterModule as NodeReasons
from ansible_collections.waent.fleet.plugins.filter.suspect_nodes import FilterModule as SuspectNodes
from ansible_collections.waent.fleet.plugins.module_utils._check.node_reason import (
    MOST_CHARACTERS,
    MOST_GROUPS,
    node_lines,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.failure_reason import MASK, written_forms
from ansible_collections.waent.fleet.plugins.module_utils._desired import access
from hypothesis import given
from hypothesis import strategies as st

REFUSED = "2024-05-01 10:11:12.123 E core (1045, \"Access denied for user 'wa'@'h'\")"
FINE = "2024-05-01 10:11:12.123 I core Connected"


def container(name: str = "wa-coreapp-1", **more: t.Any) -> dict[str, t.Any]:
    made = {"name": name, "exists": True, "state": "running", "exit_code": 0, "oom_killed": False, "restarts": 0}
    return {**made, "error": "", "log": [], **more}


@pytest.mark.parametrize(
    ("node", "sentence"),
    [
        ({"exists": False}, "[NODE_ABSENT] wa-coreapp-1 on h does not exist. Run the playbook again."),
        (
            {"log": [REFUSED, FINE]},
            "[DB_LOGIN_REFUSED] wa-coreapp-1 on h runs; the last error in its log is: " + REFUSED + ". The"
            " database refuses this user: check wa_db_username and wa_db_password, and that the user may come"
            " from this address.",
        ),
        (
            {"log": [FINE, "Waiting for the database at 127.0.0.1:3306"]},
            "[DB_UNREACHABLE] wa-coreapp-1 on h runs; its log ends with: Waiting for the database at 127.0.0.1:3306."
            " The container does not reach what the line names: see that it runs, listens on that address, and that"
            " nothing between the two drops connections; 127.0.0.1 is the container itself.",
        ),
        ({"log": ["Waiting for the database at d:1", FINE]}, "wa-coreapp-1 on h runs, and its log has no error."),
        ({"log": []}, "wa-coreapp-1 on h runs, and its log has no error."),
        (
            {"state": "restarting", "restarts": 4, "exit_code": 7, "log": ["libwa.so is gone"]},
            "[NODE_RESTARTS] wa-coreapp-1 on h ends and is started again: 4 restarts so far, exit code 7 last; its log"
            " says: libwa.so is gone.",
        ),
        (
            {"restarts": 1, "exit_code": 1, "log": ["x: exec format error"]},
            "[WRONG_ARCHITECTURE] wa-coreapp-1 on h runs after 1 restart, exit code 1 last; its log says: x: exec"
            " format error. The image is made for another processor than this host has.",
        ),
        (
            {"restarts": 2, "exit_code": None, "log": ["libwa.so is gone"]},
            "[NODE_RESTARTS] wa-coreapp-1 on h runs after 2 restarts; its log says: libwa.so is gone.",
        ),
        (
            {"oom_killed": True, "restarts": 1, "exit_code": None},
            "[NODE_OUT_OF_MEMORY] wa-coreapp-1 on h was killed for want of memory after 1 restart; its log is empty."
            " Give the container or the host more memory, or put fewer nodes on the host.",
        ),
        (
            {"state": "exited", "exit_code": 137},
            "[NODE_EXITED] wa-coreapp-1 on h has ended with exit code 137, killed from outside; its log is empty.",
        ),
        (
            {"state": "restarting", "oom_killed": True, "exit_code": 137, "restarts": 2, "log": [FINE]},
            "[NODE_OUT_OF_MEMORY] wa-coreapp-1 on h was killed for want of memory after 2 restarts (exit code 137); its"
            " log says: " + FINE + ". Give the container or the host more memory, or put fewer nodes on the host.",
        ),
        (
            {"state": "created", "error": "Bind for 0.0.0.0:9090 failed: port is already allocated"},
            "[PORT_TAKEN] wa-coreapp-1 on h was made and never started; the engine says: Bind for 0.0.0.0:9090 failed:"
            " port is already allocated. Something else has the port: free it, or choose another one.",
        ),
        (
            {"log": [], "log_unread": "its log driver is gelf"},
            "[NODE_RUNS] wa-coreapp-1 on h runs; its log could not be read: its log driver is gelf.",
        ),
        (
            {"state": "exited", "exit_code": 1, "log": [], "log_unread": "docker logs failed"},
            "[NODE_EXITED] wa-coreapp-1 on h has ended with exit code 1; its log could not be read: docker logs"
            " failed.",
        ),
        ({"state": "paused"}, "[NODE_PAUSED] wa-coreapp-1 on h is paused; its log is empty."),
    ],
)
def test_what_is_said_of_a_node(node: dict[str, t.Any], sentence: str) -> None:
    assert node_lines({"h": {"nodes": [container(**node)]}}, []) == [sentence]


def test_nodes_with_the_same_reason_share_a_line_and_those_that_run_come_last() -> None:
    refused = [container("c-{0}".format(number), log=[REFUSED]) for number in range(1, 9)]
    lines = node_lines({"a": {"nodes": [container("w", log=[FINE]), *refused]}, "b": {"msg": "no route\nat all"}}, [])
    assert lines[0].endswith("The same with c-2 on a, c-3 on a, c-4 on a, c-5 on a, c-6 on a and 2 more.")
    assert lines[1:] == ["b could not be asked about its nodes: no route", "w on a runs, and its log has no error."]


def test_many_reasons_are_counted() -> None:
    nodes = [container("c", state="state{0}".format(number)) for number in range(MOST_GROUPS + 2)]
    lines = node_lines({"a": {"nodes": nodes}}, [])
    assert (len(lines), lines[-1]) == (MOST_GROUPS + 1, "There are 2 more reasons like these.")


# No sentence has such a beginning, so that whatever is found has come out of the log.
PASSWORDS = st.text(st.characters(codec="utf-8", exclude_characters="*"), min_size=5, max_size=30).map("Kq7~".__add__)


@given(
    st.dictionaries(st.sampled_from(sorted(access.SECRETS)), PASSWORDS, min_size=1),
    st.sampled_from(["{0}", "E login of wa:{0}@db refused", "(1045, {0})", "x" * (MOST_CHARACTERS - 4) + "{0}"]),
    st.data(),
)
def test_no_secret_of_an_inventory_survives(variables: dict[str, str], sentence: str, data: st.DataObject) -> None:
    variables = {name: {"KEY": value} if name == "wa_extra_environment" else value for name, value in variables.items()}
    secrets = access.secrets(variables, [])
    plain = [value["KEY"] if isinstance(value, dict) else value for value in variables.values()]
    value = data.draw(st.sampled_from(plain))
    written = data.draw(st.sampled_from(sorted(written_forms(value))))
    # As the module reads it: a value with an end of line in it comes in several lines.
    node = container(state="exited", log=sentence.format(written).split("\n"), error=sentence.format(written))
    for shown in (node, {**node, "error": ""}):
        said = " ".join(node_lines({"h": {"nodes": [shown]}}, secrets))
        assert written not in said and value not in said


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_secret_of_several_lines_is_masked(end: str) -> None:
    secret = end.join(("-----BEGIN-----", "canary-4Ty", "-----END-----"))
    (line,) = node_lines({"h": {"nodes": [container(state="exited", log=("E " + secret).split("\n"))]}}, [secret])
    assert "canary" not in line


NODES = [
    {"host": "a", "name": "wa-webapp-1", "kind": "webapp", "key": "10.0.0.1:wa-webapp-1"},
    {"host": "a", "name": "wa-coreapp-1", "kind": "coreapp", "key": "10.0.0.1:wa-coreapp-1"},
    {"host": "b", "name": "wa-coreapp-10", "kind": "coreapp", "key": "10.0.0.2:wa-coreapp-10"},
]
EVERY = {"a": ["wa-webapp-1", "wa-coreapp-1"], "b": ["wa-coreapp-10"]}


@pytest.mark.parametrize(
    ("result", "suspects"),
    [
        ({"msg": "[API_UNREACHABLE] No answer."}, EVERY),
        ({"msg": "x", "failure": {"code": "API_1011", "message": "Not ready."}}, EVERY),
        ({"msg": "[API_HTTP_502] Bad gateway."}, EVERY),
        ({"msg": "[API_AUTH] Wrong password."}, {}),
        ({"msg": "[REGISTRATION_CODE_MISSING] No code."}, {}),
        (
            {"msg": "x", "problems": [{"code": "NODE_MISSING", "host": "10.0.0.2:wa-coreapp-10"}]},
            {"b": ["wa-coreapp-10"]},
        ),
        (
            {"msg": "x", "problems": [{"code": "NODE_STARTING", "message": "10.0.0.1:wa-coreapp-1 is not ready."}]},
            {"a": ["wa-coreapp-1"]},
        ),
        ({"msg": "x", "problems": [{"code": "NO_NODES", "message": "The API shows no node."}]}, EVERY),
    ],
)
def test_which_nodes_are_examined(result: dict[str, t.Any], suspects: dict[str, list[str]]) -> None:
    assert SuspectNodes().filters()["suspect_nodes"](result, NODES) == suspects


def test_what_a_task_was_about_is_examined_in_any_case_and_once() -> None:
    suspect_nodes = SuspectNodes().filters()["suspect_nodes"]
    assert suspect_nodes({"msg": "[API_AUTH] x"}, NODES, {"b": ["one-shot"]}) == {"b": ["one-shot"]}
    assert suspect_nodes({"msg": "[API_1011] x"}, NODES, {"b": ["wa-coreapp-10"]})["b"] == ["wa-coreapp-10"]


def test_the_filter_takes_what_a_loop_returns() -> None:
    looped = {
        "results": [{"item": {"key": "h", "value": ["c"]}, "nodes": [container(log=["E: hunter22"], state="dead")]}]
    }
    (line,) = NodeReasons().filters()["node_reasons"](looped, ["hunter22"])
    assert "wa-coreapp-1 on h has ended" in line and MASK in line
    assert NodeReasons().filters()["node_reasons"]({}, []) == []
