# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refusals: each with its code and with a sentence that names variable, value and what is allowed."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils.wanted import (
    DB_PASSWORD_REFUSED,
    Survive,
    Version,
    jwt_key_problems,
    parse_version,
    read_wanted,
    settings_problems,
    whole_number,
)

HOST = {"name": "h1", "rack": "a", "address": "h1", "kinds": ["coreapp", "master", "webapp"]}
GOOD = {"shards": 2, "version": "v2.19.4", "hosts": [HOST]}

SETTINGS = {
    "admin_password": "Chang3.me",
    "api_key": "k" * 12,
    "jwt_key": "jwt-canary",
    "register": True,
    "cc": "49",
    "phone_number": "15550001",
    "cert": "Y2VydA==",
    "pin": "123456",
    "db_engine": "MYSQL",
    "db_host": "wa-db",
    "db_port": 3306,
    "db_username": "root",
    "db_password": "db-canary",
}


def problems_of(**changes):
    return read_wanted({**GOOD, **changes})[1]


def settings_of(**changes):
    return settings_problems({**SETTINGS, **changes})


def host(**changes):
    return {**HOST, **changes}


def test_good_input_is_taken_as_it_is():
    wanted, problems = read_wanted({**GOOD, "survive": {"racks": "1"}, "allow_no_ha": True, "coreapp_port": "7000"})
    assert problems == []
    assert wanted.shards == 2
    assert str(wanted.version) == "v2.19.4"
    assert wanted.survive == Survive("racks", 1)
    assert wanted.allow_no_ha is True
    assert wanted.hosts[0].ports == {"coreapp": 7000, "master": 6254, "webapp": 9090}


def test_address_is_the_name_where_none_is_given():
    wanted, _problems = read_wanted({**GOOD, "hosts": [{"name": "h1", "address": None, "api_address": "10.0.0.9"}]})
    assert wanted.hosts[0].address == "h1"
    assert wanted.hosts[0].api_address == "10.0.0.9"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 0), (16, 16), ("16", 16), (True, None), (2.0, None), ("2.0", None), (-1, None), ("-1", None), ("", None),
     (None, None), (" 2", None), ("\u0662", None), ([2], None)],
)  # fmt: skip
def test_whole_number(value, expected):
    assert whole_number(value) == expected


@pytest.mark.parametrize("value", [0, 3, 33, 64, -1, "3", "two", "", None, True, 2.0, "2.0", [2], " 2"])
def test_shards_refused(value):
    (problem,) = problems_of(shards=value)
    assert (problem.code, problem.variable, problem.value) == ("WA_SHARDS_INVALID", "wa_shards", value)
    assert "allowed are the whole numbers 1, 2, 4, 8, 16 and 32" in problem.message
    assert "not set" in problem.message if value is None else repr(value) in problem.message


@pytest.mark.parametrize("value", [1, 2, 4, 8, 16, 32, "1", "16", "32"])
def test_shards_accepted(value):
    assert read_wanted({**GOOD, "shards": value})[0].shards == int(value)


@pytest.mark.parametrize(
    "value", ["2.19", "v2.19", "vv2.19.4", "2.19.4.1", "latest", "", "v2.19.4 ", "2.19.x", 2.19, ["2.19.4"], "V2.19.4"]
)
def test_version_refused(value):
    (problem,) = problems_of(version=value)
    assert (problem.code, problem.variable, problem.value) == ("WA_VERSION_INVALID", "wa_version", value)
    assert repr(value) in problem.message
    assert "vN.N.N or N.N.N" in problem.message


def test_versions_are_compared_as_numbers():
    assert parse_version("2.9.10") < parse_version("v2.19.4") < parse_version("2.19.10")
    assert parse_version("2.19.4") == parse_version("v2.19.4") == Version(2, 19, 4)
    assert parse_version("2.19.4").line == parse_version("2.19.7").line != parse_version("2.21.4").line


@pytest.mark.parametrize(
    "value", [[], "racks", {"racks": 0}, {"rack": 1}, {"racks": 1, "hosts": 1}, {"hosts": True}, 1]
)
def test_survive_refused(value):
    (problem,) = problems_of(survive=value)
    assert (problem.code, problem.variable) == ("WA_SURVIVE_INVALID", "wa_survive")
    assert "{hosts: N}" in problem.message


@pytest.mark.parametrize("value", [None, {}])
def test_survive_empty_means_one_spare(value):
    assert read_wanted({**GOOD, "survive": value})[0].survive == Survive("hosts", 0)


@pytest.mark.parametrize(
    ("change", "code", "variable", "says"),
    [
        ({"hosts": []}, "WA_HOSTS_MISSING", "hosts", "wa_cluster has no hosts"),
        (
            {"hosts": [host(rack="")], "survive": {"racks": 1}},
            "WA_RACK_MISSING",
            "rack",
            "the loss of 1 rack be survived",
        ),
        ({"hosts": [host(), host()]}, "WA_HOST_DUPLICATE", "hosts", "given twice"),
        ({"hosts": [host(), host(name="h2", address="H1.")]}, "WA_ADDRESS_DUPLICATE", "wa_address", "which h1 has too"),
        ({"hosts": [host(address="10.0.0.1 ")]}, "WA_VALUE_BLANKS", "wa_address", "'10.0.0.1 '"),
        ({"hosts": [host(rack="\ta")]}, "WA_VALUE_BLANKS", "rack", "white space"),
        ({"hosts": [host(name="")]}, "WA_HOST_NAME_MISSING", "hosts", "has no name"),
        ({"hosts": [host(kinds=["wacore"])]}, "WA_KIND_INVALID", "kinds", "'wacore'"),
        ({"hosts": [host(pins={"shard": 1})]}, "WA_KIND_INVALID", "pins", "'shard'"),
        ({"hosts": [host(pins={"coreapp": -1})]}, "WA_COUNT_INVALID", "wa_coreapps", "wa_coreapps is -1"),
        ({"hosts": [host(pins={"webapp": True})]}, "WA_COUNT_INVALID", "wa_webapps", "wa_webapps is True"),
        (
            {"hosts": [host(kinds=["webapp"], pins={"master": 2})]},
            "WA_COUNT_WRONG_HOST",
            "wa_masters",
            "wa_master_hosts",
        ),
        ({"hosts": [host(webapp_port=70000)]}, "WA_PORT_INVALID", "wa_webapp_port", "70000"),
        ({"master_port": "ssh"}, "WA_PORT_INVALID", "wa_master_port", "1 to 65535"),
        ({"name_prefix": "Wa_1"}, "WA_NAME_PREFIX_INVALID", "wa_name_prefix", "'Wa_1'"),
    ],
)
def test_cluster_refused(change, code, variable, says):
    (problem,) = problems_of(**change)
    assert (problem.code, problem.variable) == (code, variable)
    assert says in problem.message


def test_a_pin_of_none_or_of_zero_is_no_complaint():
    assert problems_of(hosts=[host(kinds=["webapp"], pins={"master": 0, "coreapp": None})]) == []


def test_all_problems_are_told_at_once():
    found = problems_of(
        shards=3, version="x", survive={"racks": 1}, hosts=[host(rack=None), host(name="h2", rack=None)]
    )
    assert [problem.code for problem in found] == [
        "WA_SHARDS_INVALID", "WA_VERSION_INVALID", "WA_RACK_MISSING", "WA_ADDRESS_DUPLICATE", "WA_RACK_MISSING",
    ]  # fmt: skip


def test_good_settings():
    assert settings_of() == []
    assert settings_of(register=False, cc=None, phone_number=None, cert=None, pin=None, api_key=None) == []
    assert settings_of(media="/srv/wa media", data="whatsappData", cc=49) == []


@pytest.mark.parametrize(
    ("change", "code", "variable", "says"),
    [
        ({"admin_password": None}, "WA_SECRET_MISSING", "wa_admin_password", "is not set"),
        ({"admin_password": ""}, "WA_SECRET_MISSING", "wa_admin_password", "is not set"),
        ({"db_password": None}, "WA_SECRET_MISSING", "wa_db_password", "is not set"),
        ({"cert": ""}, "WA_SECRET_MISSING", "wa_cert", "registering the number needs it"),
        ({"cc": None}, "WA_SETTING_MISSING", "wa_cc", "wa_register to false"),
        ({"phone_number": ""}, "WA_SETTING_MISSING", "wa_phone_number", "is not set"),
        ({"cc": "+49"}, "WA_PHONE_NUMBER_INVALID", "wa_cc", "'+49'"),
        ({"phone_number": "1555 01"}, "WA_PHONE_NUMBER_INVALID", "wa_phone_number", "1 to 14 digits"),
        ({"registration_method": "mail"}, "WA_REGISTRATION_METHOD_INVALID", "wa_registration_method", "sms and voice"),
        ({"db_password": 12345}, "WA_SECRET_NOT_TEXT", "wa_db_password", "quotes"),
        ({"pin": 123456}, "WA_SECRET_NOT_TEXT", "wa_pin", "quotes"),
        ({"pin": "12345"}, "WA_PIN_INVALID", "wa_pin", "exactly 6 digits"),
        ({"pin": "12345a"}, "WA_PIN_INVALID", "wa_pin", "exactly 6 digits"),
        ({"api_key": "k" * 11}, "WA_API_KEY_LENGTH", "wa_api_key", "has 11 characters; allowed are 12 to 128"),
        ({"api_key": "k" * 129}, "WA_API_KEY_LENGTH", "wa_api_key", "has 129 characters"),
        ({"api_key": "k" * 12 + "\n"}, "WA_API_KEY_BLANKS", "wa_api_key", "white space"),
        ({"db_engine": "mysql"}, "WA_DB_ENGINE_INVALID", "wa_db_engine", "allowed are MYSQL and PGSQL"),
        ({"db_engine": None}, "WA_DB_ENGINE_INVALID", "wa_db_engine", "is not set"),
        ({"db_host": ""}, "WA_SETTING_MISSING", "wa_db_host", "is not set"),
        ({"db_host": "db "}, "WA_VALUE_BLANKS", "wa_db_host", "'db '"),
        ({"db_username": None}, "WA_SETTING_MISSING", "wa_db_username", "is not set"),
        ({"db_port": 0}, "WA_DB_PORT_INVALID", "wa_db_port", "1 to 65535"),
        ({"media": "srv/media"}, "WA_MOUNT_INVALID", "wa_media", "absolute path"),
        ({"data": 7}, "WA_MOUNT_INVALID", "wa_data", "absolute path"),
    ],
)
def test_settings_refused(change, code, variable, says):
    (problem,) = settings_of(**change)
    assert (problem.code, problem.variable) == (code, variable)
    assert says in problem.message


@pytest.mark.parametrize("length", [12, 128])
def test_api_key_lengths_at_the_edge_are_accepted(length):
    assert settings_of(api_key="k" * length) == []


@pytest.mark.parametrize("character", DB_PASSWORD_REFUSED)
def test_database_password_characters(character):
    (problem,) = settings_of(db_password="canary" + character + "canary")
    assert problem.code == "WA_DB_PASSWORD_CHARACTERS"
    assert problem.message.startswith("wa_db_password has {0};".format(character))
    assert "? { } & ~ ! ( ) ^ =" in problem.message


def test_database_password_may_not_end_in_a_line_break():
    (problem,) = settings_of(db_password="canary\n")
    assert problem.code == "WA_DB_PASSWORD_CHARACTERS"
    assert "line break" in problem.message


@pytest.mark.parametrize(
    ("password", "lacks"),
    [
        ("Aa1.aaa", "8 to 64 characters"),
        ("Aa1." + "a" * 61, "8 to 64 characters"),
        ("Aaaaaaa.", "a digit"),
        ("aaaaaa1.", "an upper-case letter"),
        ("AAAAAA1.", "a lower-case letter"),
        ("Aaaaaaa1", "a special character"),
    ],
)
def test_admin_password_policy(password, lacks):
    (problem,) = settings_of(admin_password=password)
    assert problem.code == "WA_ADMIN_PASSWORD_POLICY"
    assert lacks in problem.message


@pytest.mark.parametrize("special", "!\"#$%&\\'()*+,-./:;<=>?@[]^_{|}~`")
def test_admin_password_specials(special):
    assert settings_of(admin_password="Aaaaaaa1" + special) == []


def test_jwt_key_is_needed_by_several_webapps_only():
    assert jwt_key_problems(1, None) == []
    assert jwt_key_problems(2, "key") == []
    (problem,) = jwt_key_problems(2, None)
    assert (problem.code, problem.variable) == ("WA_SECRET_MISSING", "wa_jwt_key")
    assert "2 webapps" in problem.message


def test_no_secret_is_ever_repeated():
    secrets = {
        "admin_password": "canary-admin",
        "api_key": "canary-api\n",
        "pin": "canary-pin",
        "db_password": "canary-db?",
        "jwt_key": 4711001,
        "cert": 4711002,
    }
    found = settings_of(**secrets) + jwt_key_problems(2, secrets["jwt_key"])
    assert {problem.variable for problem in found} == {"wa_" + name for name in secrets}
    text = repr([problem.as_dict() for problem in found])
    for secret in secrets.values():
        assert str(secret).strip() not in text
