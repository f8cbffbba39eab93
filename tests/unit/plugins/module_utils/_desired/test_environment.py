# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the variables of a cluster make of its containers, and how it is reached."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.failure_reason import masked
from ansible_collections.waent.fleet.plugins.module_utils._desired.access import (
    SECRETS,
    api_access,
    database_access,
    database_targets,
    secrets,
    unread_notes,
    url_on_its_host,
)
from ansible_collections.waent.fleet.plugins.module_utils._desired.environment import (
    container_settings,
    database_node,
    environments,
    images,
    schema_environment,
    version_tag,
)
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import OWN_ENVIRONMENT
from ansible_collections.waent.fleet.tests.support.cluster_variables import VARIABLES
from ansible_collections.waent.fleet.tests.support.observed_host import SETTINGS

COMMON = {
    "WA_DB_ENGINE": "MYSQL", "WA_DB_HOSTNAME": "db", "WA_DB_PORT": "3306", "WA_DB_USERNAME": "root",
    "WA_DB_PASSWORD": "canary-db", "WA_DB_NAME_PREFIX": "", "WA_CONFIG_ON_DB": "1", "WA_APP_MULTICONNECT": "1",
}  # fmt: skip
CORE = {"WA_DB_CONNECTION_IDLE_TIMEOUT": "180000"}
KEYS = {"WA_WEB_JWT_CRYPTO_KEY": "canary-jwt", "WA_API_KEY": "canary-key"}


def but(**changes):
    return {**VARIABLES, **changes}


@pytest.mark.parametrize(
    ("version", "asked", "tag"),
    [
        ("2.19.4", None, "v2.19.4"),
        ("v2.19.4", None, "v2.19.4"),
        ("2.19.4", "2.19.7", "v2.19.7"),
        ("2.19.4", "v2.19.7", "v2.19.7"),
        ("", None, "v"),
        ("vnext", None, "vnext"),
        (2.19, None, "v2.19"),
    ],
)
def test_the_version_as_tags_have_it(version, asked, tag):
    assert version_tag({"wa_version": version, **({} if asked is None else {"version": asked})}) == tag
    assert version_tag({"wa_version": version, "version": asked}) == tag


def test_masters_run_the_image_of_coreapps():
    assert images(but(version="v2.19.7")) == {
        "webapp": "docker.whatsapp.biz/web:v2.19.7", "master": "docker.whatsapp.biz/coreapp:v2.19.7",
        "coreapp": "docker.whatsapp.biz/coreapp:v2.19.7", "database": "mariadb:10.11",
    }  # fmt: skip


def test_what_containers_are_made_from():
    assert container_settings(VARIABLES, {}) == SETTINGS
    assert database_node(but(wa_database_port="3308")) == {"kind": "database", "name": "wa-db", "ports": [3308]}


def test_the_environment_of_each_kind_of_node():
    assert environments(VARIABLES) == {
        "webapp": {**COMMON, **KEYS},
        "master": {**COMMON, **CORE, "WA_MASTER_NODE": "1"},
        "coreapp": {**COMMON, **CORE},
    }
    assert schema_environment(VARIABLES) == COMMON


def test_what_is_not_set_is_left_out_and_what_is_declared_beyond_it_goes_to_all():
    found = environments(but(wa_jwt_key="", wa_api_key="", wa_extra_environment={"WA_SECRET": "x"}))
    assert found["webapp"] == {**COMMON, "WA_SECRET": "x"}
    assert all(one["WA_SECRET"] == "x" for one in found.values())
    assert schema_environment(but(wa_extra_environment={"WA_SECRET": "x"})) == {**COMMON, "WA_SECRET": "x"}


def test_numbers_are_text():
    found = environments(but(wa_db_port="3306", wa_db_password=123456, wa_jwt_key=12))
    assert {type(value) for one in found.values() for value in one.values()} == {str}


def test_users_may_not_set_again_what_the_roles_set():
    given = but(wa_db_ssl_ca="/ca", wa_db_ssl_cert="/cert", wa_db_ssl_key="/key")
    names = {name for environment in environments(given).values() for name in environment}
    assert names | set(schema_environment(VARIABLES)) <= OWN_ENVIRONMENT.keys()


# --- access -----------------------------------------------------------------------------------------------------------

NODES = [
    {"kind": "webapp", "api_address": "2001:db8::15", "ports": [9090]},
    {"kind": "coreapp", "api_address": "x", "ports": [1]},
    {"kind": "webapp", "api_address": "two", "ports": [9091]},
]


def test_the_api_is_every_webapp_of_the_plan():
    assert api_access(VARIABLES, NODES, None) == {
        "api_url": ["https://[2001:db8::15]:9090", "https://two:9091"], "validate_certs": True,
    }  # fmt: skip
    more = api_access(but(wa_api_ca_path="/ca", wa_validate_certs=False), [], "token")
    assert more == {"api_url": [], "validate_certs": False, "ca_path": "/ca", "api_token": "token"}


def test_until_an_authority_is_pinned_one_webapp_is_trusted_for_one_certificate():
    served = {"url": "https://two:9091", "sha256": "AB"}
    assert api_access(but(wa_api_ca_path="/ca"), NODES, None, served) == {
        "api_url": ["https://two:9091"], "validate_certs": True, "trusted_certificates": ["AB"],
    }  # fmt: skip
    assert api_access(VARIABLES, NODES, None, {}) == api_access(VARIABLES, NODES, None)


@pytest.mark.parametrize(
    "published, url",
    [
        ("0.0.0.0", "https://127.0.0.1:9091"),
        ("", "https://127.0.0.1:9091"),
        ("::", "https://[::1]:9091"),
        ("192.0.2.7", "https://192.0.2.7:9091"),
        ("2001:db8::7", "https://[2001:db8::7]:9091"),
    ],
)
def test_where_a_webapp_is_on_its_own_host(published, url):
    assert url_on_its_host(NODES[2], published) == url


def test_a_database_that_cannot_be_reached_from_here_has_no_host():
    reach = {
        "db_engine": "MYSQL", "db_host": "127.0.0.1", "db_port": 3307, "db_username": "root",
        "db_password": "canary-db", "db_name_prefix": "",
    }  # fmt: skip
    assert database_access(VARIABLES) == reach
    del reach["db_host"]
    assert database_access(but(wa_db_check_host="")) == reach


def test_tls_is_what_the_nodes_speak():
    tls = but(wa_db_ssl_ca="~/ca.pem", wa_db_ssl_check_hostname="no")
    options = {"db_ssl_ca": "~/ca.pem", "db_ssl_server_name": "db", "db_ssl_check_hostname": False}
    assert database_access(tls) == {**database_access(VARIABLES), **options}
    pair = {"wa_db_ssl_cert": "/cert", "wa_db_ssl_key": "/key"}
    assert database_access({**tls, **pair}).items() >= {"db_ssl_cert": "/cert", "db_ssl_key": "/key"}.items()
    assert database_access(but(**pair)) == database_access(VARIABLES), "without a CA there is none"


ALIAS = {"wa_db_host": "db", "wa_db_check_host": "db"}


@pytest.mark.parametrize(
    ("known", "reached", "target", "noted"),
    [
        ({}, "db", {"host": "db", "port": 3306}, False),
        ({"other": "10.0.0.9"}, "db", {"host": "db", "port": 3306}, False),
        ({"db": "10.0.0.5"}, "10.0.0.5", {"host": "db", "port": 3306, "address": "10.0.0.5"}, False),
        ({"db": "host-gateway"}, None, {"host": "db", "port": 3306, "address": "host-gateway"}, True),
    ],
)
def test_the_database_is_where_containers_find_it(known, reached, target, noted):
    given = but(**ALIAS, wa_extra_hosts=known)
    assert database_access(given).get("db_host") == reached
    assert database_targets(given, False) == [target]
    assert [("wa_db_check_host" in note, "'db'" in note) for note in unread_notes(given)] == [(True, True)] * noted
    assert database_targets(given, True) == []


def test_a_name_of_its_own_for_the_checks_is_taken_as_it_is():
    given = but(wa_db_check_host="127.0.0.1", wa_extra_hosts={"db": "10.0.0.5", "127.0.0.1": "10.0.0.6"})
    assert database_access(given)["db_host"] == "127.0.0.1"
    assert unread_notes(but(wa_db_check_host="", wa_extra_hosts={"db": "host-gateway"})) == []


def test_no_secret_is_shown():
    basic = base64.b64encode(b"admin:canary-admin").decode()
    given = but(wa_extra_environment={"A": "canary-environment"}, wa_admin_initial_password="canary-first")
    text = " ".join(str(given.get(name)) for name in SECRETS) + " " + basic + " canary-token"
    shown = masked(text, secrets(given, ["canary-token"]))
    assert "canary" not in shown and "123456" not in shown and "654321" not in shown and basic not in shown


def test_the_product_s_own_first_password_is_a_word_that_sentences_have():
    assert "secret" not in secrets(VARIABLES, [])
    assert "other" in secrets(but(wa_admin_initial_password="other"), [None])
    assert secrets({}, [None, ""]) == [base64.b64encode(b"admin:").decode()], "what is not set is nothing to mask"
