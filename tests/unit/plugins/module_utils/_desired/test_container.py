# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One specification of a container: applied, read back, compared, and shown.

The engine of these tests is C(inspected), a model of its own. That docker_container and a real engine see the same
differences is for tests/integration/containers/test_docker_container_agrees.py.
"""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.product import SCHEMA_UPGRADE
from ansible_collections.waent.fleet.plugins.module_utils._desired.container import (
    KEYS,
    MORE,
    PORTS_INSIDE,
    Key,
    compare,
    container_of,
    docker_options,
    found_options,
)
from ansible_collections.waent.fleet.plugins.module_utils._desired.log_driver import DRIVERS
from ansible_collections.waent.fleet.plugins.module_utils._plan.site import (
    Act,
    Service,
    differences,
    host_plan,
    must_recreate,
    recreation,
    service_of,
)
from ansible_collections.waent.fleet.tests.support.docker_container_oracle import predicted_changes
from ansible_collections.waent.fleet.tests.support.observed_host import (
    DATABASE,
    SETTINGS,
    container,
    inspected,
    node_container,
    observed,
    placed,
)
from hypothesis import given
from hypothesis import strategies as st

UPGRADE = {"kind": SCHEMA_UPGRADE, "name": "wa-schema-upgrade", "address": "h1"}
EVERY_KIND = [*placed(), DATABASE, UPGRADE]

MUTATIONS = {
    "image": "docker.whatsapp.biz/other:v1",
    "hostname": "another",
    "command": ["/bin/other"],
    "env": {"COREAPP_HOSTNAME": "elsewhere", "WEBAPP_HOSTNAME": "elsewhere"},
    "published_ports": ["127.0.0.1:1:2"],
    "mounts": [{"type": "bind", "source": "/elsewhere", "target": "/usr/local/wamedia"}],
    "etc_hosts": {"one.more": "192.0.2.1"},
    "network_mode": "another",
    "networks": [{"name": "waent", "aliases": ["one-more"]}],
    "restart_policy": "on-failure",
    "labels": {"waent.fleet.version": "v9.9.9"},
    "log_driver": "local",
    "log_options": {"max-size": "51m"},
    "cap_drop": ["MKNOD", "NET_RAW"],
}
"""Another value for every option there is."""

ALL_IMAGES = tuple(SETTINGS["images"])
words = st.text("abcdefghijklmnopqrstuvwxyz0123456789-.", min_size=1, max_size=12)
addresses = st.one_of(st.ip_addresses().map(str), st.just("host-gateway"))
stores = st.one_of(words, words.map("/srv/{0}".format))
settings_of_a_host = st.builds(
    lambda **changes: {**SETTINGS, **changes, "images": {kind: changes["version"] + kind for kind in ALL_IMAGES}},
    cluster=words,
    version=words,
    network=words,
    publish_address=st.ip_addresses().map(str),
    extra_hosts=st.dictionaries(words, addresses, max_size=4),
    media=stores,
    data=st.one_of(st.just(""), stores),
    db_ssl=st.one_of(st.just(""), words),
    db_engine=st.sampled_from(["MYSQL", "PGSQL"]),
    log_driver=st.sampled_from(sorted(DRIVERS)),
    log_options=st.dictionaries(st.sampled_from(["tag", "max-size", "awslogs-stream"]), words),
    database=st.fixed_dictionaries(
        {
            "address": st.ip_addresses().map(str), "volume": stores, "max_connections": st.integers(1, 99999),
            "arguments": st.lists(words, max_size=3), "alias": words,
        }
    ),
)  # fmt: skip
nodes = st.sampled_from(EVERY_KIND)


def test_every_option_of_a_specification_is_read_back_compared_and_changed_here():
    """One that is added to a specification only would be applied without ever being a planned change."""
    asked = {name for node in EVERY_KIND for name in container_of(node, SETTINGS)}
    assert asked == set(KEYS) == set(found_options({})) == set(MUTATIONS)


def test_docker_container_gets_the_specification_and_how_to_compare_it():
    for node in EVERY_KIND:
        spec, options = container_of(node, SETTINGS), docker_options(node, SETTINGS)
        assert {name: options[name] for name in spec} == spec
        assert set(options) - set(spec) == {"name", "state", "pull", "recreate", "comparisons"}
        assert options["name"] == node["name"]
        assert set(options["comparisons"]) <= set(spec) | {"env"}
    assert docker_options(DATABASE, SETTINGS)["comparisons"]["env"] == "ignore"
    assert docker_options(placed()[0], SETTINGS)["comparisons"]["env"] == "strict"
    assert [docker_options(node, SETTINGS)["recreate"] for node in EVERY_KIND[-2:]] == [False, True]


@given(nodes, settings_of_a_host)
def test_a_container_made_from_a_specification_is_as_desired(node, settings):
    spec = container_of(node, settings)
    assert compare(spec, found_options(inspected(spec))) == []


@given(nodes, settings_of_a_host, settings_of_a_host)
def test_what_differs_is_what_the_specifications_differ_in(node, before, after):
    """Of two random sets of variables: every option with another value is reported, and no other."""
    old, new = container_of(node, before), container_of(node, after)
    reported = {difference.option for difference in compare(new, found_options(inspected(old)))}
    assert reported == {name for name in new if changed(KEYS[name], old[name], new[name])}


def changed(key: Key, before, after) -> bool:
    """Whether what is asked for now was not asked for before. An engine adds options of its own to some."""
    old, new = key.asked(before), key.asked(after)
    if key.comparison == MORE:
        return any(old.get(part) != text for part, text in new.items())
    return old != new


def without_secrets(entry):
    """The container with the image's environment and the specification's: the rest is compared by name."""
    env = [one for one in entry["Config"]["Env"] if not one.startswith("WA_DB_PASSWORD=")]
    return {**entry, "Config": {**entry["Config"], "Env": env}}


@given(nodes.filter(lambda node: node["kind"] != SCHEMA_UPGRADE), settings_of_a_host, settings_of_a_host)
def test_docker_container_decides_as_we_do(node, before, after):
    """It decides by its own code what it would change, and whether that takes another container."""
    old, new = container_of(node, before), container_of(node, after)
    entry = without_secrets(inspected(old))
    found = compare(new, found_options(entry))
    theirs = predicted_changes(docker_options(node, after), entry)
    assert ({one.option for one in found}, any(not one.in_place for one in found)) == theirs
    assert predicted_changes(docker_options(node, before), entry) == (set(), False)


@pytest.mark.parametrize("option", sorted(KEYS))
@pytest.mark.parametrize("node", EVERY_KIND[:-1], ids=lambda node: node["name"])
def test_docker_container_decides_on_every_option_as_we_do(node, option):
    spec = container_of(node, SETTINGS)
    if option not in spec:
        return
    entry = without_secrets(inspected(spec))
    theirs = predicted_changes({**docker_options(node, SETTINGS), option: MUTATIONS[option]}, entry)
    assert theirs == ({option}, not KEYS[option].in_place)


@pytest.mark.parametrize("option", sorted(KEYS))
@pytest.mark.parametrize("node", EVERY_KIND, ids=lambda node: node["name"])
def test_every_option_is_reported_by_its_name_when_it_alone_differs(node, option):
    spec = container_of(node, SETTINGS)
    if option not in spec:
        return
    changed = {**spec, option: MUTATIONS[option]}
    if option == "env":
        changed["env"] = {name: MUTATIONS["env"].get(name, value) for name, value in spec["env"].items()}
    (difference,) = compare(changed, found_options(inspected(spec)))
    assert difference.option == option
    assert difference.text.startswith(KEYS[option].what + ": ")
    assert " instead of " in difference.text
    assert difference.in_place is (option in ("networks", "restart_policy"))


@pytest.mark.parametrize("option", sorted(set(KEYS) - {"image"}))
def test_planned_changes_are_what_the_rollout_does_about_every_option(option):
    """image has more to it than its name: test_host.py."""
    coreapp = next(node for node in placed() if node["name"] == "wa-coreapp-2")
    other = {**MUTATIONS, "networks": [{"name": "another"}]}[option]
    there = found_options(inspected({**container_of(coreapp, SETTINGS), option: other}))[option]
    changed = [node_container(node, options={option: there} if node == coreapp else {}) for node in placed()]
    host = observed(containers=changed)
    (act,) = [one for one in host_plan(host, placed()) if one.action != "keep"]
    assert (act.what, act.action) == ("wa-coreapp-2", "update" if KEYS[option].in_place else "recreate")
    assert KEYS[option].what in act.sentence
    found = next(one for one in changed if one["name"] == "wa-coreapp-2")
    assert must_recreate(host, coreapp, found) is (act.action == "recreate")


@pytest.mark.parametrize(
    ("option", "there", "text"),
    [
        ("etc_hosts", {"db:10.0.0.1": ""}, "extra hosts: none instead of db:10.0.0.1"),
        ("cap_drop", {}, "dropped capabilities: MKNOD instead of none"),
        (
            "published_ports",
            {"443/tcp": "127.0.0.1:9090"},
            "published ports: 0.0.0.0:9090->443 instead of 127.0.0.1:9090->443",
        ),
        # A container that somebody made by hand, without an address: docker_container would recreate it too.
        ("published_ports", {"443/tcp": ":9090"}, "published ports: 0.0.0.0:9090->443 instead of :9090->443"),
        (
            "mounts",
            {"/usr/local/wamedia": "volume whatsappMedia", "/usr/local/waent/data": "volume whatsappData"},
            "mounts: none instead of volume whatsappData at /usr/local/waent/data",
        ),
        ("networks", {"waent": "", "monitoring": ""}, None),
        ("labels", {"waent.fleet.cluster": "waent"}, "labels: waent.fleet.kind=webapp, waent.fleet.version=v2.19.4"),
        ("mounts", {"/usr/local/wamedia": "volume whatsappMedia", "/usr/local/wamedia labels": "a=b"}, None),
        ("env", {"WEBAPP_HOSTNAME": "h1", "WEBAPP_EXTERNAL_PORTS": "9090", "COREAPP_HOSTNAME": "h1"}, None),
    ],
)
def test_only_the_parts_that_differ_are_shown(option, there, text):
    webapp = next(node for node in placed() if node["kind"] == "webapp")
    spec = container_of(webapp, SETTINGS)
    found = compare(spec, {**found_options(inspected(spec)), option: there})
    assert [difference.text.startswith(text) for difference in found] == ([True] if text else [])


def test_without_settings_only_image_and_environment_are_compared():
    host = observed(containers=[node_container(node) for node in placed()], asked={"container_settings": None})
    changed = node_container(placed()[0], options={"hostname": "x"}, environment_differs=["WA_API_KEY"])
    assert [one.option for one in differences(host, placed()[0], changed)] == ["env"]


def test_a_database_is_compared_as_any_node_but_for_its_environment():
    asked = {"images": SETTINGS["images"]}
    spec = container_of(DATABASE, SETTINGS)
    there = container(
        "wa-db", cluster="waent", kind="database", image="mariadb:10.11", options=found_options(inspected(spec))
    )
    assert host_plan(observed(containers=[there], asked=asked), [DATABASE])[-1].action == "keep"
    more = {**SETTINGS, "database": {**SETTINGS["database"], "max_connections": 900}}
    act = host_plan(observed(containers=[there], asked={**asked, "container_settings": more}), [DATABASE])[-1]
    assert act.sentence == "h1: recreate wa-db (command: --max-connections=900 instead of --max-connections=500)"


@pytest.mark.parametrize(
    ("address", "published"),
    [
        ("0.0.0.0", "0.0.0.0:9090:443"),
        ("192.0.2.7", "192.0.2.7:9090:443"),
        ("::", "[::]:9090:443"),
        ("[2001:db8::1]", "[2001:db8::1]:9090:443"),
        ("2001:0db8:0:0::1", "[2001:db8::1]:9090:443"),
    ],
)
def test_an_address_of_either_kind_is_published_as_docker_container_takes_it(address, published):
    webapp = next(node for node in placed() if node["kind"] == "webapp")
    assert container_of(webapp, {**SETTINGS, "publish_address": address})["published_ports"] == [published]


def test_variables_that_arrive_as_text_make_the_same_container():
    """ansible-core before 2.19 makes text of the results of templates."""
    texts = {**SETTINGS, "extra_hosts": {}, "database": {**SETTINGS["database"], "max_connections": "500"}}
    for node in EVERY_KIND:
        assert container_of(node, texts) == container_of(node, SETTINGS)


def test_kinds_of_nodes_have_their_ports_once():
    for kind, ports in PORTS_INSIDE.items():
        node = next(node for node in placed() if node["kind"] == kind)
        inside = [int(port.rsplit(":", 1)[1]) for port in container_of(node, SETTINGS)["published_ports"]]
        assert inside == list(ports)


# How nodes are recreated

ACT = [Act("h1", "recreate", "wa-coreapp-2", ("extra hosts",))]
IN_SERVICE, NEVER, SILENT = Service(True), Service(False), Service(None, "connection refused")


def hosts_with(changes=None, drop=()):
    changes = changes or {}
    running = [node for node in placed() if node["kind"] not in drop]
    return [observed(containers=[node_container(node, **changes.get(node["name"], {})) for node in running])]


def every(**change):
    return {node["name"]: change for node in placed()}


@pytest.mark.parametrize(
    ("hosts", "acts", "service", "allow", "way", "code"),
    [
        (hosts_with(), [], None, False, "nothing", None),
        (hosts_with(), [Act("h1", "recreate", "wa-db")], IN_SERVICE, False, "nothing", None),
        (hosts_with(), [Act("h1", "update", "wa-coreapp-2")], IN_SERVICE, False, "nothing", None),
        (hosts_with(), ACT, None, False, "ask", None),
        (hosts_with(), ACT, IN_SERVICE, False, "roll", None),
        (hosts_with(), ACT, IN_SERVICE, True, "roll", None),
        (hosts_with(), ACT, NEVER, False, "at_once", None),
        (hosts_with(), ACT, SILENT, False, "ask", "SERVICE_UNKNOWN"),
        (hosts_with(), ACT, SILENT, True, "at_once", None),
        (hosts_with(drop=["webapp"]), ACT, SILENT, False, "ask", "SERVICE_UNKNOWN"),
        (hosts_with(every(state="exited")), ACT, None, False, "at_once", None),
        (hosts_with({"wa-coreapp-2": {"state": "exited"}}), ACT, SILENT, False, "at_once", None),
        (hosts_with({"wa-coreapp-2": {"state": "exited"}}), ACT, IN_SERVICE, False, "roll", None),
        (hosts_with({"wa-coreapp-2": {"state": "restarting"}}), ACT, SILENT, False, "ask", "SERVICE_UNKNOWN"),
        (hosts_with({"wa-coreapp-2": {"environment_differs": ["WA_SECRET"]}}), ACT, None, False, "at_once", None),
    ],
)
def test_a_cluster_is_taken_down_only_where_it_is_known_to_serve_nobody(hosts, acts, service, allow, way, code):
    found = recreation(hosts, acts, service, allow)
    assert found.way == way
    assert (found.problem.code if found.problem else None) == code
    assert bool(found.why) is (way in ("roll", "at_once"))


def test_what_is_not_known_names_the_nodes_the_reason_and_the_two_ways_on():
    problem = recreation(hosts_with(), ACT, SILENT, False).problem
    assert problem.message == (
        "wa-coreapp-2 would be recreated, but whether the cluster is in service cannot be asked (connection refused)."
        " Have a webapp answer, and run the playbook again; or, where it may be without service for some minutes, add"
        " -e wa_recreate_at_once=true to the command to have the nodes recreated kind by kind."
    )
    assert "no webapp of it runs" in recreation(hosts_with(drop=["webapp"]), ACT, SILENT, False).problem.message
    stopped = recreation(hosts_with({"wa-webapp-1": {"state": "exited"}}), ACT, SILENT, False).problem.message
    assert "(no webapp of it runs). Start a webapp (docker start wa-webapp-1 on h1), and run the playbook" in stopped


@pytest.mark.parametrize(
    ("login", "health", "service"),
    [
        (None, None, None),
        ({"password_changed": False}, {"cluster": {"registered": True}}, Service(True)),
        ({"password_changed": False}, {"cluster": {"registered": False}}, Service(False)),
        ({"password_changed": True}, {"msg": "no token"}, Service(False)),
        ({"failed": True, "msg": "refused"}, {"cluster": {"registered": None}}, Service(None, "refused")),
        (
            {"failed": False, "failure": {"message": "https://h1 answered 401. Try again.\nMore."}},
            {"failed": False, "failure": {"message": "later"}, "cluster": {}},
            Service(None, "https://h1 answered 401"),
        ),
        ({}, {"cluster": {"registered": ""}}, Service(None)),
    ],
)
def test_what_the_api_reported(login, health, service):
    found = service_of(login, health)
    assert found is service is None or found.registered is service.registered
    if found and found.registered is None:
        assert found.reason == service.reason
