# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One declaration per variable, and for each of them a refusal of everything that it cannot be."""

from __future__ import annotations

import functools
import importlib
import json
import re
from unittest.mock import Mock

import pytest
import yaml
from ansible_collections.waent.fleet.plugins.action.wa_placement import ActionModule
from ansible_collections.waent.fleet.plugins.filter.inventory_hosts import inventory_hosts
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import (
    BY_NAME,
    NULL,
    VARIABLES,
    unknown_names,
    value_problems,
)
from ansible_collections.waent.fleet.tests.support.certificates import Authority
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.wrong_values import every_wrong_value, wrong_values
from jinja2 import Environment, meta

ROLE = ROOT / "roles" / "variables"
GOOD = {
    "wa_version": "v2.19.4",
    "wa_db_host": "db.example.com",
    "wa_db_username": "waent",
    "wa_db_password": "canary-db",
    "wa_admin_password": "Canary-admin-5Kd9wQ",
    "wa_api_key": "canary-api-key",
    "wa_cc": "39",
    "wa_phone_number": "0612345670",
    "wa_cert": "Y2FuYXJ5",
    "wa_pin": "012345",
    "wa_registration_code": "012-345",
}
TEMPLATES = Environment()
ALONE = re.compile(r"\{\{ (\w+) \}\}\Z")
"""A template that is another variable and nothing else: it keeps that one's type."""

KINDS = ("wa_webapp_hosts", "wa_master_hosts", "wa_coreapp_hosts")


class HostVars(dict):
    """The variables of all hosts, as a play has them."""

    _loader = None

    def raw_get(self, name):
        return self[name]


@functools.cache
def defaults():
    """Of the role, as they stand there: ours, without what it says to Ansible."""
    found = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    return {
        **{name: value for name, value in found.items() if not name.startswith("ansible_")},
        "inventory_hostname": "one",
        "ansible_host": "one.example.com",
        "wa_address": "one.example.com",
    }


def rendered(variables):
    """Defaults that are made of other variables have the values that these give them, as in a play."""

    def value_of(name):
        value = variables[name]
        alone = ALONE.match(value) if isinstance(value, str) and name in defaults() else None
        if alone:
            return value_of(alone.group(1))
        if not isinstance(value, str) or "{{" not in value:
            return value
        names = meta.find_undeclared_variables(TEMPLATES.parse(value))
        return TEMPLATES.from_string(value).render({one: value_of(one) for one in names if one in variables})

    return {name: value_of(name) for name in variables}


def act(given, of_hosts=None, database_hosts=(), names=("one",)):
    """What the first task of every playbook answers for variables as a play has them."""
    task_vars = rendered({**defaults(), **GOOD, **given})
    own = of_hosts or {}
    hostvars = HostVars(
        {name: {**GOOD, "wa_address": name + ".example.com", **given, **own.get(name, {})} for name in names}
    )
    groups = {
        "wa_cluster": list(names),
        "wa_database_hosts": list(database_hosts),
        **{kind: list(names) for kind in KINDS},
    }
    options = {
        "hosts": inventory_hosts(hostvars, groups),
        "version": task_vars["wa_version"],
        "check_variables": True,
        "shards": task_vars["wa_shards"],
        "survive": task_vars["wa_survive"],
        "name_prefix": task_vars["wa_name_prefix"],
        "database_hosts": list(database_hosts),
        **{kind + "_port": task_vars["wa_{0}_port".format(kind)] for kind in ("coreapp", "master", "webapp")},
    }
    task = Mock(args=options, async_val=0, check_mode=False, action="waent.fleet.wa_placement")
    templar = Mock(template=lambda value: value)
    plugin = ActionModule(task, Mock(), Mock(), Mock(), templar, Mock())
    return plugin.run(task_vars={**task_vars, "hostvars": hostvars, "groups": groups})


def test_good_variables_are_accepted():
    """The refusals below show something only because of this."""
    result = act({})
    assert result.get("problems") == [] and "warnings" not in result, result["msg"]
    assert len(result["nodes"]) == 5


ACCEPTED = [
    {"wa_db_port": "3306"},
    {"wa_shards": "4"},
    {"wa_register": "no"},
    {"wa_register": "False"},
    {"wa_validate_certs": 1},
    {"wa_cc": "1"},
    {"wa_phone_number": "0612345670"},
    {"wa_version": "2.30.0"},
    {"wa_pin": ""},
    {"wa_data": ""},
    {"wa_publish_address": "::"},
    {"wa_publish_address": "192.0.2.7"},
    {"wa_api_address": "2001:db8::7"},
    {"wa_db_host": "2001:db8::5"},
    {"wa_db_host": "host.docker.internal", "wa_extra_hosts": {"host.docker.internal": "host-gateway"}},
    {"wa_db_check_host": "127.0.0.1"},
    {"wa_extra_hosts": {"wa-local": "host-gateway", "db": "192.0.2.1", "db6": "2001:db8::1"}},
    {"wa_extra_environment": {"WA_SECRET": "canary", "WA_DB_PERSISTENT": "1"}},
    {
        "wa_settings": {
            "webhooks": {"url": "https://h.example.com/x", "max_concurrent_requests": 24},
            "something_new": {"a": 1},
        }
    },
    {"wa_image_registry": "localhost:5000/mirror"},
    {"wa_database_image": "mariadb:10.11"},
    {"wa_messages_per_second": "12.5"},
    {"wa_cert": "Y2Fu\nYXJ5\n"},
    {"wa_db_name_prefix": "number2_"},
    {"wa_database_arguments": ["--a=1"]},
    {"wa_register": False, "wa_cc": "", "wa_phone_number": "", "wa_cert": ""},
    {"wa_db_snapshot": "none"},
    {"wa_database_class": "db.m4.large"},
    {"wa_media": "/srv/wa media"},
    {"wa_db_engine": "PGSQL"},
]


@pytest.mark.parametrize("given", ACCEPTED, ids=str)
def test_what_works_is_accepted(given):
    assert act(given)["problems"] == []


def described(result):
    return [(problem["code"], problem["message"]) for problem in result["problems"]]


@pytest.mark.parametrize("name, value", every_wrong_value(), ids=str)
def test_a_wrong_value_is_refused_and_the_sentence_names_the_variable(name, value):
    result = act({name: value})
    assert result.get("failed") and result["nodes"] == []
    naming = [problem for problem in result["problems"] if name in problem["message"]]
    assert naming, described(result)
    assert {problem["variable"] for problem in result["problems"]} <= {name, *BY_NAME[name].follows}, described(result)
    for code, message in described(result):
        assert code.isupper() and message.endswith("."), message


@pytest.mark.parametrize("name", [variable.name for variable in VARIABLES if variable.secret])
def test_a_wrong_secret_is_never_shown(name):
    for value in wrong_values(BY_NAME[name]):
        if not isinstance(value, str) or len(value) < 4:
            continue
        result = act({name: value})
        assert value not in json.dumps([{**problem, "code": ""} for problem in result["problems"]]).replace(name, "")


def test_all_of_them_are_reported_at_once():
    one_each = {variable.name: wrong_values(variable)[1] for variable in VARIABLES if not variable.follows}
    reported = {problem["variable"] for problem in act(one_each)["problems"]}
    assert one_each.keys() - reported == set()


def test_a_mistake_that_others_are_made_of_is_reported_once():
    result = act({"wa_db_host": "a b"})
    assert [problem["variable"] for problem in result["problems"]] == ["wa_db_host"]


@pytest.mark.parametrize(
    "name, value", [("wa_media", "./media"), ("wa_publish_address", "x"), ("wa_container_uid", "root"), ("wa_cc", 39)]
)
def test_a_host_that_has_it_otherwise_is_named(name, value):
    result = act({}, of_hosts={"two": {name: value}}, names=("one", "two"))
    assert [(problem["variable"], problem["host"]) for problem in result["problems"]] == [(name, "two")]


def test_null_is_not_the_same_as_left_out():
    assert (
        value_problems({**{name[3:]: value for name, value in GOOD.items()}, "db_engine": "MYSQL", "db_port": 1}) == []
    )
    (problem,) = [one for one in value_problems({"settings": NULL}) if one.variable == "wa_settings"]
    assert "null" in problem.message and "{}" in problem.message


@pytest.mark.parametrize(
    "name, meant",
    [
        ("wa_survives", "wa_survive"),
        ("wa_shard", "wa_shards"),
        ("wa_phonenumber", "wa_phone_number"),
        ("WA_CC", "wa_cc"),
        ("wa-shards", "wa_shards"),
        ("wa_db_hots", "wa_db_host"),
        ("wa_admin_pasword", "wa_admin_password"),
        ("wa_setings", "wa_settings"),
        ("wa_extra_enviroment", "wa_extra_environment"),
    ],
)
def test_a_misspelt_variable_is_refused_with_the_one_that_is_meant(name, meant):
    (problem,) = act({name: "x"})["problems"]
    assert problem["code"] == "WA_VARIABLE_UNKNOWN"
    assert name in problem["message"] and meant + " is" in problem["message"]


def test_any_single_slip_in_any_name_is_refused():
    for variable in VARIABLES:
        for place in range(4, len(variable.name)):
            slip = variable.name[:place] + "q" + variable.name[place:]
            (problem,), warnings = unknown_names([slip])
            assert slip in problem.message and not warnings


@pytest.mark.parametrize("name, like", [("wa_health_timeout", "wa_health_timeout_seconds"), ("wa_balancer", None)])
def test_an_unknown_variable_that_may_be_the_users_own_is_a_warning(name, like):
    result = act({name: "x"})
    assert result["problems"] == []
    (warning,) = result["warnings"]
    assert warning.startswith(name + " is no variable of this collection")
    assert like is None or like in warning


@pytest.mark.parametrize(
    "name", ["waent", "_wa_shard", "__wa_x", "desired_shards", "rack", "wa_haproxy_socket", "wa_nodes"]
)
def test_other_names_are_nobodys_business(name):
    result = act({name: "x"})
    assert result["problems"] == [] and "warnings" not in result


OWN = {"wa_db_username": "root", "wa_db_host": "db"}


def own(**given):
    return {(p["code"], p["variable"]) for p in act({**OWN, **given}, database_hosts=("one",))["problems"]}


def test_a_database_of_our_own():
    assert own() == set()
    assert own(wa_database_port=33060) == set()
    assert own(wa_db_username="waent") == {("WA_DATABASE_USER", "wa_db_username")}
    assert own(wa_db_engine="PGSQL") == {("WA_DATABASE_ENGINE", "wa_db_engine")}
    assert own(wa_db_ssl_ca=5) == {("WA_VALUE_NOT_TEXT", "wa_db_ssl_ca")}
    assert own(wa_db_port=33060) == {("WA_DATABASE_PORT", "wa_db_port")}
    assert own(wa_db_port=33060, wa_db_host="192.0.2.1") == set()
    assert own(wa_db_port=33061, wa_database_port=33060, wa_db_host="192.0.2.1") == {("WA_DATABASE_PORT", "wa_db_port")}
    assert own(wa_db_host="localhost") == {("WA_DB_HOST_LOOPBACK", "wa_db_host")}


def test_a_database_of_our_own_speaks_tls_only_where_its_arguments_say_so(tmp_path):
    ca = str(Authority(tmp_path).ca)
    assert own(wa_db_ssl_ca=ca) == {("WA_DATABASE_TLS", "wa_db_ssl_ca")}
    assert own(wa_db_ssl_ca=ca, wa_database_arguments=["--ssl-cert=/var/lib/mysql/c.pem"]) == set()


def test_a_cluster_has_one_database():
    result = act(OWN, database_hosts=("one", "two"), names=("one", "two"))
    assert [problem["code"] for problem in result["problems"]] == ["WA_DATABASE_HOSTS"]


def test_a_name_for_the_loopback_is_the_loopback():
    result = act({"wa_db_host": "db.example.com", "wa_extra_hosts": {"DB.example.com": "127.0.0.1"}})
    assert [problem["code"] for problem in result["problems"]] == ["WA_DB_HOST_LOOPBACK"]


def test_an_expired_certificate_is_a_warning_as_nodes_that_run_do_not_need_it():
    expired = "eyJleHBpcmVzIjogIjIwMjAtMDEtMDEifQ=="  # {"expires": "2020-01-01"}
    result = act({"wa_cert": expired})
    assert result["problems"] == [] and "expired on 2020-01-01" in result["warnings"][0]


def test_the_certificate_of_another_number():
    other = "eyJwaG9uZV9udW1iZXIiOiAiNDkxIn0="  # {"phone_number": "491"}
    (problem,) = act({"wa_cert": other})["problems"]
    assert problem["code"] == "WA_CERT_OTHER_NUMBER" and problem["message"].startswith("wa_cert is for the number 491")


def test_every_name_is_declared_once():
    assert len(BY_NAME) == len(VARIABLES)
    assert importlib.import_module(VARIABLES[0].__module__).INTERNAL.isdisjoint(BY_NAME)
