# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user as the API shows it. Internal to waent.fleet. Pure; part of the program of scheduled backups as well.

Facts: reference 4.2. That there is no such user is an answer; whatever else the API refuses with is none.
"""

from __future__ import annotations

import typing as t
from urllib.parse import quote

from ansible_collections.waent.fleet.plugins.module_utils._common.api_codes import NOT_FOUND


def user_path(username: str) -> str:
    """Where the API has this user."""
    return "/v1/users/" + quote(username, safe="")


def role_in(answer: t.Any) -> str:
    """The role of the user in an answer; empty where it shows none."""
    users = answer.get("users") if isinstance(answer, dict) else None
    first = users[0] if isinstance(users, list) and users else None
    return str(first.get("ROLES") or "") if isinstance(first, dict) else ""


def is_no_user(status: int, code: int | None) -> bool:
    """Whether a refusal says that there is no such user. code: the API's own; None where it gave none."""
    return code == NOT_FOUND or (code is None and status == 404)
