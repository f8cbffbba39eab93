# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that several modules share, and what is made of them. Internal to waent.fleet: may change in any release.

Documented once as well: doc fragments C(api) and C(database).
"""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import env_fallback
from ansible_collections.waent.fleet.plugins.module_utils._io.client import NO_RETRY, Backoff, Client
from ansible_collections.waent.fleet.plugins.module_utils._io.database import DatabaseAccess, Tls

Options = t.Dict[str, t.Dict[str, t.Any]]


def from_environment(variable: str, **option: t.Any) -> dict[str, t.Any]:
    """An option whose value may come from an environment variable of the host the module runs on."""
    return dict(option, fallback=(env_fallback, [variable]))


def api_options() -> Options:
    """Access to the API, as in the doc fragment C(api)."""
    return {
        "api_url": from_environment("WA_API_URL", type="list", elements="str", required=True),
        "api_token": from_environment("WA_API_TOKEN", type="str", no_log=True),
        "api_key": from_environment("WA_API_KEY", type="str", no_log=True),
        "api_timeout": {"type": "float", "default": 10.0},
        "api_once": {"type": "bool", "default": False},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        "trusted_certificates": {"type": "list", "elements": "str", "default": []},
    }


def client_from(
    params: t.Mapping[str, t.Any], *, backoff: Backoff | None = None, asks_every_url: bool = False
) -> Client:
    """The API as the options say. Raises a ClientError when they cannot be used, and where nobody answers at once.

    asks_every_url: for who asks each of the addresses itself, and all at once.
    """
    client = Client(
        params["api_url"],
        token=params["api_token"] or None,
        api_key=params["api_key"] or None,
        validate_certs=params["validate_certs"],
        ca_path=params["ca_path"],
        trusted=params["trusted_certificates"],
        timeout=params["api_timeout"],
        backoff=NO_RETRY if params["api_once"] else backoff,
    )
    return client.of_the_first_to_answer() if params["api_once"] and not asks_every_url else client


def database_options(*, required: bool) -> Options:
    """Access to the database, as in the doc fragment C(database)."""
    return {
        "db_engine": {"type": "str", "choices": ["MYSQL", "PGSQL"], "default": "MYSQL"},
        "db_host": from_environment("WA_DB_HOSTNAME", type="str", required=required),
        "db_port": {"type": "int", "default": 3306},
        "db_username": from_environment("WA_DB_USERNAME", type="str"),
        "db_password": from_environment("WA_DB_PASSWORD", type="str", no_log=True),
        "db_name_prefix": {"type": "str", "default": ""},
        "db_ssl_ca": {"type": "path"},
        "db_ssl_cert": {"type": "path"},
        "db_ssl_key": {"type": "path", "no_log": False},
        "db_ssl_check_hostname": {"type": "bool", "default": True},
        "db_ssl_server_name": {"type": "str"},
        "db_timeout": {"type": "float", "default": 10.0},
    }


def database_from(params: t.Mapping[str, t.Any]) -> DatabaseAccess | None:
    """The database as the options say, None when no host is given."""
    if not params["db_host"]:
        return None
    return DatabaseAccess(
        engine=params["db_engine"],
        host=params["db_host"],
        port=params["db_port"],
        username=params["db_username"] or "",
        password=params["db_password"] or "",
        name_prefix=params["db_name_prefix"],
        tls=_tls_from(params),
        timeout=params["db_timeout"],
    )


def _tls_from(params: t.Mapping[str, t.Any]) -> Tls | None:
    if not params["db_ssl_ca"]:
        return None
    return Tls(
        params["db_ssl_ca"],
        params["db_ssl_cert"],
        params["db_ssl_key"],
        params["db_ssl_check_hostname"],
        params["db_ssl_server_name"],
    )
