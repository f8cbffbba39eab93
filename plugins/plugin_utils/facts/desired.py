# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of what the inventory asks for: containers, their environment, the shape of the cluster, its database."""

from __future__ import annotations

import base64
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.host import cluster_nodes
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import summary
from ansible_collections.waent.fleet.plugins.module_utils._common.product import KINDS, LABELS
from ansible_collections.waent.fleet.plugins.module_utils._desired import access, backup_schedule, db_ssl, environment
from ansible_collections.waent.fleet.plugins.module_utils._desired.app_settings import hidden
from ansible_collections.waent.fleet.plugins.module_utils._desired.container import docker_options, filler_options
from ansible_collections.waent.fleet.plugins.module_utils._desired.values import whole_number
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import switch_on
from ansible_collections.waent.fleet.plugins.module_utils._plan import preflight, sizing, timers
from ansible_collections.waent.fleet.plugins.module_utils._plan.site import is_apart
from ansible_collections.waent.fleet.plugins.module_utils._state.mounts import SHORT_ID
from ansible_collections.waent.fleet.plugins.plugin_utils.facts.play import Play, Values, observed_of, token_of
from ansible_collections.waent.fleet.plugins.plugin_utils.play_variables import read_file

CONTAINER = (
    "version", "wa_version", "wa_webapp_image", "wa_coreapp_image", "wa_database_image", "wa_cluster_name",
    "wa_network", "wa_publish_address", "wa_extra_hosts", "wa_media", "wa_data", "wa_log_driver", "wa_log_options",
    "wa_db_engine", "wa_db_host", "wa_database_address", "wa_database_volume", "wa_database_arguments",
)  # fmt: skip
ENVIRONMENT = (
    "wa_db_engine", "wa_db_host", "wa_db_port", "wa_db_username", "wa_db_password", "wa_db_name_prefix",
    "wa_db_idle_timeout_ms", "wa_jwt_key", "wa_api_key", "wa_extra_environment", *db_ssl.VARIABLES,
)  # fmt: skip
IMAGES = ("version", "wa_version", "wa_webapp_image", "wa_coreapp_image", "wa_database_image")
DATABASE = (
    "wa_db_engine", "wa_db_check_host", "wa_db_check_port", "wa_db_username", "wa_db_password", "wa_db_name_prefix",
    "wa_db_host", "wa_extra_hosts", "wa_db_ssl_check_hostname", *db_ssl.VARIABLES,
)  # fmt: skip
REACH = ("wa_db_host", "wa_db_port", "wa_db_check_host", "wa_extra_hosts")
HOST_INFO = (
    "wa_cluster_name", "wa_network", "wa_media_share", "wa_data", "wa_container_uid", "wa_disk_free_mb",
)  # fmt: skip
ADOPTS = ("wa_db_host", "wa_db_port", "wa_db_name_prefix")
MEDIA_SHARE = ("wa_container_uid", "wa_disk_free_mb")
SIZING = ("wa_messages_per_second", "wa_db_ssl_ca", "wa_database_class")


def secrets_of(play: Play) -> list[t.Any]:
    tokens = [token_of(play), play.result("__wa_login").get("token")]
    return access.secrets({name: play.readable(name) for name in access.SECRETS}, tokens)


def _shards(play: Play) -> t.Any:
    asked = play.readable("shards")
    return play.readable("wa_shards") if asked is None else asked


def _shape(play: Play) -> Values:
    first_ports = {"{0}_port".format(kind): play.readable("wa_{0}_port".format(kind)) for kind in KINDS}
    return {
        "hosts": play.inventory(),
        "without": play.left_out,
        "shards": _shards(play),
        "survive": play.readable("wa_survive"),
        "allow_no_ha": switch_on(play.readable("wa_allow_no_ha")),
        "name_prefix": play.readable("wa_name_prefix"),
        **first_ports,
    }


def _placement(play: Play) -> Values:
    asked = play.readable("version")
    return {
        **_shape(play),
        "version": play.readable("wa_version") if asked is None else asked,
        "check_variables": True,
        "unhealthy_interval": _unhealthy_interval(play),
        "database_hosts": database_hosts_of(play),
    }


def _unhealthy_interval(play: Play) -> int:
    """What is declared, else what the product comes with. Whatever is wrong with it is reported by wa_placement."""
    settings = play.readable("wa_settings")
    declared = whole_number(settings.get("unhealthy_interval")) if isinstance(settings, dict) else None
    return declared or timers.PRODUCT["unhealthy_interval"]


def _files(play: Play) -> dict[str, bytes]:
    """Content of the files for TLS to the database. One that cannot be read is refused by wa_placement."""
    variables = play.values(db_ssl.VARIABLES)
    return {file.variable: read_file(variables[file.variable]) for file in db_ssl.used(variables)}


def _container_settings(play: Play) -> Values:
    variables = {**play.values(CONTAINER), "wa_database_max_connections": _connections(play)}
    return environment.container_settings(variables, _files(play))


def _node_containers(play: Play) -> Values:
    """What wa_containers takes for wa_nodes, with the environment of each, and what this host lacks for them."""
    of_database = environment.database_environment(play.values(("wa_db_password",)))
    environments, settings = {**FACTS["environment"](play), "database": of_database}, _container_settings(play)
    lacking = play.result("__wa_preflight").get("hosts", {}).get(play.value("inventory_hostname")) or {}
    found: Values = {
        **_stores(play, bool(lacking.get("network_missing")), lacking.get("volumes_missing") or ()),
        "first": [],
        "containers": [],
    }
    read = play.result("__wa_host").get("host")
    for node in play.value("wa_nodes"):
        own = docker_options({**node, "labels": {**(node.get("labels") or {}), **_replaces(read, node)}}, settings)
        options = {**own, "env": {**environments[node["kind"]], **own.get("env", {})}}
        found["first" if node["kind"] == "database" else "containers"].append(options)
    return found


def _replaces(read: Values | None, node: Values) -> dict[str, str]:
    """A label for the container that takes the place of one which is apart from the media share.

    Nothing else about the two differs. It names the old one, so that within a run there is no third.
    """
    found = [one for one in cluster_nodes(read) if one["name"] == node["name"] and is_apart(read, one)] if read else []
    return {LABELS + "replaces": found[0]["id"][:SHORT_ID]} if found else {}


def _stores(play: Play, network: bool, volumes: t.Iterable[str]) -> Values:
    """Networks and volumes that are to be made, as wa_containers takes them."""
    labels = {LABELS + "cluster": str(play.value("wa_cluster_name"))}
    networks = [str(play.value("wa_network"))] if network else []
    made = (("networks", networks), ("volumes", volumes))
    return {option: [{"name": name, "labels": labels} for name in names] for option, names in made}


def _stores_missing(play: Play) -> Values:
    """The same for what a role was given for this host."""
    return _stores(play, switch_on(play.value("wa_network_missing")), play.value("wa_volumes_missing") or ())


def _connections(play: Play) -> t.Any:
    """What a database of our own allows: what the inventory says, else what its shards need."""
    asked = play.readable("wa_database_max_connections")
    rate, tls = play.readable("wa_messages_per_second"), bool(play.readable("wa_db_ssl_ca"))
    return asked if whole_number(asked) != 0 else sizing.own_limit(play.readable("wa_shards"), rate, tls)


def _db_ssl_files(play: Play) -> list[Values]:
    contents = _files(play)
    return [
        {"name": file.name, "mode": file.mode, "content": base64.b64encode(contents[file.variable]).decode()}
        for file in db_ssl.FILES
        if file.variable in contents
    ]


def _host_info(play: Play) -> Values:
    """What wa_host_info reads on the host that the task is about. In one go: each host has a process of its own."""
    return {
        "name": play.value("inventory_hostname"),
        **{name[len("wa_") :]: value for name, value in play.values(HOST_INFO).items()},
        # A share is read in a way of its own, which does not wait for a server that is gone.
        "media": "" if play.value("wa_media_share") else play.value("wa_media"),
        "version": FACTS["version"](play),
        "images": FACTS["images"](play),
        "reach": FACTS["database_targets"](play),
        "stop_single_connect": switch_on(play.value("wa_stop_single_connect")),
        "environment": FACTS["environment"](play),
        "container_settings": _container_settings(play),
        "adopts": {name[len("wa_") :]: play.value(name) for name in ADOPTS} if play.value("_wa_adopts") else {},
    }


def database_hosts_of(play: Play) -> list[str]:
    return list(play.groups.get("wa_database_hosts") or ())


def nodes_of(play: Play) -> list[Values]:
    node = environment.database_node(play.values(("wa_name_prefix", "wa_database_port")))
    return [*(play.result("__wa_desired").get("nodes") or ()), *({"host": h, **node} for h in database_hosts_of(play))]


def _first_sizing(play: Play) -> Values:
    return preflight.first_sizing(
        {**play.values(SIZING), "wa_database_max_connections": _connections(play)},
        play.result("__wa_desired"),
        play.result("__wa_database").get("database") or {},
        observed_of(play),
        play.hosts,
        database_hosts_of(play),
    )


def _schedule_refusal(play: Play) -> str:
    """Why backups cannot be made on a schedule; empty where they can, and where nobody asks for it."""
    given = play.values(("wa_backup_host", "wa_backup_recipient"))
    host, recipient = (str(value or "") for value in given.values())
    return summary(backup_schedule.host_problems(host, play.groups.get("all") or (), recipient))


FACTS: dict[str, t.Callable[[Play], t.Any]] = {
    "version": lambda play: environment.version_tag(play.values(("version", "wa_version"))),
    "images": lambda play: environment.images(play.values(IMAGES)),
    "container_settings": _container_settings,
    "node_containers": _node_containers,
    "stores_missing": _stores_missing,
    "db_ssl_files": _db_ssl_files,
    "db_ssl_filler": lambda play: filler_options(_container_settings(play)),
    "database_targets": lambda play: access.database_targets(play.values(REACH), bool(database_hosts_of(play))),
    "environment": lambda play: environment.environments(play.values(ENVIRONMENT)),
    "schema_environment": lambda play: environment.schema_environment(play.values(ENVIRONMENT)),
    "database_hosts": database_hosts_of,
    "database_access": lambda play: access.database_access(play.values(DATABASE)),
    "secrets": secrets_of,
    "shape": _shape,
    "placement": _placement,
    "host_info": _host_info,
    "first_sizing": _first_sizing,
    "schedule_refusal": _schedule_refusal,
    "backup_recipient": lambda play: read_file(play.value("wa_backup_recipient") or "").decode("utf-8", "replace"),
    "shown_settings": lambda play: hidden(play.value("wa_settings") or {}),
}
