# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_adopt_plan from what hosts and the API show of the development set-up."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._state.found import found_nodes
from ansible_collections.waent.fleet.plugins.modules import wa_adopt_plan
from ansible_collections.waent.fleet.tests.support.compose_containers import development, host, single
from ansible_collections.waent.fleet.tests.support.scripted_api import run_module

ASKED = {"db_host": "192.0.2.11", "db_port": 33060, "db_name_prefix": ""}
HOST = {
    "name": "one", "address": "192.0.2.11", "kinds": ["master", "webapp", "coreapp"],
    "pins": {"webapp": 1, "master": 2, "coreapp": 3},
}  # fmt: skip
OWNERS = {"wacore1": [0], "wacore2": [1], "master1": [-1]}


def observed(containers):
    found = host("one", containers)
    found["asked"].update(adopts=ASKED, images={})
    return found


def health(hosts):
    """What the API shows of these nodes: wacore1 and wacore2 own, master1 is the primary."""
    nodes = []
    for node in (one for one in found_nodes(hosts) if one.kind != "webapp"):
        role = "coreapp" if node.kind == "coreapp" else "secondary_master"
        role = "primary_master" if node.address == "master1" else role
        nodes.append({
            "name": node.key, "kind": node.kind, "alive": True, "role": role,
            "shards": OWNERS.get(node.address, []), "gateway_status": "connected",
        })  # fmt: skip
    cluster = {"form": "cluster", "shards": 2, "registered": True, "nodes": nodes}
    webapps = [{"url": "https://192.0.2.11:9090", "answers": True}]
    return {"cluster": cluster, "webapps": webapps, "problems": []}


def plan(capfd, found, **more):
    options = {"plans_again": True, "shards": 2, "hosts": [HOST], "observed": [found], "health": health(found), **more}
    return run_module(wa_adopt_plan, capfd, **options)


def test_node_by_node_with_what_each_takes_the_place_of(capfd):
    result = plan(capfd, observed(development()))
    assert result["refusal"] == ""
    assert [(step["action"], len(step["nodes"])) for step in result["steps"]] == [
        ("adopt", 1), ("switchover", 1), ("adopt", 1), ("switchover", 1), ("adopt", 1), ("adopt", 1), ("adopt", 1),
        ("adopt", 1),
    ]  # fmt: skip
    first, second = result["batches"][0][0], result["batches"][1][0]
    assert (first["node"]["name"], first["node"]["replaces"]) == ("wa-coreapp-3", {"name": "dev_wacore3_1"})
    assert second["node"]["name"] == "dev_wacore1_1", "what is stopped, the engine knows by its name"
    # The API knows it by its host name.
    named = {node["name"] for node in first["expect"]["nodes"]}
    hostnames = {node.hostname for node in found_nodes(observed(development())) if node.kind != "webapp"}
    assert named - {"wa-coreapp-3"} < hostnames
    assert first["expect"]["webapps"] == ["https://192.0.2.11:9090"]
    assert result["batches"][-1][0]["log_in"], "a webapp of ours knows no token of the other"


def test_nothing_is_left_to_do(capfd):
    running = [
        {"host": "one", "kind": kind, "index": index + 1}
        for kind in HOST["pins"]
        for index in range(HOST["pins"][kind])
    ]
    empty = observed([])
    result = plan(capfd, empty, running=running)
    assert (result["steps"], result["sentences"]) == ([], ["No node of a compose file is left: nothing to do."])
    assert plan(capfd, empty)["failure"]["details"]["codes"] == ["ADOPT_NOTHING_FOUND"], "no cluster is made of nothing"
    assert plan(capfd, empty, running=running, shards=3)["refusal"].startswith("Nothing was changed.\n[WA_SHARDS")


def test_without_a_word_of_the_api_no_owner_is_known(capfd):
    result = plan(capfd, observed(development()), health={"msg": "Connection refused"})
    assert "[STATE_UNKNOWN]" in result["refusal"]
    assert result["steps"] == []
    # A single instance has no owner to take care of.
    result = plan(capfd, observed(single()), health={}, shards=1, hosts=[{**HOST, "pins": {}}])
    assert [step["action"] for step in result["steps"]] == ["stop", "stop", "adopt", "discard"]


def test_where_no_webapp_runs_it_comes_first_and_the_rest_is_planned_from_what_it_shows(capfd):
    containers = development()
    (webapp,) = (one for one in containers if one.entry["Name"] == "/dev_waweb_1")
    webapp.entry["State"]["Status"] = "exited"
    found = observed(containers)
    result = plan(capfd, found, health={})
    assert result["refusal"] == ""
    assert ([step["predicted"] for step in result["steps"]], result["again"]) == ([False, True], True)
    ((entry,),) = result["batches"]
    assert (entry["node"]["name"], entry["node"]["replaces"]) == ("wa-webapp-1", {"name": "dev_waweb_1"})
    assert entry["expect"] == {
        "what": "answering", "shards": 2, "nodes": [], "masters": 0, "coreapps": 0,
        "webapps": ["https://192.0.2.11:9090"],
    }  # fmt: skip
    assert entry["log_in"]
    # With an API the numbers of the steps go on.
    rest = plan(capfd, observed(development()), first=2, plans_again=False)
    assert (rest["refusal"], rest["again"], rest["sentences"][0]) == ("", False, "Left to do:")
    assert rest["sentences"][1].startswith("2. Adopt 1 coreapp without a shard: dev_wacore3_1 as ")


def test_nodes_of_both_sorts_have_to_understand_each_other(capfd):
    hosts = observed(development())
    for one in hosts["containers"]:
        one["environment_differs"] = ["WA_SECRET"] if one["name"] == "dev_wacore1_1" else ["WA_CONFIG_ON_DB"]
    result = plan(capfd, hosts)
    assert result["failure"]["details"]["codes"] == ["NODE_SECRET_DIFFERS"]
    assert "WA_SECRET of dev_wacore1_1 is not" in result["refusal"]


STORES = [
    ({"media": "dev_whatsappMedia", "data": ""}, []),
    ({"media": "other", "data": ""}, ["wa_media"]),
    ({"media": "/srv/media", "data": "waentData"}, ["wa_media"]),
    ({}, []),
]


@pytest.mark.parametrize(("settings", "variables"), STORES)
def test_what_nodes_have_in_their_stores_is_not_lost_from_view(capfd, settings, variables):
    found = observed(development())
    found["asked"]["container_settings"] = settings
    result = plan(capfd, found)
    assert [(problem["code"], problem["variable"]) for problem in result["problems"]] == [
        ("ADOPT_STORE_DIFFERS", variable) for variable in variables
    ]
    assert ("Set wa_media of the host to dev_whatsappMedia" in result["refusal"]) == bool(variables)
    assert ("leave wa_media_share out" in result["refusal"]) == settings.get("media", "").startswith("/")
    assert bool(result["steps"]) == (not variables)


def test_a_directory_is_the_same_with_a_slash_at_its_end(capfd):
    found = observed(development())
    found["asked"]["container_settings"] = {"media": "/srv/media", "data": ""}
    for one in found["containers"]:
        one["mounts"] = {"/usr/local/wamedia": "/srv//media/"}
    assert plan(capfd, found)["problems"] == []


def test_where_no_master_reports_masters_come_first(capfd):
    """Nobody shows the timers that a switchover changes, and has to restore."""
    containers = development()
    for one in containers:
        if "master" in one.entry["Name"]:
            one.entry["State"]["Status"] = "exited"
    found = observed(containers)
    shown = health(found)
    for node in shown["cluster"]["nodes"]:
        node["alive"] = node["kind"] != "master"
    result = plan(capfd, found, health=shown, settings_unread="no master answers")
    assert (result["refusal"], [(step["action"], len(step["nodes"])) for step in result["steps"]]) == (
        "", [("adopt", 2), ("adopt", 4)],
    )  # fmt: skip
    assert [step["predicted"] for step in result["steps"]] == [False, True]
    # With what cannot be read either a second time nothing else is begun.
    again = plan(capfd, found, health=shown, settings_unread="no master answers", first=2, plans_again=False)
    assert again["failure"]["details"]["codes"] == ["SETTINGS_UNREAD"]


def test_a_problem_of_another_check_forbids_it(capfd):
    checks = [{"problems": [{"code": "HOST_NOT_READ", "message": "It was not read.", "host": "two"}]}]
    result = plan(capfd, observed(development()), checks=checks)
    assert result["failure"]["details"]["codes"] == ["HOST_NOT_READ"]
