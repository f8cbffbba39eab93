# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a host, what will happen to it, and which clocks differ for sure."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.host import (
    ClockSample,
    clock_problems,
    clock_window,
    host_problems,
    install_refusals,
    unfixed_engine_problems,
    unread_problems,
    unusable_engine_problems,
)
from ansible_collections.waent.fleet.plugins.module_utils._plan.site import (
    host_plan,
    secret_mismatches,
    starting,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import FIXABLE, STATES
from ansible_collections.waent.fleet.tests.support.observed_host import (
    CORE,
    DATABASE,
    IDS,
    SETTINGS,
    WEB,
    bare,
    container,
    engine,
    listeners_of,
    network,
    node_container,
    observed,
    placed,
    store,
)
from hypothesis import given
from hypothesis import strategies as st

SINGLE = {
    "image": "docker.whatsapp.biz/coreapp:v2.19.4",
    "product": "coreapp",
    "environment": {"WA_APP_MULTICONNECT": "0"},
}


def only(host, nodes=None):
    """The one problem there is."""
    (problem,) = host_problems(host, placed() if nodes is None else nodes)
    assert problem.host == "h1"
    return problem


def running_cluster(**changes):
    nodes = placed()
    return [node_container(node, **changes.get(node["name"], {})) for node in nodes]


# Problems


def test_hosts_as_they_should_be():
    assert host_problems(observed(), placed()) == []
    assert host_problems(bare(), placed()) == []
    assert host_problems(observed(containers=running_cluster()), placed()) == []
    assert host_problems(observed(containers=[container(ports=[{"host": 80, "container": 80}])]), placed()) == []


def test_a_port_taken_by_a_process():
    holder = {"port": 6251, "container": None, "process": "nc", "pid": 312}
    problem = only(observed(listeners=[holder]))
    assert (problem.code, problem.variable, problem.value) == ("PORT_TAKEN", "wa_coreapp_port", 6251)
    assert "Port 6251, needed by wa-coreapp-1, is taken by process nc (pid 312)" in problem.message


def test_a_port_taken_by_a_container_or_by_nobody_we_may_see():
    problem = only(observed(containers=[container("proxy", ports=[{"host": 9090, "container": 80}])]))
    assert problem.code == "PORT_TAKEN"
    assert "container proxy" in problem.message
    hidden = {"port": 9090, "container": None, "process": None, "pid": None}
    assert "may not see" in only(observed(listeners=[hidden])).message


def test_a_port_on_which_a_run_that_was_killed_still_listens_is_free():
    holder = {"port": 6251, "container": None, "process": "waent-ports", "pid": 312}
    assert host_problems(observed(listeners=[holder]), placed()) == []


@pytest.mark.parametrize("state", ["silent", "denied", "command_missing"])
def test_what_an_engine_publishes_that_nobody_can_ask_may_be_ours(state):
    holder = {"port": 6251, "container": None, "process": "docker-proxy", "pid": 312}
    host = observed(engine=engine(state, reason="because"), listeners=[holder])
    assert "PORT_TAKEN" not in {problem.code for problem in host_problems(host, placed())}
    assert only(observed(listeners=[holder])).code == "PORT_TAKEN"


def test_a_port_held_by_another_node_of_ours_is_taken():
    nodes = placed()
    swapped = node_container(nodes[0], ports=[{"host": 6250, "container": 6250}])
    problem = only(observed(containers=[swapped]), nodes)
    assert (problem.code, problem.value) == ("PORT_TAKEN", 6250)
    assert "needed by wa-coreapp-1, is taken by container wa-master-1" in problem.message


def test_another_container_with_a_node_s_name():
    foreign = container("wa-webapp-1", ports=[{"host": 9090, "container": 443}])
    codes = [problem.code for problem in host_problems(observed(containers=[foreign]), placed())]
    assert codes == ["NAME_TAKEN", "PORT_TAKEN"]
    other = container("wa-webapp-1", cluster="sales", kind="webapp", index=1)
    assert "belongs to cluster sales" in only(observed(containers=[other])).message


@pytest.mark.parametrize("word", [None, "0"])
def test_single_connect_stops_a_rollout(word):
    environment = {} if word is None else {"WA_APP_MULTICONNECT": word}
    problem = only(observed(containers=[container("wacore", **{**SINGLE, "environment": environment})]))
    assert (problem.code, problem.variable) == ("SINGLE_CONNECT_RUNNING", "wa_stop_single_connect")
    assert "wacore" in problem.message
    assert "banned" in problem.message
    assert "-e wa_stop_single_connect=true" in problem.message


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "exited"},
        {"environment": {"WA_DB_UPGRADE": "1"}},
        {"environment": {"WA_APP_MULTICONNECT": "1"}, "cluster": "sales", "kind": "coreapp"},
    ],
)
def test_what_is_no_single_connect_client(changes):
    assert host_problems(observed(containers=[container("wacore", **{**SINGLE, **changes})]), placed()) == []


@pytest.mark.parametrize("state", ["running", "restarting", "paused"])
@pytest.mark.parametrize("ports", [[], [{"host": 7250, "container": 6250}]])
def test_a_cluster_that_a_compose_file_started_stops_a_rollout_on_whatever_ports(state, ports):
    """Like single-connect: nobody can know whether it serves another number."""
    changes = {"environment": {"WA_APP_MULTICONNECT": "1"}, "state": state, "ports": ports}
    names = ["wacore1", "wamaster1"]
    problem = only(observed(containers=[container(name, **{**SINGLE, **changes}) for name in names]))
    assert problem.code == "UNMANAGED_NODES_RUNNING"
    assert problem.message.startswith("wacore1, wamaster1 run the client in cluster mode")
    assert "docker stop wacore1 wamaster1" in problem.message
    assert "label waent.fleet.cluster" in problem.message


@pytest.mark.parametrize("changes", [{"state": "exited"}, {"cluster": "sales", "kind": "coreapp"}, {"product": None}])
def test_what_is_no_unmanaged_cluster(changes):
    node = {**SINGLE, "environment": {"WA_APP_MULTICONNECT": "1"}, **changes}
    assert host_problems(observed(containers=[container("wacore1", **node)]), placed()) == []
    assert host_problems(observed(containers=[container("wacore1", **{**node, "state": "running"})]), []) == []


def test_single_connect_that_will_be_stopped_may_hold_ports_until_then():
    wacore = container("wacore", ports=[{"host": 6250, "container": 6250}], **SINGLE)
    asked = {"stop_single_connect": True}
    assert host_problems(observed(containers=[wacore], asked=asked), placed()) == []
    assert host_plan(observed(containers=[wacore], asked=asked), placed())[0].sentence == (
        "h1: stop wacore (it runs in single-connect mode)"
    )


def test_another_version_is_an_upgrade():
    old = running_cluster(**{"wa-master-1": {"version": "v2.19.3"}})
    problem = only(observed(containers=old))
    assert (problem.code, problem.value) == ("VERSION_DIFFERS", "v2.19.4")
    assert "wa-master-1 is v2.19.3" in problem.message
    assert "playbooks/upgrade.yml -e version=v2.19.4" in problem.message


def test_a_node_the_inventory_does_not_know():
    extra = node_container({**placed()[-1], "name": "wa-coreapp-9", "index": 9, "ports": [6500], "external_ports": ""})
    problem = only(observed(containers=running_cluster() + [extra]))
    assert (problem.code, problem.variable) == ("NODE_UNKNOWN", "wa_coreapp_hosts")
    assert "wa-coreapp-9 (running)" in problem.message


def test_the_cluster_s_database_is_no_unknown_node():
    assert host_problems(observed(containers=[container("wa-db", cluster="waent", kind="database")]), placed()) == []


@pytest.mark.parametrize(
    ("word", "reason", "code", "says"),
    [
        ("missing", "docker.whatsapp.biz has no web:v2.19.4", "IMAGE_MISSING", "has no web:v2.19.4"),
        ("unknown", "timed out", "IMAGE_UNKNOWN", "not known (timed out)"),
    ],
)
def test_images_that_cannot_be_had(word, reason, code, says):
    images = [
        {"image": WEB, "id": None, "registry": word, "reason": reason},
        {"image": CORE, "id": IDS[CORE], "registry": None, "reason": None},
    ]
    problem = only(observed(images=images))
    assert (problem.code, problem.value) == (code, WEB)
    assert says in problem.message
    assert host_problems(observed(images=images), [n for n in placed() if n["kind"] != "webapp"]) == []


@pytest.mark.parametrize("key", ["media", "data"])
def test_stores(key):
    path = store("/srv/wa")
    assert host_problems(observed(**{key: path}), placed()) == []
    problem = only(observed(**{key: {**path, "writable": False, "reason": "Read-only file system"}}))
    assert (problem.code, problem.variable) == (key.upper() + "_NOT_WRITABLE", "wa_" + key)
    assert "/srv/wa, which user id 0 of the containers cannot write (Read-only file system)" in problem.message
    problem = only(observed(**{key: {**path, "exists": False, "writable": None, "free_mb": None}}))
    assert problem.code == key.upper() + "_MISSING"
    silent = {**path, "writable": None, "free_mb": None, "silent": "stat", "reason": "no answer within 2 s"}
    problem = only(observed(**{key: silent}))
    assert problem.code == key.upper() + "_NO_ANSWER"
    assert "/srv/wa, which does not answer (step stat: no answer within 2 s); bring its server" in problem.message
    # What only Docker can mount is not checked.
    assert host_problems(observed(**{key: {**path, "writable": None}}), placed()) == []


def test_a_database_host_needs_no_media():
    database = [{"name": "wa-db", "kind": "database", "host": "h1", "ports": [3306]}]
    assert host_problems(observed(media=store("/srv/wa", exists=False, free_mb=None)), database) == []


def cluster_that_keeps(media="whatsappMedia", data=None, network="waent", database="waentDatabase"):
    """A running cluster whose containers have other stores, or another network, than the settings of the tests say."""
    mounts = {"/usr/local/wamedia": media, **({"/usr/local/waent/data": data} if data else {})}
    own = {"mounts": mounts, "networks": [network]}
    nodes = [node_container(node, **own) for node in placed()]
    store_of_database = {"/var/lib/mysql": database}
    return [
        *nodes,
        container("wa-db", cluster="waent", kind="database", mounts=store_of_database, networks=[network]),
    ]


def settled(containers, volumes=(), networks=("waent",), **settings):
    """The host of such a cluster, and what is wrong with it for its nodes and its database."""
    host = observed(
        containers=containers,
        asked={"container_settings": {**SETTINGS, **settings}},
        volumes=[{"name": name, "cluster": "waent", "path": "/v"} for name in volumes],
        networks=[network(name) for name in networks],
        listeners=[],
    )
    return host_problems(host, [*placed(), DATABASE])


@pytest.mark.parametrize(
    "own, desired, variable",
    [
        ({"media": "oldMedia"}, "whatsappMedia", "wa_media"),
        ({"data": "oldData"}, "newData", "wa_data"),
        ({"database": "oldDatabase"}, "waentDatabase", "wa_database_volume"),
    ],
)
def test_a_container_with_data_is_not_recreated_on_an_empty_volume(own, desired, variable):
    there = {"whatsappMedia", "waentDatabase", "newData"} - {desired}
    data = "newData" if variable == "wa_data" else ""
    (problem,) = settled(cluster_that_keeps(**own), there, data=data)
    (now,) = own.values()
    assert (problem.code, problem.variable, problem.value) == ("VOLUME_WOULD_BE_EMPTY", variable, desired)
    assert "Set {0} to {1} to keep it".format(variable, now) in problem.message
    assert "docker volume create {0}".format(desired) in problem.message
    # Somebody has made it: then it is meant.
    assert settled(cluster_that_keeps(**own), {*there, desired}, data=data) == []


def test_a_running_cluster_keeps_its_network():
    volumes = ("whatsappMedia", "waentDatabase")
    (problem,) = settled(cluster_that_keeps(network="old"), volumes, networks=("old",))
    assert (problem.code, problem.variable) == ("NETWORK_WOULD_CHANGE", "wa_network")
    assert "wa-webapp-1" in problem.message and "wa-db" in problem.message
    assert "Set wa_network to old" in problem.message
    assert settled(cluster_that_keeps(network="old"), volumes, networks=("old", "waent")) == []


def test_a_network_or_volume_that_was_removed_is_created_again_under_its_name():
    """Stopped containers still name them; to set the variable to the value it has would be no way out."""
    stopped = [dict(one, state="exited") for one in cluster_that_keeps()]
    assert settled(stopped, volumes=(), networks=()) == []


def test_volumes_and_networks_of_a_new_cluster_are_made_whatever_others_have():
    others = [dict(one, cluster="b", name="b-" + one["name"]) for one in cluster_that_keeps("x", "y", "z", "v")]
    assert [problem.code for problem in settled(others, networks=())] == []
    # A path of the host is a matter of the check for mounts.
    assert settled(cluster_that_keeps(media="old"), ("waentDatabase",), media="/srv/wa") == []


def test_disk():
    problem = only(observed(disk={"path": "/var/lib/docker", "free_mb": 2047}))
    assert (problem.code, problem.variable) == ("DISK_LOW", "wa_disk_free_mb")
    assert "2047 MB are free at /var/lib/docker; wa_disk_free_mb asks for 2048 MB" in problem.message
    assert host_problems(observed(disk={"path": "/", "free_mb": 2048}), placed()) == []
    assert "at /srv/wa" in only(observed(media=store("/srv/wa", free_mb=1))).message


def test_an_engine_that_refuses_us():
    problem = only(observed(engine=engine("denied", reason="permission denied")))
    assert (problem.code, problem.variable) == ("ENGINE_DENIED", "ansible_become")


@pytest.mark.parametrize("state", [state for state in STATES if state not in ("answers", *FIXABLE)])
def test_an_engine_in_whose_place_none_is_put(state):
    """Also where no node is placed: there may be one on it that nobody sees."""
    for nodes in (placed(), []):
        (problem,) = host_problems(observed(engine=engine(state, reason="because")), nodes)
        assert problem.code.startswith("ENGINE_")
        assert "because" in problem.message
        assert unfixed_engine_problems(observed(engine=engine(state)), nodes, FIXABLE) == []


@pytest.mark.parametrize(("state", "verb"), [("absent", "installs"), ("stopped", "starts")])
def test_an_engine_that_only_site_fixes(state, verb):
    host = observed(engine=engine(state))
    (problem,) = unfixed_engine_problems(host, placed(), [])
    assert problem.code == "ENGINE_" + state.upper()
    assert "playbooks/site.yml {0} it".format(verb) in problem.message
    assert unfixed_engine_problems(host, placed(), FIXABLE) == []
    # Beside nodes of compose files site.yml refuses to do anything.
    host["asked"]["adopts"] = {"db_host": "db"}
    assert "playbooks/engine.yml {0} it".format(verb) in unfixed_engine_problems(host, placed(), [])[0].message
    # Nobody misses an engine where no node is placed, but a stopped one may hold some.
    assert len(unfixed_engine_problems(host, [], [])) == (state == "stopped")


@pytest.mark.parametrize("state", FIXABLE)
def test_an_engine_that_this_user_could_not_use_once_it_runs(state):
    (problem,) = unfixed_engine_problems(observed(engine=engine(state, usable=False)), placed(), FIXABLE)
    assert (problem.code, problem.variable) == ("ENGINE_DENIED", "ansible_become")


def test_an_engine_that_cannot_be_installed():
    (problem,) = unfixed_engine_problems(observed(engine=engine("absent", installable=False)), placed(), FIXABLE)
    assert problem.code == "ENGINE_NOT_INSTALLABLE"
    assert unfixed_engine_problems(observed(engine=engine("stopped", installable=False)), placed(), FIXABLE) == []
    assert install_refusals(observed(engine=engine("absent", installable=False))) == [problem]
    for usable in (engine("absent"), engine("stopped", installable=False), engine(installable=False)):
        assert install_refusals(observed(engine=usable)) == []


@pytest.mark.parametrize(("state", "count"), [("answers", 1), ("stopped", 1), ("absent", 0)])
def test_what_ansible_s_docker_modules_need(state, count):
    """Where the engine is installed by us, its packages bring it."""
    host = observed(engine=engine(state), python={"executable": "/usr/bin/python3", "requests": False})
    problems = [p for p in host_problems(host, []) if p.code == "PYTHON_REQUESTS_MISSING"]
    assert len(problems) == count
    assert all("/usr/bin/python3 has no module requests" in problem.message for problem in problems)


def test_requests_that_the_distribution_s_package_would_not_bring():
    """Where the engine is to be installed, and where it runs."""
    own = {"executable": "/opt/own/bin/python", "requests": False, "distribution": False}
    absent = observed(engine=engine("absent"), python=own)
    (problem,) = unfixed_engine_problems(absent, placed(), ["absent"])
    assert problem.code == "PYTHON_REQUESTS_MISSING"
    assert "/opt/own/bin/python -m pip install requests" in problem.message
    assert unfixed_engine_problems(absent, [], ["absent"]) == []
    for changes in ({"requests": True}, {"distribution": True}):
        host = observed(engine=engine("absent"), python={**own, **changes})
        assert unfixed_engine_problems(host, placed(), ["absent"]) == []
    (problem,) = host_problems(observed(python=own), [])
    assert "/opt/own/bin/python -m pip install requests" in problem.message


@pytest.mark.parametrize("state", STATES)
def test_an_engine_that_was_to_be_there_by_now(state):
    host = observed(engine=engine(state, reason="because of it"))
    problems = unusable_engine_problems(host)
    assert (problems == []) == (state == "answers")
    for problem in problems:
        assert problem.code == ("ENGINE_NOT_STARTED" if state in FIXABLE else problem.code)
        assert problem.code.startswith("ENGINE_") and "because of it" in problem.message


def test_a_host_that_could_not_be_read_for_a_reason_of_its_own():
    failure = {"code": "PYTHON_TOO_OLD", "message": "Python 3.6.8 runs Ansible's modules here.", "details": {}}
    nodes = placed() + [{**DATABASE, "host": "h2"}]
    found = unread_problems([], nodes, {"h1": failure, "h9": failure})
    assert [(problem.code, problem.host) for problem in found] == [("PYTHON_TOO_OLD", "h1"), ("HOST_NOT_READ", "h2")]


def test_what_is_started():
    ran, new = observed(engine=engine("stopped")), observed(engine=engine("stopped", empty=True))
    assert host_plan(ran, placed())[0].sentence == (
        "h1: start Docker Engine (it is stopped; what follows is if it holds nothing)"
    )
    assert [act.action for act in host_plan(ran, [])] == ["start_engine"]
    assert host_plan(new, placed())[0].sentence == "h1: start Docker Engine (it has never run)"
    assert host_plan(new, []) == []
    assert host_plan(bare(), placed())[0].action == "install_engine"


def test_images_that_may_lie_on_a_stopped_engine():
    images = [{"image": WEB, "id": None, "registry": None, "reason": None}]
    assert host_problems(observed(engine=engine("stopped"), images=images), placed()) == []


def test_a_service_that_cannot_be_reached():
    reached = [
        {"host": "db", "port": 3306, "reached": False, "reason": "timed out"},
        {"host": "nfs", "port": 2049, "reached": True, "reason": None},
    ]
    problem = only(observed(reached=reached))
    assert (problem.code, problem.value) == ("NOT_REACHABLE", "db:3306")


def test_all_problems_of_a_host_are_reported_at_once():
    host = observed(
        containers=[container("wacore", **SINGLE)],
        listeners=[{"port": 9090, "container": None, "process": "x", "pid": 1}],
        disk={"path": "/", "free_mb": 1},
        media=store("/m", writable=False, reason="no"),
    )
    codes = [problem.code for problem in host_problems(host, placed())]
    assert codes == ["SINGLE_CONNECT_RUNNING", "PORT_TAKEN", "MEDIA_NOT_WRITABLE", "DISK_LOW"]


def test_hosts_that_could_not_be_read():
    (problem,) = unread_problems([observed("h2")], placed("h1") + placed("h2"))
    assert (problem.code, problem.host) == ("HOST_NOT_READ", "h1")


def test_hosts_on_which_nodes_are_sought_have_to_be_read_whatever_is_placed_there():
    read, away = [observed("h2")], {"h1": "timed out", "h3": "timed out"}
    one, three = unread_problems(read, placed("h1"), {}, away, (), ["h1", "h2", "h3"])
    assert (one.code, one.host) == ("HOST_NOT_READ", "h1") and "nodes are placed on it" in one.message
    assert (three.code, three.host) == ("HOST_NOT_READ", "h3") and "nobody knows which nodes run there" in three.message
    failure = {"code": "PYTHON_TOO_OLD", "message": "Python 3.6.8 runs Ansible's modules here.", "details": {}}
    (known,) = unread_problems(read, [], {"h3": failure}, {}, (), ["h3"])
    assert known.code == "PYTHON_TOO_OLD"


def test_hosts_that_are_away_and_the_way_on_without_them():
    nodes = placed("h1") + placed("h2") + [{**DATABASE, "host": "h3"}]
    failure = {"code": "PYTHON_TOO_OLD", "message": "Python 3.6.8 runs Ansible's modules here.", "details": {}}
    away = {"h1": "timed out", "h2": "timed out", "h3": "timed out", "h4": "timed out"}
    spared = ["h1", "h2", "h4"]
    one, two, database = unread_problems([], nodes, {}, away, spared)
    for problem in (one, two):
        assert "(timed out)" in problem.message
        assert """add -e '{"wa_without_hosts": ["h1", "h2", "h4"]}' to the command""" in problem.message
    assert database.host == "h3" and "wa_without_hosts" not in database.message, "nothing works without it"
    own, _two, _database = unread_problems([], nodes, {"h1": failure}, {"h2": ""}, ["h2"])
    assert own.code == "PYTHON_TOO_OLD" and "wa_without_hosts" not in own.message, "it answers"


# Planned changes


def sentences(host, nodes=None):
    return [act.sentence for act in host_plan(host, placed() if nodes is None else nodes)]


def test_planned_changes_of_a_bare_host():
    assert sentences(bare()) == [
        "h1: install and start Docker Engine (the docker command is not installed)",
        "h1: create network waent",
        "h1: pull image docker.whatsapp.biz/coreapp:v2.19.4",
        "h1: pull image docker.whatsapp.biz/web:v2.19.4",
        "h1: create volume whatsappMedia",
        "h1: create wa-master-1 on ports 6254-6257",
        "h1: create wa-master-2 on ports 6262-6265",
        "h1: create wa-webapp-1 on port 9090",
        "h1: create wa-coreapp-1 on ports 6250-6253",
        "h1: create wa-coreapp-2 on ports 6258-6261",
    ]


def test_planned_changes_of_a_cluster_in_the_desired_state():
    plan = host_plan(observed(containers=running_cluster()), placed())
    assert {act.action for act in plan} == {"keep"}
    assert len(plan) == 5


@pytest.mark.parametrize(
    ("change", "action", "why"),
    [
        ({"state": "exited"}, "start", "it is exited"),
        ({"image": "docker.whatsapp.biz/coreapp:v2.19.3"}, "recreate", "image: " + CORE + " instead of"),
        ({"image_id": "sha256:older"}, "recreate", "was rebuilt"),
        (
            {"options": {"published_ports": {"6250/tcp": "0.0.0.0:7000"}}},
            "recreate",
            "published ports: 0.0.0.0:6258->6250, 0.0.0.0:6259->6251, 0.0.0.0:6260->6252, 0.0.0.0:6261->6253"
            " instead of 0.0.0.0:7000->6250",
        ),
        (
            {"environment_differs": ["WA_API_KEY", "WA_DB_PASSWORD"]},
            "recreate",
            "environment: WA_API_KEY, WA_DB_PASSWORD differs from the inventory",
        ),
        ({"options": {"restart_policy": "no"}}, "update", "restart policy: unless-stopped instead of no"),
        (
            {"options": {"restart_policy": "no"}, "state": "exited"},
            "start",
            "it is exited; restart policy: unless-stopped instead of no",
        ),
        (
            {"options": {"mounts": {}}},
            "recreate",
            "mounts: volume whatsappMedia at /usr/local/wamedia instead of none",
        ),
        ({"options": {"network_mode": "bridge"}}, "recreate", "network: waent instead of bridge"),
        (
            {"options": {"env": {"COREAPP_HOSTNAME": "h2", "COREAPP_EXTERNAL_PORTS": "6258,6259,6260,6261"}}},
            "recreate",
            "advertised as: COREAPP_HOSTNAME=h1 instead of COREAPP_HOSTNAME=h2",
        ),
    ],
)
def test_planned_changes_of_a_container_that_differs(change, action, why):
    plan = host_plan(observed(containers=running_cluster(**{"wa-coreapp-2": change})), placed())
    (act,) = [act for act in plan if act.action != "keep"]
    assert (act.action, act.what) == (action, "wa-coreapp-2")
    assert why in act.sentence


def test_which_nodes_are_new_on_their_ports():
    changed = {"wa-master-1": {"state": "exited"}, "wa-webapp-1": {"options": {"restart_policy": "no"}},
               "wa-coreapp-2": {"options": {"network_mode": "bridge"}}}  # fmt: skip
    containers = [one for one in running_cluster(**changed) if one["name"] != "wa-coreapp-1"]
    by_host = {"h1": placed(), "h2": []}
    plans = {"h1": host_plan(observed(containers=containers), placed()), "h2": []}
    assert starting(plans, by_host) == {("h1", name) for name in ("wa-master-1", "wa-coreapp-1", "wa-coreapp-2")}


def test_only_another_node_secret_is_a_secret_mismatch():
    other = running_cluster(**{"wa-coreapp-2": {"environment_differs": ["WA_SECRET"]}})
    assert secret_mismatches([observed(containers=other)]) == ["wa-coreapp-2"]
    other = running_cluster(**{"wa-coreapp-2": {"environment_differs": ["WA_DB_PASSWORD"]}})
    assert secret_mismatches([observed(containers=other)]) == []


def test_somebody_else_s_container_is_never_started_or_kept():
    acts = host_plan(observed(containers=[container("wa-webapp-1")]), placed())
    assert [act.action for act in acts if "wa-webapp-1" in act.what] == ["create"]


# Clocks


def test_clock_windows_are_narrowed_by_every_sample():
    slow, quick = ClockSample(100.0, 107.0, 110.0), ClockSample(110.0, 113.0, 110.5)
    assert clock_window([slow]) == (-3.0, 7.0)
    assert clock_window([slow, quick]) == (2.5, 3.0)
    assert clock_window([ClockSample(110.0, 113.0, 110.5, resolution=1.0)]) == (2.5, 4.0)


moments = st.floats(0, 60, allow_nan=False)


@given(st.floats(-100, 100), st.lists(st.tuples(moments, moments, moments), min_size=1, max_size=4))
def test_the_true_offset_is_always_inside_the_window(offset, looks):
    samples = []
    for one, two, three in looks:
        before, moment, after = sorted((one, two, three))
        samples.append(ClockSample(before, moment + offset, after))
    least, most = clock_window(samples)
    assert least - 1e-6 <= offset <= most + 1e-6


@given(
    st.dictionaries(
        st.sampled_from("abcdef"), st.tuples(st.floats(-20, 20), st.floats(0, 8), st.floats(0, 8)), min_size=2
    )
)
def test_clocks_are_accused_only_and_always_when_it_is_certain(truth):
    windows = {name: (offset - below, offset + above) for name, (offset, below, above) in truth.items()}
    found = clock_problems(windows)
    certain = any(a[0] - b[1] > 5.0 for a in windows.values() for b in windows.values())
    assert bool(found) == certain
    for problem in found:
        assert any(abs(truth[problem.host][0] - offset) > 5.0 - 1e-9 for offset, _below, _above in truth.values())


def test_the_odd_clock_is_named_not_the_others():
    windows = {"a": (0.0, 0.1), "b": (-0.1, 0.0), "c": (7.0, 7.2)}
    (problem,) = clock_problems(windows)
    assert (problem.code, problem.host) == ("CLOCK_DIFFERS", "c")
    assert "at least 6.9 s ahead of that of a; at most 5 s are allowed" in problem.message


def test_a_slow_answer_is_no_wrong_clock():
    assert clock_problems({"a": (0.0, 0.1), "b": (4.0, 30.0)}) == []
    assert clock_problems({"a": (0.0, 0.1)}) == []


def test_the_helper_for_listeners_sees_running_containers_only():
    assert listeners_of([container(state="exited", ports=[{"host": 1, "container": 1}])]) == []
