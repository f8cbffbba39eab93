# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables with nothing wrong in them, from which each test makes its own mistake."""

from __future__ import annotations

import base64
import typing as t

#: Every secret differs from every other, and can be found in any output.
SECRETS: dict[str, str] = {
    "wa_db_password": "canary-db-8FqL2xZr",
    "wa_admin_password": "Canary-admin-5Kd9wQ",
    "wa_api_key": "canary-api-key-3Jv7pTnB",
    "wa_jwt_key": "canary-jwt-key-6Yc1sHgM4Rb8",
    "wa_pin": "730164",
    "wa_cert": base64.b64encode(b"canary-certificate-9Wm2eXuV").decode(),
}

VARIABLES: dict[str, t.Any] = {
    "wa_version": "v2.19.4",
    "wa_shards": 1,
    "wa_survive": {},
    "wa_db_engine": "MYSQL",
    "wa_db_host": "db",
    "wa_db_port": 3306,
    "wa_db_username": "root",
    "wa_validate_certs": False,
    "wa_cc": "1",
    "wa_phone_number": "5550100202",
    "wa_registration_method": "sms",
    "wa_registration_code": "123456",
    "wa_settings": {"heartbeat_interval": 5, "unhealthy_interval": 30},
    **SECRETS,
}


def but(**changes: t.Any) -> dict[str, t.Any]:
    """The good variables with some of them changed; a change to C(...) leaves the variable out."""
    changed = {**VARIABLES, **changes}
    return {name: value for name, value in changed.items() if value is not ...}
