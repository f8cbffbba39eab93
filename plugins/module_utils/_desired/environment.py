# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the variables of a cluster make of its containers: version, images, settings, environment. Internal. Pure.

C(variables) are everywhere the variables of a host by their full names, as the role C(cluster) documents them, with
C(version), the short name that playbooks take on the command line. What a container is made of that,
C(container.py) says.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.version import parse_version
from ansible_collections.waent.fleet.plugins.module_utils._desired import db_ssl

Variables = t.Mapping[str, t.Any]


def version_tag(variables: Variables) -> str:
    """The version as image tags have it, with its v; that of the command line where it names one.

    A text that is no version keeps what it says: it is refused elsewhere, with a sentence.
    """
    asked = variables.get("version")
    text = str(variables.get("wa_version") if asked is None else asked)
    version = parse_version(text)
    return str(version) if version else "v" + (text[1:] if text.startswith("v") else text)


def images(variables: Variables) -> dict[str, str]:
    """The image of each kind of node. The vendor gives masters none of their own."""
    tag = version_tag(variables)
    core = "{0}:{1}".format(variables["wa_coreapp_image"], tag)
    return {
        "webapp": "{0}:{1}".format(variables["wa_webapp_image"], tag),
        "master": core,
        "coreapp": core,
        "database": str(variables["wa_database_image"]),
    }


def container_settings(variables: Variables, files: t.Mapping[str, bytes]) -> dict[str, t.Any]:
    """What the containers of a host are made from, without a secret: C(Settings) of C(container.py).

    files: content of the files for TLS to the database, by variable.
    """
    return {
        "cluster": variables["wa_cluster_name"],
        "version": version_tag(variables),
        "images": images(variables),
        "network": variables["wa_network"],
        "publish_address": variables["wa_publish_address"],
        "extra_hosts": variables["wa_extra_hosts"],
        "media": variables["wa_media"],
        "data": variables["wa_data"],
        "db_ssl": db_ssl.volume_name(str(variables["wa_cluster_name"]), files),
        "db_engine": variables["wa_db_engine"],
        "log_driver": variables["wa_log_driver"],
        "log_options": variables["wa_log_options"],
        "database": {
            "address": variables["wa_database_address"],
            "volume": variables["wa_database_volume"],
            "max_connections": variables["wa_database_max_connections"],
            "arguments": variables["wa_database_arguments"],
            "alias": variables["wa_db_host"],
        },
    }


def database_node(variables: Variables) -> dict[str, t.Any]:
    """The database of our own, as a node beside the others."""
    name = "{0}-db".format(variables["wa_name_prefix"])
    return {"kind": "database", "name": name, "ports": [int(variables["wa_database_port"])]}


def environments(variables: Variables) -> dict[str, dict[str, t.Any]]:
    """The environment of each kind of node, secrets and all; without what a node advertises, which is its own."""
    extra = dict(variables["wa_extra_environment"] or {})
    common = _common(variables)
    # The same JWT key on all webapps, or a token of one is refused by the next behind a balancer.
    keys = {"WA_WEB_JWT_CRYPTO_KEY": variables["wa_jwt_key"], "WA_API_KEY": variables["wa_api_key"]}
    core = {"WA_DB_CONNECTION_IDLE_TIMEOUT": str(variables["wa_db_idle_timeout_ms"])}
    return {
        "webapp": {**common, **{name: str(key) for name, key in keys.items() if key}, **extra},
        # One variable makes a coreapp a master.
        "master": {**common, **core, "WA_MASTER_NODE": "1", **extra},
        "coreapp": {**common, **core, **extra},
    }


def database_environment(variables: Variables) -> dict[str, t.Any]:
    """The environment of a database of our own, which the images read where its volume is empty."""
    return {"MYSQL_ROOT_PASSWORD": variables["wa_db_password"]}


def schema_environment(variables: Variables) -> dict[str, t.Any]:
    """The environment of the container that upgrades the schema, without what C(container.py) gives it."""
    return {**_common(variables), **(variables["wa_extra_environment"] or {})}


def _common(variables: Variables) -> dict[str, str]:
    return {
        "WA_DB_ENGINE": str(variables["wa_db_engine"]),
        "WA_DB_HOSTNAME": str(variables["wa_db_host"]),
        "WA_DB_PORT": str(variables["wa_db_port"]),
        "WA_DB_USERNAME": str(variables["wa_db_username"]),
        "WA_DB_PASSWORD": str(variables["wa_db_password"]),
        "WA_DB_NAME_PREFIX": str(variables["wa_db_name_prefix"]),
        "WA_CONFIG_ON_DB": "1",
        "WA_APP_MULTICONNECT": "1",
        **db_ssl.environment(variables),
    }
