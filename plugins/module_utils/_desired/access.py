# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a cluster is reached from the machine that runs Ansible, and what no output may hold. Internal. Pure.

C(variables) are the variables of a host by their full names, as the role C(cluster) documents them.
"""

from __future__ import annotations

import base64
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import webapp_url
from ansible_collections.waent.fleet.plugins.module_utils._desired.credentials import FIRST_PASSWORD, FIRST_USER
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import VARIABLES

Variables = t.Mapping[str, t.Any]

SECRETS = (*(variable.name for variable in VARIABLES if variable.secret), "wa_registration_code")
"""Variables whose values are masked in whatever is shown. A code works once only, but until then it does."""


def api_access(variables: Variables, nodes: t.Iterable[t.Mapping[str, t.Any]], token: str | None) -> dict[str, t.Any]:
    """Options of the action group C(waent.fleet.api).

    nodes: as wa_placement returns them; a call goes to the next webapp where one does not answer. token: of a login,
    if there was one.
    """
    access = {
        "api_url": [webapp_url(node) for node in nodes if node["kind"] == "webapp"],
        "validate_certs": variables["wa_validate_certs"],
        "ca_path": variables["wa_api_ca_path"],
        "api_token": token,
    }
    return {name: value for name, value in access.items() if value not in (None, "")}


def database_access(variables: Variables) -> dict[str, t.Any]:
    """Options of the action group C(waent.fleet.database); no host where the database cannot be reached from here."""
    access = {
        "db_engine": variables["wa_db_engine"],
        "db_host": variables["wa_db_check_host"],
        "db_port": variables["wa_db_check_port"],
        "db_username": variables["wa_db_username"],
        "db_password": variables["wa_db_password"],
        "db_name_prefix": variables["wa_db_name_prefix"],
    }
    return access if access["db_host"] else {name: value for name, value in access.items() if name != "db_host"}


def secrets(variables: Variables, tokens: t.Iterable[str | None]) -> list[t.Any]:
    """Every value that C(failure_reason) masks; a map among them is an environment."""
    found = {name: variables.get(name) for name in SECRETS}
    # The product's own first password is in its documentation, and a word that sentences have.
    if found["wa_admin_initial_password"] == FIRST_PASSWORD:
        del found["wa_admin_initial_password"]
    basic = base64.b64encode("{0}:{1}".format(FIRST_USER, found["wa_admin_password"] or "").encode()).decode()
    return [value for value in (*found.values(), basic, *tokens) if value]
