# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: what can be read of a verified-name certificate. Internal to waent.fleet: may change in any release.

The vendor's certificate is base64 of something undocumented, of which nothing can be read. One that decodes to a JSON
object may say when it expires and for which number it is. What cannot be read is not held against a certificate.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import json
import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem

_BANNED = "setting the shards with an expired certificate gets the account banned, so it was not sent"


def certificate_problems(text: str, number: str, today: datetime.date) -> list[Problem]:
    """What is wrong with a certificate for a number (country code included). The text itself is never shown."""
    try:
        raw = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return [_problem("CERT_NOT_BASE64", "wa_cert is not base64 text as the business manager shows it.")]
    if not raw:
        return [_problem("CERT_MALFORMED", "wa_cert is empty.")]
    if not raw.lstrip().startswith(b"{"):
        return []
    said = _parsed(raw)
    if said is None:
        return [_problem("CERT_MALFORMED", "wa_cert cannot be read: it begins like JSON and is none.")]
    return _expiry_problems(said.get("expires"), today) + _number_problems(said.get("phone_number"), number)


def _parsed(raw: bytes) -> dict[str, t.Any] | None:
    try:
        value = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _expiry_problems(expires: t.Any, today: datetime.date) -> list[Problem]:
    if expires is None:
        return []
    if not isinstance(expires, str) or not re.match(r"^\d{4}-\d\d-\d\d\Z", expires):
        return [_problem("CERT_MALFORMED", "wa_cert cannot be read: what it says about its expiry is no date.")]
    try:
        last_day = datetime.date.fromisoformat(expires)
    except ValueError:
        return [_problem("CERT_MALFORMED", "wa_cert cannot be read: what it says about its expiry is no date.")]
    if today <= last_day:
        return []
    return [_problem("CERT_EXPIRED", "wa_cert expired on {0}; {1}.".format(expires, _BANNED))]


def _number_problems(said: t.Any, number: str) -> list[Problem]:
    if said is None or said == number:
        return []
    text = "wa_cert is for the number {0}, and the cluster's is {1}; a wrong certificate logs the client off."
    return [_problem("CERT_OTHER_NUMBER", text.format(said, number))]


def _problem(code: str, message: str) -> Problem:
    return Problem(code, message, variable="wa_cert")
