# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings and secrets the user gave for a cluster, refused where they cannot work. Secrets are never repeated.

Internal to waent.fleet: may change in any release. Pure: no I/O, no clock, and no host is needed.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils.credentials import password_lacks
from ansible_collections.waent.fleet.plugins.module_utils.problems import Problem
from ansible_collections.waent.fleet.plugins.module_utils.wanted import (
    Raw,
    blank_problems,
    enumerate_all,
    stated,
    whole_number,
)

DB_ENGINES = ("MYSQL", "PGSQL")
DB_PASSWORD_REFUSED = "?{}&~!()^="
"""Characters that break the client's database password (reference 2.4)."""

REGISTRATION_METHODS = ("sms", "voice")


def settings_problems(raw: Raw) -> list[Problem]:
    """Everything wrong with the settings and secrets in C(raw), named as the public variables without C(wa_).

    Keys: C(admin_password), C(api_key), C(jwt_key), C(pin), C(cert), C(cc), C(phone_number), C(register),
    C(registration_method), C(db_engine), C(db_host), C(db_port), C(db_username), C(db_password),
    C(db_name_prefix), C(image_registry), C(network), C(media), C(data).
    """
    plain = (
        "db_engine",
        "db_host",
        "db_username",
        "db_name_prefix",
        "image_registry",
        "network",
        "media",
        "data",
        "registration_method",
    )
    problems = blank_problems({"wa_" + key: raw.get(key) for key in plain})
    problems += _database_problems(raw)
    problems += _admin_password_problems(raw.get("admin_password"))
    problems += _api_key_problems(raw.get("api_key"))
    problems += _registration_problems(raw)
    problems += _mount_problems(raw)
    return problems


def _missing(key: str, why: str) -> Problem:
    return Problem("WA_SETTING_MISSING", "wa_{0} is not set; {1}.".format(key, why), "wa_" + key)


def _secret(raw: Raw, key: str, why: str) -> tuple[str | None, list[Problem]]:
    """The secret C(key) as text, or None with the problem: missing, or a number that YAML made of it."""
    value = raw.get(key)
    if value is None or value == "":
        return None, [Problem("WA_SECRET_MISSING", "wa_{0} is not set; {1}.".format(key, why), "wa_" + key)]
    if not isinstance(value, str):
        message = "wa_{0} is not text; put it in quotes, so that no digit is lost.".format(key)
        return None, [Problem("WA_SECRET_NOT_TEXT", message, "wa_" + key)]
    return value, []


def _database_problems(raw: Raw) -> list[Problem]:
    problems = []
    engine = raw.get("db_engine")
    if engine not in DB_ENGINES:
        problems.append(
            Problem(
                "WA_DB_ENGINE_INVALID",
                "{0}; allowed are {1}.".format(stated("wa_db_engine", engine), enumerate_all(DB_ENGINES)),
                "wa_db_engine",
                engine,
            )
        )
    for key in ("db_host", "db_username"):
        if not raw.get(key):
            problems.append(_missing(key, "every node needs it to reach the database"))
    port = whole_number(raw.get("db_port"))
    if port is None or not 1 <= port <= 65535:
        problems.append(
            Problem(
                "WA_DB_PORT_INVALID",
                "{0}; allowed is a port number from 1 to 65535.".format(stated("wa_db_port", raw.get("db_port"))),
                "wa_db_port",
                raw.get("db_port"),
            )
        )
    password, missing = _secret(raw, "db_password", "every node needs it to reach the database")
    return problems + missing + _db_password_problems(password or "")


def _db_password_problems(password: str) -> list[Problem]:
    found = [character for character in DB_PASSWORD_REFUSED if character in password]
    if any(ord(character) < 32 for character in password):
        found.append("a control character, for example a line break")
    if not found:
        return []
    return [
        Problem(
            "WA_DB_PASSWORD_CHARACTERS",
            "wa_db_password has {0}; the client cannot use any of {1} or control characters.".format(
                " ".join(found), " ".join(DB_PASSWORD_REFUSED)
            ),
            "wa_db_password",
        )
    ]


def _admin_password_problems(value: t.Any) -> list[Problem]:
    password, missing = _secret(
        {"admin_password": value},
        "admin_password",
        "the first log-in must replace the password every new installation has",
    )
    if password is None:
        return missing
    lacks = password_lacks(password)
    if not lacks:
        return []
    return [
        Problem(
            "WA_ADMIN_PASSWORD_POLICY",
            "wa_admin_password lacks {0}.".format(enumerate_all(lacks)),
            "wa_admin_password",
        )
    ]


def _api_key_problems(value: t.Any) -> list[Problem]:
    """The key is optional; one that is set must have the length the client accepts (reference 2.4)."""
    if value is None or value == "":
        return []
    key, wrong = _secret({"api_key": value}, "api_key", "")
    if key is None:
        return wrong
    problems = []
    if not 12 <= len(key) <= 128:
        problems.append(
            Problem(
                "WA_API_KEY_LENGTH",
                "wa_api_key has {0} characters; allowed are 12 to 128.".format(len(key)),
                "wa_api_key",
            )
        )
    if re.search(r"\s", key):
        problems.append(
            Problem(
                "WA_API_KEY_BLANKS",
                "wa_api_key has white space in it; it travels in a header and must not.",
                "wa_api_key",
            )
        )
    return problems


def jwt_key_problems(webapps: int, jwt_key: t.Any) -> list[Problem]:
    """Several webapps need one key, or each refuses the tokens of the others (reference 10, number 20)."""
    if webapps < 2:
        return []
    _key, problems = _secret(
        {"jwt_key": jwt_key},
        "jwt_key",
        "the cluster has {0} webapps, which accept each other's tokens only with one common key".format(webapps),
    )
    return problems


def _registration_problems(raw: Raw) -> list[Problem]:
    problems: list[Problem] = []
    if raw.get("pin") is not None and raw.get("pin") != "":
        pin, problems = _secret(raw, "pin", "")
        if pin is not None and not re.fullmatch(r"[0-9]{6}", pin):
            problems.append(Problem("WA_PIN_INVALID", "wa_pin must be exactly 6 digits.", "wa_pin"))
    if not raw.get("register"):
        return problems
    why = "registering the number needs it; set wa_register to false to leave the number alone"
    for key, longest in (("cc", 3), ("phone_number", 14)):
        value = raw.get(key)
        if value is None or value == "":
            problems.append(_missing(key, why))
        elif not re.fullmatch(r"[0-9]{{1,{0}}}".format(longest), str(value)):
            problems.append(
                Problem(
                    "WA_PHONE_NUMBER_INVALID",
                    "wa_{0} is {1!r}; allowed are 1 to {2} digits, without + or blanks.".format(key, value, longest),
                    "wa_" + key,
                    value,
                )
            )
    method = raw.get("registration_method")
    if method is not None and method not in REGISTRATION_METHODS:
        problems.append(
            Problem(
                "WA_REGISTRATION_METHOD_INVALID",
                "wa_registration_method is {0!r}; allowed are {1}.".format(method, enumerate_all(REGISTRATION_METHODS)),
                "wa_registration_method",
                method,
            )
        )
    return problems + _secret(raw, "cert", why)[1]


def _mount_problems(raw: Raw) -> list[Problem]:
    problems = []
    for key in ("media", "data"):
        value = raw.get(key)
        if value is None or value == "":
            continue
        if not isinstance(value, str) or not re.fullmatch(r"/.*|[a-zA-Z0-9][a-zA-Z0-9_.-]*", value.strip()):
            problems.append(
                Problem(
                    "WA_MOUNT_INVALID",
                    "wa_{0} is {1!r}; allowed is a volume's name or an absolute path on the host.".format(key, value),
                    "wa_" + key,
                    value,
                )
            )
    return problems
