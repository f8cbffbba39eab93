# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.filter.inventory_hosts import inventory_hosts
from ansible_collections.waent.fleet.plugins.module_utils._check.found import choose, found_problems
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import read_cluster_spec
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import place
from ansible_collections.waent.fleet.plugins.module_utils._desired.settings import host_problems, settings_problems
from ansible_collections.waent.fleet.plugins.module_utils._plan.found_inventory import (
    HostFacts,
    addresses_of,
    country_code,
    describe,
    reading_access,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.found import found_nodes
from ansible_collections.waent.fleet.plugins.plugin_utils.inventory_files import rendered
from ansible_collections.waent.fleet.tests.support.compose_containers import (
    DATABASE,
    PASSWORD,
    coreapp,
    development,
    environments,
    host,
    single,
    started,
    webapp,
)
from hypothesis import given
from hypothesis import strategies as st

KNOWN = {"wa_admin_password": "Canary-Password-1", "wa_cert": "Q2VydA=="}
READ = {"configured_shards": 2, "registered_number": "447700900123"}
FACTS = HostFacts(("192.0.2.11",))


def described(hosts, database=READ, facts=None, variables=None):
    """The inventory of hosts, C({name: containers}); it has no problem."""
    observed = [host(name, containers) for name, containers in hosts.items()]
    inventory, problems = describe(
        observed, environments(**hosts), facts or dict.fromkeys(hosts, FACTS), database, variables or KNOWN
    )
    assert problems == []
    return inventory


def codes(hosts, database=READ, variables=KNOWN, **more):
    observed = [host(name, containers, **more) for name, containers in hosts.items()]
    inventory, problems = describe(observed, environments(**hosts), dict.fromkeys(hosts, FACTS), database, variables)
    assert (inventory is None) == bool(problems)
    assert all(problem.message.endswith(".") and PASSWORD not in problem.message for problem in problems)
    return [problem.code for problem in problems]


def placed(inventory):
    """The nodes that its placement has, by the code of site.yml."""
    groups = {"wa_cluster": list(inventory.hosts)}
    groups.update({"wa_{0}_hosts".format(kind): hosts for kind, hosts in inventory.groups.items()})
    variables = {name: {**inventory.variables, **own} for name, own in inventory.hosts.items()}
    raw = {
        "hosts": inventory_hosts(variables, groups),
        "shards": inventory.variables["wa_shards"],
        "survive": inventory.variables["wa_survive"],
        "version": inventory.variables["wa_version"],
        "allow_no_ha": inventory.variables.get("wa_allow_no_ha", False),
    }
    spec, problems = read_cluster_spec(raw)
    assert problems == []
    placement = place(spec)
    assert placement.problems == ()
    return placement.nodes


def is_valid(inventory):
    """Nothing about it would be refused before a host is contacted."""
    given = {name[3:]: value for name, value in {**inventory.variables, **inventory.secrets}.items()}
    hosts = {
        name: {key[3:]: value for key, value in own.items() if key in ("wa_media", "wa_data", "wa_publish_address")}
        for name, own in inventory.hosts.items()
    }
    defaults = {"register": True, "media": "whatsappMedia"}
    found = settings_problems({**defaults, **given}) + host_problems({**defaults, **given}, hosts)
    return [problem.message for problem in found if problem.variable not in inventory.missing]


@st.composite
def productions(draw):
    """Hosts as the production file leaves them: any number of each kind, on any ports as far apart as ours."""
    hosts = {}
    kinds = {"webapp": 1, "master": 1, "coreapp": 2}
    for number in range(draw(st.integers(1, 4))):
        name = "h{0}".format(number)
        address = "192.0.2.{0}".format(10 + number)
        media = draw(st.sampled_from(("prod_whatsappMedia", "/srv/media", "other")))
        core, web = draw(st.integers(1024, 40000)), draw(st.integers(50000, 60000))
        containers = []
        for kind in kinds:
            least = kinds[kind] if number == 0 else 0
            for index in range(draw(st.integers(least, 3))):
                own = "prod_{0}_{1}".format(kind, index)
                if kind == "webapp":
                    containers.append(webapp(own, address, web + index, media=media))
                else:
                    first = core + 8 * index + (4 if kind == "master" else 0)
                    containers.append(coreapp(own, address, first, master=kind == "master", media=media))
        hosts[name] = containers
    return hosts


@given(productions(), st.sampled_from((1, 2)))
def test_the_placement_of_the_inventory_has_the_nodes_that_were_found(hosts, shards):
    inventory = described(hosts, {**READ, "configured_shards": shards})
    found = [node for name in hosts for node in found_nodes(host(name, hosts[name]))]
    nodes = placed(inventory)
    assert sorted((node.slot.host, node.slot.kind, node.ports) for node in nodes) == sorted(
        (node.host, node.kind, node.ports) for node in found
    )
    assert {node.slot.host: node.address for node in nodes} == {node.host: node.address for node in found}, (
        "what others know the host by"
    )
    for node in found:
        assert inventory.hosts[node.host].get("wa_media", inventory.variables.get("wa_media")) == node.media
    assert is_valid(inventory) == []


@given(productions())
def test_secrets_are_in_their_own_file_only(hosts):
    inventory = described(hosts)
    files = rendered(inventory)
    assert PASSWORD in files["group_vars/all/vault.yml"]
    for name in ("hosts.yml", "group_vars/all/main.yml"):
        assert PASSWORD not in files[name]
        assert KNOWN["wa_admin_password"] not in files[name]
    assert inventory.secrets["wa_db_password"] == PASSWORD
    assert "wa_extra_environment" not in inventory.secrets, "nothing of compose's own is kept"


def test_the_development_set_up():
    inventory = described({"one": development()})
    assert inventory.hosts == {
        "one": {"wa_address": "192.0.2.11", "wa_webapps": 1, "wa_masters": 2, "wa_coreapps": 3},
    }
    assert inventory.variables["wa_network"] == "dev_default"
    assert inventory.variables["wa_media"] == "dev_whatsappMedia"
    # By the port that its host publishes, as the container has no name outside its network.
    assert (inventory.variables["wa_db_host"], inventory.variables["wa_db_port"]) == ("192.0.2.11", 33060)
    assert (inventory.variables["wa_cc"], inventory.variables["wa_phone_number"]) == ("44", "7700900123")
    assert inventory.notes == (
        "Found: 1 webapp, 2 masters and 3 coreapps on one.",
        "one: the ports of its masters and coreapps change, to those from 6254 for masters and 6250 for coreapps.",
    )
    assert [node.ports[0] for node in placed(inventory)] == [6254, 6262, 9090, 6250, 6258, 6266]
    assert is_valid(inventory) == []


def test_a_single_instance_becomes_what_high_availability_needs():
    inventory = described({"one": single()}, {"registered_number": "15550100"})
    assert inventory.hosts == {"one": {"wa_address": "192.0.2.11"}}
    assert inventory.groups == {kind: ["one"] for kind in ("master", "webapp", "coreapp")}
    assert inventory.variables["wa_shards"] == 1
    assert "wa_network" not in inventory.variables, "the default bridge knows no names"
    assert [(node.slot.kind, node.ports[0]) for node in placed(inventory)] == [
        ("master", 6254), ("master", 6262), ("webapp", 9090), ("coreapp", 6250), ("coreapp", 6258),
    ]  # fmt: skip
    assert is_valid(inventory) == []


def test_ports_that_others_hold_are_passed_over():
    observed = [host("one", development(), listeners=[6251])]
    inventory, problems = describe(observed, environments(one=development()), {"one": FACTS}, READ, KNOWN)
    assert problems == []
    assert (inventory.hosts["one"]["wa_coreapp_port"], inventory.hosts["one"]["wa_master_port"]) == (6350, 6354)


def test_what_else_nodes_were_given_is_kept_with_the_secrets():
    given = {"WA_SECRET": "canary", "WA_WEB_JWT_CRYPTO_KEY": "canary-jwt", "WA_DB_CONNECTION_IDLE_TIMEOUT": "90000"}
    nodes = [
        webapp("w", "a", 9090, environment=given),
        coreapp("m", "a", 6254, master=True, environment={**given, "WA_TCP_LISTEN_ADDRESS": "any"}),
        coreapp("c", "a", 6250, environment=given),
    ]
    inventory = described({"one": nodes}, {**READ, "configured_shards": 1})
    assert inventory.secrets["wa_extra_environment"] == {"WA_SECRET": "canary", "WA_TCP_LISTEN_ADDRESS": "any"}
    assert inventory.secrets["wa_jwt_key"] == "canary-jwt"
    assert inventory.variables["wa_db_idle_timeout_ms"] == 90000
    assert inventory.variables["wa_allow_no_ha"] is True
    assert inventory.hosts["one"]["wa_address"] == "a"


def test_what_the_user_has_set_stays_and_what_is_missing_is_named():
    inventory = described({"one": development()}, variables={"wa_db_check_port": 3307, "wa_network": "mine"})
    assert inventory.variables["wa_network"] == "mine"
    assert inventory.missing == ("wa_cert", "wa_admin_password")
    files = rendered(inventory)
    assert 'wa_admin_password: "" # to be written' in files["group_vars/all/vault.yml"]
    assert "Still to be written: wa_cert and wa_admin_password." in files["hosts.yml"]


PAIR = [webapp("w", "a", 9090), coreapp("m", "a", 6254, master=True)]
ONE = [*PAIR, coreapp("c", "a", 6250)]
TLS = {"WA_DB_SSL_CA": "/opt/certs/ca.pem"}


@pytest.mark.parametrize(
    ("hosts", "code"),
    [
        ({"one": []}, "FOUND_NOTHING"),
        ({"one": [*ONE, coreapp("x", "a", 7250, environment={"WA_DB_NAME_PREFIX": "b_"})]}, "FOUND_SEVERAL_CLUSTERS"),
        ({"one": [*ONE, coreapp("x", "a", 7250, tag="v2.19.7")]}, "FOUND_VERSIONS_DIFFER"),
        ({"one": [*PAIR, coreapp("c", "a", 6250, tag="latest")]}, "FOUND_VERSION_UNKNOWN"),
        ({"one": [*ONE, coreapp("x", "a", 7250, media="other")]}, "FOUND_STORES_DIFFER"),
        ({"one": [*ONE, coreapp("x", "b", 7250)]}, "FOUND_ADDRESSES_DIFFER"),
        ({"one": [*ONE, coreapp("x", "a", 7250, network="host")]}, "FOUND_NETWORK"),
        ({"one": [*ONE, coreapp("x", "a", 7250, environment={"WA_DB_USERNAME": "y"})]}, "FOUND_ENVIRONMENT_DIFFERS"),
        ({"one": PAIR}, "FOUND_INCOMPLETE"),
        ({"one": [*PAIR, coreapp("c", "a", 6250, ports={6250: 1, 6251: 2, 6252: 3, 6253: 4})],
          "two": [coreapp("d", "b", 6250)]}, "FOUND_PORTS"),
        ({"one": [*ONE, started("s", "docker.whatsapp.biz/coreapp", DATABASE)]}, "FOUND_MODES_DIFFER"),
        ({"one": [webapp("w", "a", 9090, environment=TLS), coreapp("m", "a", 6254, master=True, environment=TLS),
                  coreapp("c", "a", 6250, environment=TLS)]}, "FOUND_DATABASE_TLS"),
        ({"one": [*ONE, coreapp("x", "a", 7250, labels={"waent.fleet.cluster": "waent",
                                                         "waent.fleet.kind": "coreapp"})]}, "FOUND_MANAGED"),
    ],
)  # fmt: skip
def test_what_cannot_be_described_is_said_in_a_sentence(hosts, code):
    assert codes(hosts) == [code]


def test_a_database_that_publishes_nothing_cannot_be_reached_from_another_network():
    containers = single()
    containers[0].entry["NetworkSettings"]["Ports"] = {}
    containers[0].entry["HostConfig"]["PortBindings"] = {}
    assert codes({"one": containers}) == ["FOUND_DATABASE_HIDDEN"]
    assert codes({"one": containers}, variables={**KNOWN, "wa_db_host": "db.example.com", "wa_db_port": 3306}) == []


def test_the_number_of_shards_is_never_guessed():
    assert codes({"one": ONE}, database={}) == ["FOUND_SHARDS_UNKNOWN"]
    assert codes({"one": ONE}, database={}, variables={**KNOWN, "wa_shards": 1}) == []


def test_one_of_several_clusters_is_chosen_by_its_prefix():
    other = [coreapp("x", "a", 7250, environment={"WA_DB_NAME_PREFIX": "b_"})]
    hosts = {"one": [*ONE, *other]}
    assert codes(hosts, {**READ, "configured_shards": 1}, {**KNOWN, "wa_db_name_prefix": ""}) == []
    nodes, _problems = choose(found_nodes(host("one", hosts["one"])), ["one"], "b_")
    assert [node.name for node in nodes] == ["x"]
    assert found_problems([], [], {}, {}) == []


def test_how_the_database_is_read_before_there_is_an_inventory():
    observed = [host("one", development())]
    access = reading_access(observed, environments(one=development()), {"one": FACTS}, KNOWN)
    assert (access["wa_db_check_host"], access["wa_db_check_port"]) == ("192.0.2.11", 33060)
    assert access["wa_db_password"] == PASSWORD
    assert reading_access([host("one", [])], {}, {"one": FACTS}, KNOWN) == {}
    assert reading_access([], {}, {}, KNOWN) == {}


def test_addresses_and_country_codes():
    facts = {"ansible_default_ipv4": {"address": "192.0.2.2"}, "ansible_docker0": {"ipv4": {"address": "172.17.0.1"}}}
    assert addresses_of(facts) == ["192.0.2.2", "172.17.0.1"]
    assert addresses_of({}) == []
    assert [country_code(number) for number in ("15550100", "79", "447700900123", "390612", "35312345")] == [
        "1", "7", "44", "39", "353",
    ]  # fmt: skip
