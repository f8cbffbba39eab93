# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refused settings: each with its code, the variable's name and what is allowed; no secret is ever repeated."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._desired.settings import (
    host_problems,
    jwt_key_problems,
    settings_problems,
)
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import DB_PASSWORD_REFUSED

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


SHARE = {"server": "nas-1", "export": "/media", "path": "/srv/media"}


def settings_of(**changes):
    return settings_problems({**SETTINGS, **changes})


def test_good_settings():
    assert settings_of() == []
    assert settings_of(register=False, cc=None, phone_number=None, cert=None, pin=None, api_key=None) == []
    assert settings_of(media="/srv/wa media", data="whatsappData", cc="49") == []


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
        ({"media_share": SHARE}, "WA_MEDIA_NOT_ON_SHARE", "wa_media", "mounted at /srv/media"),
        ({"media_share": SHARE, "media": "/srv/media/a"}, "WA_MEDIA_NOT_ON_SHARE", "wa_media", "mounted at /srv/media"),
        (
            {"media_share": {**SHARE, "server": 7}, "media": "/x"},
            "WA_MEDIA_SHARE_INVALID",
            "wa_media_share",
            "DNS name",
        ),
        (
            {"media_share": {**SHARE, "state": "absent"}},
            "WA_MEDIA_SHARE_INVALID",
            "wa_media_share",
            "state is not known",
        ),
    ],
)
def test_settings_refused(change, code, variable, says):
    (problem,) = settings_of(**change)
    assert (problem.code, problem.variable) == (code, variable)
    assert says in problem.message


def test_a_share_that_nodes_use_is_accepted():
    assert settings_of(media_share=SHARE, media="/srv//media/") == []
    assert settings_of(media_share={}) == []


def test_all_hosts_have_one_share_and_use_it():
    given = {**SETTINGS, "media_share": SHARE, "media": "/srv/media"}
    other = host_problems(
        given, {"a": {"media_share": {**SHARE, "server": "nas-2"}}, "b": {"media": "/srv/b"}, "c": {}}
    )
    assert [(problem.code, problem.host) for problem in other] == [
        ("WA_MEDIA_SHARE_DIFFERS", "a"),
        ("WA_MEDIA_NOT_ON_SHARE", "b"),
    ]


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
