# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cluster_facts: what a play knows of its cluster, filled in as the play does it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleLookupError
from ansible_collections.waent.fleet.plugins.lookup.cluster_facts import LookupModule
from ansible_collections.waent.fleet.plugins.module_utils._desired.container import docker_options
from ansible_collections.waent.fleet.plugins.modules import (
    wa_drill_report,
    wa_host_info,
    wa_identity,
    wa_placement,
    wa_preflight,
)
from ansible_collections.waent.fleet.plugins.plugin_utils.cluster_facts import FACTS
from ansible_collections.waent.fleet.tests.support.cluster_variables import VARIABLES
from ansible_collections.waent.fleet.tests.support.observed_host import (
    DATABASE,
    engine,
    node_container,
    observed,
    placed,
)


class HostVars(dict):
    """Variables of hosts, raw."""

    _loader = None

    def raw_get(self, name):
        return self[name]


def template(value):
    """A stand-in: one template that can be filled in, and one that cannot."""
    if value == "{{ broken }}":
        raise ValueError("broken is undefined")
    return "filled" if value == "{{ good }}" else value


PLAY = {
    **VARIABLES,
    "wa_shards": 2, "wa_survive": {}, "wa_allow_no_ha": "no", "wa_coreapp_port": 6250, "wa_master_port": 6254,
    "wa_webapp_port": 9090, "wa_cc": "39", "wa_phone_number": "5550100244", "wa_registration_method": "sms",
    "wa_settings": {}, "wa_health_timeout_seconds": "300", "wa_recreate_at_once": False, "wa_register": "true",
    "wa_check_ports": "yes", "wa_nodes": placed(), "ansible_forks": 7,
    "__wa_preflight": {"hosts": {"h1": {"nodes": []}}, "ports": {}},
    "wa_messages_per_second": 0, "wa_database_class": "", "ansible_play_hosts_all": ["h1", "h2"],
    "groups": {
        "wa_cluster": ["h1", "h2"], "wa_coreapp_hosts": ["h1", "h2"], "wa_master_hosts": ["h1", "h2"],
        "wa_webapp_hosts": ["h1"], "wa_database_hosts": ["h1"],
    },
    "__wa_desired": {"nodes": placed(), "hosts": {"h1": placed()}, "shards": 2},
    "__wa_login": {"token": "canary-token", "password_changed": False}, "_wa_session_keeper": "h1",
}  # fmt: skip


def facts(*terms, **changes):
    """What the lookup gives; h2 was not read."""
    running = [node_container(node) for node in placed()]
    nodes = [{key: node.get(key) for key in ("host", "kind", "index", "name")} for node in placed()]
    host = observed(containers=running, nodes=[{**node, "state": "running", "version": "v2.19.4"} for node in nodes])
    session = {"token": "canary-token"}
    lost = {"__wa_host": {"msg": "Connection refused"}}
    hostvars = HostVars(h1={"__wa_host": {"host": host}, "_wa_session": session}, h2=lost)
    lookup = LookupModule.__new__(LookupModule)
    lookup._templar = SimpleNamespace(template=template)
    return lookup.run(list(terms), {**PLAY, "hostvars": hostvars, **changes})


SHARE = {"server": "nas-1", "export": "/media", "path": "/srv/media", "opts": "vers=4.2,timeo=300", "owner": None}
SHARED = {"wa_media_share": SHARE, "wa_media": "/srv/media", "wa_container_uid": "7", "wa_disk_free_mb": 100}


@pytest.mark.parametrize(
    ("leaving", "going", "drains"),
    [(["h2"], ["h2"], True), (["h1", "h2"], ["h2"], False), (["h2"], [], False), ([], ["h2"], False)],
)
def test_hosts_that_go_with_this_reshard_are_emptied_by_it_and_others_are_not(leaving, going, drains):
    desired = {**PLAY["__wa_desired"], "leaving": [{"host": host} for host in leaving]}
    groups = {**PLAY["groups"], "wa_hosts_leaving": going}
    (options,) = facts("preflight", __wa_desired=desired, groups=groups)
    assert options["drains"] is drains


@pytest.mark.parametrize(
    ("named", "read", "codes"),
    [
        ("", {"skipped": True}, []),
        ("h2", {"skipped": True}, []),
        ("keeper", {"skipped": True}, ["BACKUP_TIMER_MISSING"]),
        ("h1", {"found": None}, ["BACKUP_TIMER_MISSING"]),
        ("h1", {"msg": "Connection refused"}, ["BACKUP_UNKNOWN"]),
    ],
)
def test_who_makes_no_backup_is_named_whatever_is_the_reason(named, read, codes):
    """Skipped is also a host that could not be read, which is said of it elsewhere, and one that there is not."""
    groups = {**PLAY["groups"], "all": ["h1", "h2"]}
    (found,) = facts("backup_status", wa_backup_host=named, __wa_backup_read=read, groups=groups)
    assert [problem["code"] for problem in found["problems"]] == codes


@pytest.mark.parametrize(
    ("named", "timer", "expected"),
    [
        ("", None, []),
        ("", "waent-backup-waent", ["h1"]),
        ("h1", "waent-backup-waent", ["h1"]),
        ("keeper", "waent-backup-waent", ["h1", "keeper"]),
        ("gone", None, []),
    ],
)
def test_who_backs_up_on_a_schedule_gets_another_password(named, timer, expected):
    """The one that is named may have no other part in the cluster; one that is no host of the inventory has none."""
    hostvars = HostVars(h1={"__wa_host": {"host": observed(containers=[], nodes=[], backup_timer=timer)}}, h2={})
    groups = {**PLAY["groups"], "all": ["h1", "h2", "keeper"]}
    (found,) = facts("scheduled_backup_hosts", wa_backup_host=named, hostvars=hostvars, groups=groups)
    assert found == expected


def test_session_manager_is_looked_for_where_the_connection_looks(monkeypatch, tmp_path):
    program = tmp_path / "session-manager-plugin"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    reached = {"ansible_connection": "amazon.aws.aws_ssm", "ansible_aws_ssm_bucket_name": "b"}
    monkeypatch.delenv("AWS_SESSION_MANAGER_PLUGIN", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert facts("session_manager", **reached) == [""]
    assert facts("session_manager", **reached, ansible_aws_ssm_plugin=str(program)) == [""]
    (nowhere,) = facts("session_manager", **reached, ansible_aws_ssm_plugin=str(tmp_path / "none"))
    assert "[AWS_SESSION_MANAGER]" in nowhere
    monkeypatch.setenv("PATH", "/nowhere")
    assert "[AWS_SESSION_MANAGER]" in facts("session_manager", **reached)[0]
    assert facts("session_manager") == [""]


def test_the_media_share_as_its_module_takes_it():
    assert facts("media_share", **SHARED, __wa_media_asked={"run": "5f"}) == [
        {
            "server": "nas-1", "export": "/media", "path": "/srv/media", "opts": ["vers=4.2", "timeo=300"],
            "container_uid": 7, "free_mb": 100, "run": "5f", "later": False,
        }
    ]  # fmt: skip


def test_a_host_whose_nodes_have_to_stop_for_its_share_is_proved_as_it_is_until_then():
    given = {**SHARED, "__wa_preflight": {"remounts": ["h1"]}}
    for host, state, later in (("h1", "probed", True), ("h2", "mounted", False)):
        found = facts("media_state", "media_share", **given, inventory_hostname=host)
        assert (found[0], found[1]["later"]) == (state, later)


def test_when_its_nodes_are_stopped_the_share_is_brought_about_and_compared_with_the_last_proof():
    hostvars = HostVars(h1={"__wa_media_asked": {"run": "5f"}}, h2={})
    entry = {"host": "h1", "coreapps": ["h1:b", "h1:a"]}
    given = {"hostvars": hostvars, "_wa_entry": entry, "inventory_hostname": "wa-webapp-1 on h1, step 2"}
    health = {
        "cluster": {
            "nodes": [{"name": "h1:a", "alive": True, "shards": [0]}, {"name": "h1:b", "alive": True, "shards": []}]
        }
    }
    found, order = facts("media_remount", "coreapps_to_stop", **SHARED, **given, __wa_now=health)
    assert (found["name"], found["run"], found["proof"], found["later"]) == ("h1", "", "5f", False)
    assert order == [["h1:b"], ["h1:a"]]


def test_no_host_needs_a_share_that_there_is_not_and_no_drained_one_needs_it():
    assert facts("media_hosts", wa_media_share={}) == [[]]
    assert facts("media_hosts", **SHARED) == [["h1", "h2"]]
    assert facts("media_hosts", **SHARED, _wa_asked_to_drain="h1") == [["h2"]]


@pytest.mark.parametrize(
    ("of_engine", "given", "waits"),
    [
        (engine("stopped"), SHARED, True),
        (engine("stopped"), {"wa_media_share": {}}, False),
        (engine("stopped", empty=True), SHARED, False),
        (engine("absent"), SHARED, False),
        (engine(), SHARED, False),
        (engine("stopped"), {**SHARED, "_wa_asked_to_drain": "h1"}, False),
    ],
)
def test_an_engine_that_may_hold_nodes_waits_for_the_share(of_engine, given, waits):
    read = {"host": {"engine": of_engine}}
    assert facts("engine_waits_for_share", **given, __wa_engine_read=read, inventory_hostname="h1") == [waits]


def proof(**of_h2):
    """What came of a proof of which h1 was a part without a fault."""
    mount = {"source": "nas-1:/media", "fstype": "nfs4", "opts": [], "read_only": False}
    answer = {"mount": mount, "error": None, "token": True, "unseen": {}}
    whole = {"__wa_media_left": {"answer": answer}, "__wa_media_compared": {"answer": answer}}
    lookup = LookupModule.__new__(LookupModule)
    lookup._templar = SimpleNamespace(template=template)
    hostvars = HostVars(h1=whole, h2={**whole, **of_h2})
    return lookup.run(["media_refusal", "media_proved"], {**PLAY, **SHARED, "hostvars": hostvars,
                      "__wa_media_asked": {"run": "5f", "problems": []}})  # fmt: skip


def test_what_came_of_a_proof():
    assert proof() == ["", ["h1", "h2"]]
    refusal, _hosts = proof(__wa_media_left={"failed": True, "msg": "root is needed"}, __wa_media_compared={})
    assert "\n[MEDIA_SHARE_NOT_PROBED] h2: " in refusal and "root is needed" in refusal
    refusal, _hosts = proof(__wa_media_compared={})
    assert "\n[MEDIA_SHARE_NOT_PROBED] h2: " in refusal
    # Whoever reads the hosts next refuses for it.
    assert proof(__wa_media_left={"unreachable": True}) == ["", ["h1"]]


def test_the_media_server_of_the_cluster():
    (found,) = facts("media_server", **SHARED)
    assert found["directory"] == {"path": "/media", "owner": 7, "group": 7, "mode": "0770"}
    assert " h1(rw," in found["exports"]["content"] and " h2(rw," in found["exports"]["content"]
    assert (found["refusal"], found["exported"]) == ("", False)
    assert "[MEDIA_SERVER_NOT_EXPORTED]" in found["not_exported"]
    assert "[MEDIA_SERVER_NO_MOUNTD]" in found["not_answering"] and "[MEDIA_SERVER_IN_GRACE]" in found["in_grace"]
    (refused,) = facts("media_server", wa_media_share={})
    assert "[MEDIA_SERVER_NO_SHARE]" in refused["refusal"]


COPIED = {
    "files": 1, "bytes": 5, "copied": 1, "same": 0, "conflicts": [], "changing": [], "others": [], "needed_bytes": 5,
    "free_bytes": 9,
}  # fmt: skip


def media_copied(h1, h2):
    """What came of copying on two hosts."""
    lookup = LookupModule.__new__(LookupModule)
    lookup._templar = SimpleNamespace(template=template)
    hostvars = HostVars(h1={"__wa_media_copied": h1}, h2={"__wa_media_copied": h2})
    given = {**PLAY, **SHARED, "wa_media_from": "v", "hostvars": hostvars}
    ((found,), (options,)) = (lookup.run([term], given) for term in ("media_copied", "media_copy"))
    assert options["source"] == "v" and "run" not in options
    return found


def test_what_came_of_copying():
    sound = {"copied": COPIED, "problems": []}
    assert media_copied(sound, {"copied": {}, "problems": []})["refusal"] == ""
    problem = {"code": "MEDIA_COPY_CONFLICT", "message": "Another.", "host": "h2"}
    for lost, code in (
        ({"copied": COPIED, "problems": [problem], "failed": True}, "MEDIA_COPY_CONFLICT"),
        ({"failed": True, "msg": "MODULE FAILURE"}, "MEDIA_COPY_FAILED"),
        ({"unreachable": True, "msg": "gone"}, "MEDIA_COPY_FAILED"),
        ({}, "MEDIA_COPY_FAILED"),
    ):
        assert "[{0}] h2: ".format(code) in media_copied(sound, lost)["refusal"]
    nothing = {"copied": {}, "problems": []}
    assert "[MEDIA_COPY_NO_SOURCE]" in media_copied(nothing, nothing)["refusal"]


def test_every_fact_can_be_found_out():
    assert len(facts(*FACTS, inventory_hostname="h1")) == len(FACTS)


def test_a_name_that_is_none():
    with pytest.raises(AnsibleLookupError, match="no such fact: colour"):
        facts("version", "colour")


def test_templates_are_filled_in():
    (settings,) = facts("container_settings", wa_media="{{ good }}")
    assert settings["media"] == "filled"


def test_only_what_a_fact_is_made_of_is_filled_in():
    assert facts("version", wa_media="{{ broken }}") == ["v2.19.4"]
    with pytest.raises(ValueError, match="broken"):
        facts("container_settings", wa_media="{{ broken }}")


def test_what_placement_checks_by_itself_may_be_unreadable():
    (options,) = facts("placement", wa_survive="{{ broken }}", version="{{ broken }}")
    assert (options["survive"], options["version"]) == (None, "2.19.4")
    assert options["allow_no_ha"] is False and options["database_hosts"] == ["h1"]


def test_a_secret_that_cannot_be_read_hides_nothing_else():
    (secrets,) = facts("secrets", wa_pin="{{ broken }}")
    assert {"canary-db", "canary-token"} <= {one for one in secrets if isinstance(one, str)}


def test_only_nodes_that_differ_are_run():
    nodes = [{"name": name, "kind": "coreapp"} for name in ("wa-coreapp-1", "wa-coreapp-2")]
    found = facts(
        "nodes_to_run", inventory_hostname="h1",
        __wa_desired={"hosts": {"h1": nodes, "h2": []}},
        __wa_preflight={"hosts": {"h1": {"nodes": ["wa-coreapp-2"]}, "h2": {"nodes": []}}},
    )  # fmt: skip
    assert found == [[nodes[1]]]


def test_the_command_line_says_more_than_the_inventory():
    assert facts("version", version="2.19.7") == ["v2.19.7"]
    (options,) = facts("placement", shards="16", version="2.19.7")
    assert (options["shards"], options["version"]) == ("16", "2.19.7")


def test_hosts_that_could_not_be_read():
    observed_hosts, failures, running = facts("observed", "failures", "running")
    assert [host["name"] for host in observed_hosts] == ["h1"]
    assert failures == {"h1": {"message": ""}, "h2": {"message": "Connection refused"}}
    assert {node["host"] for node in running} == {"h1"}


def test_the_token_is_handed_on_to_the_api_only():
    access, token, login = facts("api_access", "token", "login")
    assert access["api_token"] == token == "canary-token"
    assert facts("token", _wa_session_keeper="h2") == facts("token", _wa_session_keeper=None) == [""]
    assert login == {"password_changed": False}


def test_a_database_that_does_not_run_or_may_not_be_reached_is_not_read():
    assert facts("database_readable") == [False], "the database of our own does not run yet"
    groups = {**PLAY["groups"], "wa_database_hosts": []}
    assert facts("database_readable", groups=groups) == [True]
    assert facts("database_readable", groups=groups, wa_db_check_host="") == [False]


def test_the_database_is_checked_as_a_node():
    (options,) = facts("preflight")
    assert options["nodes"] == [*placed(), {**DATABASE, "ports": [3308]}]
    assert options["api"]["register"] is True and options["api"]["health_timeout_seconds"] == 300
    assert options["started_engines"] == [] and options["fix_engines"] == []


def test_the_number_of_shards_is_compared_where_it_is_known():
    assert facts("identity")[0]["shards"] == 2
    (options,) = facts("identity", __wa_desired={"failed": True})
    assert "shards" not in options and options["nodes"] == []
    assert options["number"] == "395550100244"


@pytest.mark.parametrize(
    ("fact", "arguments"),
    [
        ("preflight", wa_preflight.ARGUMENTS),
        ("identity", wa_identity.ARGUMENTS),
        ("placement", wa_placement.argument_spec()),
    ],
)
def test_options_are_those_of_the_module(fact, arguments):
    assert facts(fact)[0].keys() <= arguments.keys()


def test_a_host_that_was_not_read_is_named_with_the_reason_and_without_secrets():
    (unread,) = facts("unread_hosts")
    assert unread == {"h2": "Connection refused"}
    said = {"__wa_host": {"msg": "Task failed: ssh said\n canary-token and timed out."}}
    host = {"__wa_host": {"host": observed()}}
    (unread,) = facts("unread_hosts", hostvars=HostVars(h1={**host, "_wa_session": {"token": "canary-token"}}, h2=said))
    assert unread == {"h2": "ssh said ******** and timed out"}


def test_where_a_host_was_not_read_only_nodes_that_exist_or_may_be_there_are_known():
    there = [dict(node, exists=node["kind"] == "webapp") for node in placed()]
    there.append(dict(there[0], host="h2", name="wa-webapp-9", kind="webapp", exists=False))
    desired = {"__wa_desired": {"nodes": there, "shards": 2}}
    (known,) = facts("known_nodes", **desired)
    assert [node["name"] for node in known if node["kind"] != "webapp"] == []
    assert ("h2", "wa-webapp-9") in [(node["host"], node["name"]) for node in known]
    (all_read,) = facts("known_nodes", ansible_play_hosts_all=["h1"], **desired)
    assert all_read == there


def test_who_looks_once_reaches_only_webapps_that_are_known():
    (access,) = facts("api_access_once")
    assert access["api_once"] is True and access["api_url"] == facts("api_access")[0]["api_url"]


def test_hosts_that_are_left_out_are_none_of_the_play_s():
    groups = {**PLAY["groups"], "_wa_left_out": ["h2"]}
    shape, identity, left_out = facts("shape", "identity", "left_out", groups=groups, ansible_play_hosts_all=["h1"])
    assert shape["without"] == left_out == ["h2"] and [host["name"] for host in shape["hosts"]] == ["h1", "h2"]
    assert identity["left_out"] == {"h2": {"answers": False, "webapps": ()}}, "there was no sign of life"
    assert facts("webapps_here", inventory_hostname="h1") == [["https://h1:9090"]]
    assert facts("webapps_here", inventory_hostname="h2") == [[]], "it may run none"


def test_hosts_that_do_not_answer_may_be_left_out_and_those_that_fail_may_not():
    for said, spared in (({"unreachable": True, "msg": "timed out"}, ["h2"]), ({"msg": "no Python"}, [])):
        hostvars = HostVars(h1={}, h2={"__wa_host": said})
        assert facts("spared_hosts", hostvars=hostvars, ansible_play_hosts_all=["h2"]) == [spared]
        groups = {**PLAY["groups"], "wa_database_hosts": ["h2"]}
        (options,) = facts("preflight", hostvars=hostvars, ansible_play_hosts_all=["h2"])
        assert (options["spared_hosts"], "h2" in options["unreachable"]) == (spared, bool(spared))
        assert facts("spared_hosts", hostvars=hostvars, ansible_play_hosts_all=["h2"], groups=groups) == [[]]


def test_until_when_the_images_work():
    """Of the client's, whichever host has them; the database is another product."""
    made = [
        {"image": "core:v1", "id": "sha256:1", "created": None, "expires_on": "2020-02-01"},
        {"image": "web:v1", "id": "sha256:2", "created": "2020-01-01T00:00:00Z", "expires_on": "2999-02-01"},
        {"image": "db", "id": "sha256:3", "created": "2020-01-01T00:00:00Z", "expires_on": None},
    ]
    hostvars = HostVars({host: {"__wa_host": {"host": observed(host, images=made)}} for host in ("h1", "h2")})
    names = ("image_lives", "image_warnings", "images_expired")
    given = {"hostvars": hostvars, "wa_database_image": "db", "wa_expiry_warning_days": 30}
    lives, warnings, expired = facts(*names, **given)
    assert lives == ["core:v1 works until 2020-02-01", "web:v1 works until 2999-02-01"]
    assert warnings == expired and len(expired) == 1 and expired[0].startswith("[BUILD_EXPIRED] The image core:v1 ")
    assert len(facts("image_warnings", **{**given, "wa_expiry_warning_days": 999999})[0]) == 2


# --- ports ------------------------------------------------------------------------------------------------------------

PORTS = {
    "hosts": {name: {"new": True, "publish_address": "0.0.0.0", "extra_hosts": {}} for name in ("h1", "h2")},
    "nodes": [{"name": "wa-coreapp-1", "host": "h1", "address": "h1", "ports": [6250], "free": [6250], "new": True}],
}


def tried(reached, **changes):
    """Variables of a play in which h2 tried the port of h1."""
    unreached = {"host": "h1", "node": "wa-coreapp-1", "address": "h1", "port": 6250, "listens": True,
                 "how": "no_answer", "by": "", "from": None}  # fmt: skip
    h1 = {"__wa_listening": {"listening": [6250], "not_listening": []}, "__wa_tried": {"unreached": []},
          "_wa_session": {"token": "canary-token"}}  # fmt: skip
    h2 = {"__wa_listening": {"listening": [], "not_listening": []},
          "__wa_tried": {"unreached": [] if reached else [unreached]}}  # fmt: skip
    return {"hostvars": HostVars(h1=h1, h2={**h2, **changes}), "__wa_preflight": {"ports": PORTS}}


def test_ports_that_were_all_reached():
    assert facts("ports_unclear", "ports", **tried(True)) == [[], {"refusal": "", "notes": []}]


def test_a_port_that_is_closed_makes_a_refusal():
    asked, found = facts("ports_unclear", "ports", **tried(False))
    assert asked == ["h1", "h2"]
    assert found["refusal"].startswith(
        "1 problem was found, nothing was changed.\n[PORT_CLOSED] h2 cannot reach h1:6250"
    )
    groups = {**PLAY["groups"], "_wa_engine_stopped": ["h1"]}
    (found,) = facts("ports", **tried(False), groups=groups)
    assert found["refusal"].startswith("Docker Engine was started on h1; beyond that: ")


def test_why_a_host_could_not_be_asked_holds_no_secret():
    failed = {"__wa_tried": {"msg": "Task failed: canary-token\nis wrong.", "failed": True}}
    asked, found = facts("ports_unclear", "ports", **tried(True, **failed))
    assert asked == ["h1", "h2"]
    (note,) = found["notes"]
    assert "h2" in note and "is wrong" in note and "canary" not in note


def test_what_is_tried_follows_the_variable_and_the_forks():
    (options,) = facts("preflight")
    assert (options["check_ports"], options["forks"]) == (True, 7)
    assert facts("preflight", wa_check_ports="no")[0]["check_ports"] is False


def test_hosts_to_empty_are_those_of_the_command_and_of_the_inventory():
    (shape, undeclared) = facts("shape", "to_declare", _wa_asked_to_drain="h2, h1")
    assert [(host["name"], host["drained"]) for host in shape["hosts"]] == [("h1", True), ("h2", True)]
    assert undeclared == ["h2", "h1"]
    (usual, nothing) = facts("shape", "to_declare", host="h1")
    assert [host["drained"] for host in usual["hosts"]] == [False, False], "an inventory may have such a variable"
    assert nothing == []


def test_a_plan_asks_the_webapps_that_run_wherever_they_are():
    old = [{**node, "host": "h1"} for node in placed() if node["kind"] == "webapp"]
    new = {"nodes": placed("h2"), "leaving": old, "shards": 2}
    (running, usual) = facts("api_access_running", "api_access", __wa_desired=new)
    assert running["api_url"] == ["https://h1:9090"]
    assert usual["api_url"] == ["https://h2:9090"]


def with_inventory(directory):
    """A play whose inventory is there."""
    session = {"_wa_session": {"token": "canary-token"}}
    return {"hostvars": HostVars(h1={"inventory_dir": str(directory), **session}, h2={})}


def look_up(*terms, **changes):
    lookup = LookupModule.__new__(LookupModule)
    lookup._templar = SimpleNamespace(template=template)
    return lookup.run(list(terms), {**PLAY, **changes})


def test_an_authority_is_missing_until_it_is_pinned_and_verifies_from_then_on(tmp_path):
    play = with_inventory(tmp_path)
    authority, access = look_up("authority", "api_access", **play)
    pin = tmp_path / ".wa_api_ca_waent.pem"
    assert authority == {
        "missing": True, "path": str(pin), "asks_system": True, "host": "h1",
        "url": access["api_url"][0], "url_there": "https://127.0.0.1:9090",
    }  # fmt: skip
    assert "ca_path" not in access
    pin.write_text("pinned")
    authority, *ways = look_up("authority", "api_access", "api_access_once", "api_access_running", **play)
    assert authority == {"missing": False}
    assert {access["ca_path"] for access in ways} == {str(pin)}


def test_an_authority_is_not_looked_for_where_nothing_is_verified_or_no_webapp_is_placed(tmp_path):
    play = with_inventory(tmp_path)
    (unverified,) = look_up("authority", wa_validate_certs="no", **play)
    (nowhere,) = look_up("authority", __wa_desired={"nodes": []}, **play)
    assert unverified == nowhere == {"missing": False}


def test_a_file_or_a_fingerprint_that_is_given_is_more_than_what_the_system_knows(tmp_path):
    play = with_inventory(tmp_path)
    (by_path, access) = look_up("authority", "api_access", wa_api_ca_path=str(tmp_path / "ca.pem"), **play)
    assert (by_path["asks_system"], by_path["path"]) == (False, str(tmp_path / "ca.pem"))
    assert access["ca_path"] == str(tmp_path / "ca.pem"), "and nothing else verifies"
    (by_fingerprint,) = look_up("authority", wa_api_ca_fingerprint="ab" * 32, **play)
    assert by_fingerprint["asks_system"] is False


def test_until_it_is_pinned_the_certificate_is_trusted_that_the_host_has_shown(tmp_path):
    served = {"url": "https://h1:9090", "sha256": "AB"}
    play = with_inventory(tmp_path)
    assert look_up("pins", **play) == [False]
    play["hostvars"]["h1"]["_wa_served"] = served
    access, pins = look_up("api_access", "pins", **play)
    assert (access["api_url"], access["trusted_certificates"], pins) == (["https://h1:9090"], ["AB"], True)
    del play["hostvars"]["h1"]["_wa_session"]
    assert look_up("pins", **play) == [False], "nobody is logged in"


def test_what_is_wrong_with_what_is_pinned(tmp_path):
    play = with_inventory(tmp_path)
    assert look_up("pin_problems", **play) == [[]]
    (tmp_path / ".wa_api_ca_waent.pem").write_text("")
    (problems,) = look_up("pin_problems", **play)
    assert [problem["code"] for problem in problems] == ["WA_API_CA_PATH"]


def test_hosts_with_a_drill_that_is_not_restored():
    left = {"__wa_host": {"host": observed(drill={"path": "/p", "drill": "coreapp", "what": "drill coreapp"})}}
    assert facts("drill_left") == [[]]
    assert facts("drill_left", hostvars=HostVars(h1=left, h2={})) == [["h1"]]


@pytest.mark.parametrize("result", [{"changed": False}, {"changed": True, "failed": True, "rc": 1}, {}])
def test_a_host_without_the_script_of_this_drill_is_not_prepared(result):
    """Another drill's is there, or it could not be written, or the host was lost."""
    written = HostVars(h1={"__wa_drill_script": {"changed": True}}, h2={"__wa_drill_script": result})
    assert facts("drill_not_prepared", hostvars=written) == [["h2"]]


def test_what_came_of_a_drill_on_the_hosts_that_it_was_about():
    groups = {**PLAY["groups"], "_wa_drill": ["h2", "h1"]}
    watched = {"service": {"seconds": 1.0, "back": True}}
    hosts = HostVars(
        h1={"__wa_watched": watched, "__wa_restore": {"rc": 0}},
        h2={"__wa_not_broken": {"failed": True}, "__wa_restore": {"rc": 1}},
    )
    (outcome,) = facts("drill_outcome", groups=groups, hostvars=hosts, __wa_not_proved={"failed": True, "msg": "x"})
    assert outcome == {
        "watched": watched,
        "break_results": [{"failed": True}],
        "results": [{"rc": 1}, {"rc": 0}, {"failed": True, "msg": "x"}],
    }
    assert outcome.keys() | {"plan"} == wa_drill_report.ARGUMENTS.keys()


def test_what_is_read_on_a_host_fits_the_module_and_is_said_in_full():
    """Every option that the inventory decides, and no other; a timeout is the module's own."""
    (options,) = facts("host_info", inventory_hostname="h1", wa_disk_free_mb=2048, wa_stop_single_connect="no")
    assert set(wa_host_info.ARGUMENTS) - set(options) == {"engine_timeout", "timeout"}
    assert set(options) <= set(wa_host_info.ARGUMENTS)
    assert (options["name"], options["disk_free_mb"], options["stop_single_connect"]) == ("h1", 2048, False)
    assert options["images"] == facts("images")[0] and options["version"] == "v2.19.4"


def test_the_containers_of_the_nodes_of_a_host_with_their_environments():
    """As docker_container takes them: the environment of the kind, and what the node itself advertises."""
    nodes = placed()
    found, environments, settings = facts("node_containers", "environment", "container_settings")
    containers = found["containers"]
    assert (found["first"], found["networks"], found["volumes"]) == ([], [], [])
    assert [one["name"] for one in containers] == [node["name"] for node in nodes]
    for node, container in zip(nodes, containers):
        own = docker_options(node, settings)
        assert {**container, "env": None} == {**own, "env": None}
        assert container["env"] == {**environments[node["kind"]], **own["env"]}


LACKING = {"network_missing": True, "volumes_missing": ["whatsappMedia"], "nodes": [], "groups": ["_wa_act_database"]}


def test_what_a_host_lacks_is_made_with_its_containers_and_the_database_comes_first():
    database = {"kind": "database", "name": "wa-db", "ports": [3306]}
    preflight = {"hosts": {"h1": LACKING}}
    (found,) = facts(
        "node_containers", inventory_hostname="h1", wa_nodes=[database, *placed()], __wa_preflight=preflight
    )
    labels = {"waent.fleet.cluster": "waent"}
    assert found["networks"] == [{"name": "waent", "labels": labels}]
    assert found["volumes"] == [{"name": "whatsappMedia", "labels": labels}]
    assert [(one["name"], one["env"]) for one in found["first"]] == [("wa-db", {"MYSQL_ROOT_PASSWORD": "canary-db"})]
    assert [one["name"] for one in found["containers"]] == [node["name"] for node in placed()]
    (stores,) = facts("stores_missing", wa_network_missing=False, wa_volumes_missing=["whatsappMedia"])
    assert stores == {"networks": [], "volumes": found["volumes"]}


@pytest.mark.parametrize(
    ("groups", "beside"), [(["_wa_act_database"], True), (["_wa_act_coreapp", "_wa_act_database"], False), ([], False)]
)
def test_nodes_run_with_the_database_where_no_play_of_their_own_runs_them(groups, beside):
    nodes = placed()
    of_host = {**LACKING, "nodes": [node["name"] for node in nodes], "groups": groups}
    desired = {"hosts": {"h1": nodes}, "preflight": {"hosts": {"h1": of_host}}}
    play = {"inventory_hostname": "h1", "__wa_desired": desired, "__wa_preflight": "{{ __wa_desired.preflight }}"}
    (found,) = facts("database_to_run", **play)
    assert [node["name"] for node in found] == ["wa-db", *(node["name"] for node in nodes if beside)]
