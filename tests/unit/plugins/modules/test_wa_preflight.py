# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_preflight as a process, with a host as wa_host_info reads it."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.modules.wa_preflight import answer
from ansible_collections.waent.fleet.tests.support.docker_stand_in import HOST, IMAGES, read_host
from ansible_collections.waent.fleet.tests.support.module_process import run_module_process
from ansible_collections.waent.fleet.tests.support.observed_host import SETTINGS, node_container, observed, placed


def preflight(hosts, of=None, **options):
    """of: another host that nodes are placed on as well."""
    nodes = run_module_process("wa_placement", shards=1, hosts=[HOST])["nodes"]
    nodes += [{**node, "host": of} for node in nodes] if of else []
    return run_module_process("wa_preflight", hosts=hosts, nodes=nodes, **options)


def test_a_host_is_checked_for_the_nodes_that_are_placed_on_it(docker):
    result = preflight([read_host(docker, disk_free_mb=10**9)["host"]])
    codes = {problem["code"] for problem in result["problems"]}
    assert codes == {"SINGLE_CONNECT_RUNNING", "IMAGE_UNKNOWN", "DISK_LOW"}


def test_preflight_reports_everything_at_once(docker):
    host = read_host(docker)["host"]
    database = {"code": "DB_OLD", "message": "The database is too old."}
    clocks = [
        {**host, "clock": {"at_least": 0, "at_most": 0}},
        {**host, "name": "h2", "clock": {"at_least": 9, "at_most": 9}},
    ]
    result = preflight(clocks, reports=[{"problems": [database]}, {"skipped": True}])
    assert result["failed"] is True
    assert result["failure"]["code"] == "WA_PREFLIGHT_FAILED"
    assert [problem["code"] for problem in result["problems"]] == [
        "DB_OLD", "SINGLE_CONNECT_RUNNING", "IMAGE_UNKNOWN", "IMAGE_UNKNOWN", "NODE_UNKNOWN", "CLOCK_DIFFERS",
    ]  # fmt: skip
    assert all(problem["message"] in result["msg"] for problem in result["problems"])
    assert "nothing was changed" in result["msg"]


def test_preflight_notices_a_host_that_is_missing():
    result = preflight([])
    assert [problem["code"] for problem in result["problems"]] == ["HOST_NOT_READ"]


def test_preflight_says_what_is_changed(docker):
    images = [{"image": image, "id": "sha256:c", "registry": None, "reason": None} for image in IMAGES.values()]
    host = {
        **read_host(docker, stop_single_connect=True, network="waent", container_settings=SETTINGS)["host"],
        "images": images,
    }
    result = preflight([host])
    assert result["problems"] == []
    assert result["changes"][0] == "h1: stop wacore (it runs in single-connect mode)"
    assert "h1: create volume whatsappMedia" in result["changes"]
    assert result["hosts"]["h1"] == {
        "engine_missing": False, "images_missing": [], "network_missing": False, "volumes_missing": ["whatsappMedia"],
        "db_ssl_missing": False,
        "single_connect": ["wacore"],
        "kinds": ["coreapp", "master", "webapp"], "tries_ports": False, "changes": len(result["changes"]),
        "nodes": [node["name"] for node in placed("h1")],
        "groups": [
            "_wa_single_connect", "_wa_act_coreapp", "_wa_act_master", "_wa_act_webapp", "_wa_act_api",
        ],
    }  # fmt: skip
    assert result["planned_changes"] == result["changes"], "nothing is said of an API that nobody asked about"
    assert result["refusal"] == ""
    assert [act["action"] for act in result["plan"] if act["what"] == "wa-coreapp-1"] == ["recreate"]
    assert result["recreation"] == {"nodes": ["wa-coreapp-1"], "way": "ask", "why": ""} and result["ask_service"]
    refused = preflight([host], of="h2", unreachable={"h2": "timed out"})
    assert (refused["recreation"]["way"], refused["ask_service"]) == ("ask", False), "the run ends there anyway"


@pytest.mark.parametrize(
    ("options", "way", "codes"),
    [
        ({"health": {"cluster": {"registered": True}}}, "roll", []),
        ({"health": {"cluster": {"registered": False}}}, "at_once", []),
        ({"health": {"msg": "x"}, "login": {"password_changed": True}}, "at_once", []),
        ({"health": {"msg": "x"}}, "ask", ["SERVICE_UNKNOWN"]),
        ({"health": {"msg": "x"}, "recreate_at_once": True}, "at_once", []),
    ],
)
def test_preflight_shows_how_running_nodes_are_recreated(docker, options, way, codes):
    images = [{"image": image, "id": "sha256:c", "registry": None, "reason": None} for image in IMAGES.values()]
    asked = {"stop_single_connect": True, "network": "waent", "container_settings": SETTINGS}
    result = preflight([{**read_host(docker, **asked)["host"], "images": images}], **options)
    assert (result["recreation"]["way"], [problem["code"] for problem in result["problems"]]) == (way, codes)
    assert (result["recreation"]["why"] in result["changes"]) is (way != "ask")
    assert not result["steps_come_next"], "the single-connect container is stopped before"


def with_engine(host, state, **changes):
    """The same host with an engine in another state."""
    return {**host, "engine": {**host["engine"], "state": state, "answers": False, "empty": False, **changes}}


def test_preflight_does_not_report_what_a_stopped_engine_may_hold(docker):
    seen = read_host(docker, stop_single_connect=True)["host"]
    other = {**with_engine(seen, "stopped"), "name": "h2"}
    codes = {problem["code"] for problem in preflight([seen, other])["problems"]}
    assert codes == {"IMAGE_UNKNOWN", "NODE_UNKNOWN", "ENGINE_STOPPED"}
    result = preflight([seen, other], fix_engines=["absent", "stopped"])
    assert result["problems"] == []
    assert result["stopped"] == ["h2"]
    assert "h2: start Docker Engine (it is stopped; what follows is if it holds nothing)" in result["changes"]


def test_preflight_checks_as_ever_where_a_stopped_engine_never_ran(docker):
    seen = read_host(docker, stop_single_connect=True)["host"]
    result = preflight([with_engine(seen, "stopped", empty=True)], fix_engines=["absent", "stopped"])
    assert {problem["code"] for problem in result["problems"]} == {"IMAGE_UNKNOWN"}
    assert result["stopped"] == []
    assert result["hosts"]["h1"]["engine_missing"] is True


def drained(state="running", **options):
    """h1 is drained and has the smallest cluster; all of it is placed on h2."""
    leaving, nodes = placed("h1"), placed("h2")
    containers = [node_container(node, state=state, version="v2.19.3") for node in leaving]
    return answer(
        {
            **dict.fromkeys(("health", "login", "api")), "unread": {}, "unreachable": {}, "spared_hosts": [],
            "sought_on": [], "media_share": {}, "check_ports": False, "forks": 5, "reports": [], "outages": [],
            "warnings": [],
            "fix_engines": [], "started_engines": [], "recreate_at_once": False, "check_mode": False, "drains": True,
            "hosts": [observed("h1", containers=containers, reached=[UNREACHED]), observed("h2")], "nodes": nodes,
            "leaving": leaving, **options,
        }
    )  # fmt: skip


def test_a_share_is_mounted_before_there_are_nodes():
    share = {"h1": {"what": "nas-1:/media at /srv/media", "why": []},
             "h2": {"what": "nas-1:/media at /srv/media", "why": ["is not mounted"]}}  # fmt: skip
    result, _problems = drained(media_share=share)
    sentences = [act["sentence"] for act in result["plan"] if act["host"] == "h2"]
    assert sentences[0] == "h2: mount media share nas-1:/media at /srv/media (is not mounted)"
    assert "mount_share" not in [act["action"] for act in result["plan"] if act["host"] == "h1"]
    assert result["hosts"]["h2"]["changes"] == len(sentences)


UNREACHED = {"host": "db", "port": 3306, "reached": False, "reason": "timed out"}


@pytest.mark.parametrize("state", ["running", "exited"])
def test_what_a_drained_host_has_is_removed_whatever_its_state_and_version(state):
    result, problems = drained(state)
    assert problems == []
    assert [act["sentence"] for act in result["plan"] if act["host"] == "h1"] == [
        "h1: remove {0} (the host is drained)".format(node["name"]) for node in placed("h1")
    ]
    assert result["hosts"]["h1"]["groups"] == ["_wa_act_api", "_wa_act_drain"]
    assert {act["action"] for act in result["plan"] if act["host"] == "h2"} == {"create"}
    assert "_wa_act_drain" in result["hosts"]["h2"]["groups"]


def test_who_does_not_empty_a_drained_host_says_what_is_there():
    (problem,) = drained("exited", drains=False)[1]
    assert (problem.code, problem.host) == ("DRAIN_UNFINISHED", "h1")
    assert "wa-coreapp-1 (exited)" in problem.message and "site.yml" in problem.message


def test_a_container_of_the_cluster_that_is_placed_nowhere_stays_unknown():
    assert "NODE_UNKNOWN" in [problem.code for problem in drained(leaving=placed("h1")[1:])[1]]
