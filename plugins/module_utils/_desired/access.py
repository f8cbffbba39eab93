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
from ansible_collections.waent.fleet.plugins.module_utils._desired import db_ssl
from ansible_collections.waent.fleet.plugins.module_utils._desired.credentials import FIRST_PASSWORD, FIRST_USER
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import VARIABLES, switch_on

Variables = t.Mapping[str, t.Any]

HOST_GATEWAY = "host-gateway"
"""What Docker takes in place of an address, for the host that a container runs on."""

SECRETS = (*(variable.name for variable in VARIABLES if variable.secret), "wa_registration_code")
"""Variables whose values are masked in whatever is shown. A code works once only, but until then it does."""


def api_access(
    variables: Variables,
    nodes: t.Iterable[t.Mapping[str, t.Any]],
    token: str | None,
    served: t.Mapping[str, t.Any] | None = None,
    trusted: t.Sequence[str] = (),
) -> dict[str, t.Any]:
    """Options of the action group C(waent.fleet.api).

    nodes: as wa_placement returns them; a call goes to the next webapp where one does not answer. token: of a login,
    if there was one. served: the C(url) of a webapp and the C(sha256) of the certificate that it serves on its own
    host, while no authority is pinned: then that webapp alone is trusted, and for this certificate. trusted: SHA-256 of
    certificates that are trusted at every webapp, while they change from one authority to another.
    """
    access = {
        "api_url": [webapp_url(node) for node in nodes if node["kind"] == "webapp"],
        "validate_certs": variables["wa_validate_certs"],
        "ca_path": variables["wa_api_ca_path"],
        "api_token": token,
    }
    if trusted:
        access["trusted_certificates"] = list(trusted)
    if served:
        access.update(api_url=[served["url"]], ca_path=None, trusted_certificates=[served["sha256"]])
    return {name: value for name, value in access.items() if value not in (None, "")}


def url_on_its_host(node: t.Mapping[str, t.Any], publish_address: t.Any) -> str:
    """Base URL of a webapp as its own host reaches it."""
    address = str(publish_address or "")
    anywhere = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
    return webapp_url({**node, "api_address": anywhere.get(address, address)})


def database_access(variables: Variables) -> dict[str, t.Any]:
    """Options of the action group C(waent.fleet.database); no host where the database cannot be reached from here."""
    access = {
        "db_engine": variables["wa_db_engine"],
        "db_host": _check_host(variables),
        "db_port": variables["wa_db_check_port"],
        "db_username": variables["wa_db_username"],
        "db_password": variables["wa_db_password"],
        "db_name_prefix": variables["wa_db_name_prefix"],
        **_database_tls(variables),
    }
    return access if access["db_host"] else {name: value for name, value in access.items() if name != "db_host"}


def _check_host(variables: Variables) -> t.Any:
    """The database as it is reached from here. A name that only the containers know is its address."""
    host = variables["wa_db_check_host"]
    return host if host != variables["wa_db_host"] else _address_of(variables)


def _address_of(variables: Variables) -> t.Any:
    """wa_db_host by wa_extra_hosts, as containers look it up; empty for C(host-gateway), which is each host itself."""
    host, known = variables["wa_db_host"], variables["wa_extra_hosts"]
    address = known.get(host, host) if isinstance(known, dict) else host
    return "" if address == HOST_GATEWAY else address


def _database_tls(variables: Variables) -> dict[str, t.Any]:
    """The nodes' own files; the name in the certificate is the one that nodes use, whatever it is reached by here."""
    files = {file.variable[len("wa_") :]: variables[file.variable] for file in db_ssl.used(variables)}
    if not files:
        return {}
    check = switch_on(variables["wa_db_ssl_check_hostname"])
    return {**files, "db_ssl_server_name": variables["wa_db_host"], "db_ssl_check_hostname": check}


def database_targets(variables: Variables, own: bool) -> list[dict[str, t.Any]]:
    """What each host must be able to connect to, as its nodes will: option C(reach) of wa_host_info.

    own: the database is one of ours, which may not run yet.
    """
    host = variables["wa_db_host"]
    if own or not host:
        return []
    target = {"host": host, "port": variables["wa_db_port"]}
    address = _address_of(variables)
    return [target if address == host else {**target, "address": address or HOST_GATEWAY}]


def unread_notes(variables: Variables) -> list[str]:
    """Why the database is not read from here although nodes reach it; nothing where the user wants it so."""
    if not variables["wa_db_check_host"] or _check_host(variables):
        return []
    note = (
        "wa_db_host is {0!r}, the host that a node runs on (wa_extra_hosts), so the database was not read; set"
        " wa_db_check_host to a name or address by which the machine that runs Ansible reaches it."
    )
    return [note.format(variables["wa_db_host"])]


def secrets(variables: Variables, tokens: t.Iterable[str | None]) -> list[t.Any]:
    """Every value that C(failure_reason) masks; a map among them is an environment."""
    found = {name: variables.get(name) for name in SECRETS}
    # The product's own first password is in its documentation, and a word that sentences have.
    if found["wa_admin_initial_password"] == FIRST_PASSWORD:
        del found["wa_admin_initial_password"]
    basic = base64.b64encode("{0}:{1}".format(FIRST_USER, found["wa_admin_password"] or "").encode()).decode()
    return [value for value in (*found.values(), basic, *tokens) if value]
