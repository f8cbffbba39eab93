# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a user of the API. Internal to waent.fleet: may change in any release."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.module_utils._io.client import ApiError, Client
from ansible_collections.waent.fleet.plugins.module_utils._state.user import is_no_user, role_in, user_path


def read_role(client: Client, username: str) -> str | None:
    """The role, empty where the API shows none; None when there is no such user. Raises a ClientError."""
    try:
        return role_in(client.get(user_path(username)).body)
    except ApiError as error:
        if is_no_user(error.status, error.code):
            return None
        raise
