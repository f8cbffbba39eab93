# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of the hosts: what was read of them, which could not be read, and the nodes that are known."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.waent.fleet.plugins.filter.inventory_hosts import inventory_hosts
from ansible_collections.waent.fleet.plugins.module_utils._check.backup_status import backup_status
from ansible_collections.waent.fleet.plugins.module_utils._check.image_life import Life, lives_of
from ansible_collections.waent.fleet.plugins.module_utils._check.without import may_be_left_out, signs_from, webapps_of
from ansible_collections.waent.fleet.plugins.module_utils._common.failure_reason import masked, said
from ansible_collections.waent.fleet.plugins.module_utils._common.text import one_line
from ansible_collections.waent.fleet.plugins.module_utils._desired import access, environment
from ansible_collections.waent.fleet.plugins.module_utils._desired.values import whole_number
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import switch_on
from ansible_collections.waent.fleet.plugins.module_utils._plan import preflight
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import may_hold_unseen
from ansible_collections.waent.fleet.plugins.plugin_utils.facts.desired import DATABASE, database_hosts_of, secrets_of
from ansible_collections.waent.fleet.plugins.plugin_utils.facts.play import Play, Values, observed_of
from ansible_collections.waent.fleet.plugins.plugin_utils.host_values import EveryHost

STORES = ("wa_database_volume", "wa_media", "wa_data")
"""Variables that name a volume, or a path, of a host."""


def _image_lives(play: Play) -> list[Life]:
    """Until when the images of the client work that hosts of the play have."""
    return lives_of(observed_of(play), [play.value("wa_database_image") or ""])


def _image_warnings(play: Play) -> list[str]:
    """What has expired of them, or will soon."""
    days = whole_number(play.value("wa_expiry_warning_days")) or 0
    return [life.warning(_today()) for life in _image_lives(play) if life.ends_within(days, _today())]


def _images_expired(play: Play) -> list[str]:
    """What has expired of them."""
    return [life.warning(_today()) for life in _image_lives(play) if life.expired(_today())]


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.timezone.utc).date()


def _running(play: Play) -> list[Values]:
    return [node for host in observed_of(play) for node in host["nodes"]]


def unread_hosts_of(play: Play) -> dict[str, str]:
    """Hosts that could not be read, and why, in one line without secrets."""
    unread = {host: read for host, read in play.reads(play.hosts).items() if not read.get("host")}
    secrets = secrets_of(play) if unread else []
    return {host: masked(one_line(said(read).removeprefix("Task failed: ")), secrets) for host, read in unread.items()}


def unreachable_of(play: Play) -> dict[str, str]:
    """Those of the hosts that could not be read that do not answer at all, and why."""
    reads = play.reads(play.hosts)
    return {host: why for host, why in unread_hosts_of(play).items() if reads[host].get("unreachable")}


def signs_of(play: Play) -> dict[str, Values]:
    """Signs of life of the hosts that the run goes on without."""
    return {
        host: signs_from(play.facts(host, "__wa_sign_of_life"), play.facts(host, "__wa_webapps_of_it"))._asdict()
        for host in play.left_out
    }


def _webapps_here(play: Play) -> list[str]:
    """Where webapps of the host would answer that the task is about."""
    name, port = play.value("inventory_hostname"), play.readable("wa_webapp_port")
    return [url for host in play.inventory() if host["name"] == name for url in webapps_of(host, port)]


def _nodes_to_run(play: Play) -> list[Values]:
    """The nodes of the host that the task is about that have to be created, started or recreated.

    A host that has nothing but the database is none of those that nodes are placed on.
    """
    host = play.value("inventory_hostname")
    named = play.result("__wa_preflight")["hosts"][host]["nodes"]
    return [node for node in play.result("__wa_desired")["hosts"].get(host, ()) if node["name"] in named]


def _database_to_run(play: Play) -> list[Values]:
    """The database of this host, and after it the nodes that run with it: those of a cluster that is begun."""
    database = environment.database_node(play.values(("wa_name_prefix", "wa_database_port")))
    found = (play.result("__wa_preflight").get("hosts") or {}).get(play.value("inventory_hostname")) or {}
    return [database, *(_nodes_to_run(play) if preflight.runs_beside_database(found.get("groups") or ()) else [])]


def spared_of(play: Play) -> list[str]:
    if play.value("_wa_adopts"):
        # What compose files have started there would stay, seen by nobody.
        return []
    return may_be_left_out(unreachable_of(play), play.left_out, play.groups)


def _unseen_hosts(play: Play) -> list[str]:
    """Those, and hosts whose engine may hold nodes and does not say which."""
    return [*unread_hosts_of(play), *(host["name"] for host in observed_of(play) if may_hold_unseen(host["engine"]))]


def known_nodes_of(play: Play) -> list[Values]:
    return preflight.known_nodes(play.result("__wa_desired").get("nodes") or (), _unseen_hosts(play))


def _to_declare(play: Play) -> list[str]:
    """Hosts that the command has drained, and the inventory does not."""
    hosts = inventory_hosts(EveryHost(play.hostvars), play.groups)
    declared = {host["name"] for host in hosts if switch_on(host["drained"])}
    return [name for name in play.asked_to_drain if name not in declared]


def _failures(play: Play) -> dict[str, Values]:
    reads = play.reads(play.hosts).items()
    return {host: read.get("failure") or {"message": str(read.get("msg") or "")} for host, read in reads}


def unread_of(play: Play) -> dict[str, Values]:
    """By host why it could not be read, where its module, or what started it, says so."""
    reads = play.reads(play.hosts)
    return {host: read["failure"] for host, read in reads.items() if read.get("failure")}


def _database_readable(play: Play) -> bool:
    return "db_host" in access.database_access(play.values(DATABASE)) and preflight.database_exists(
        observed_of(play), database_hosts_of(play)
    )


def _removed(play: Play) -> Values:
    """Hosts that were read again after something was removed there, and why one could not be, or something not go."""
    reads, refused = play.results("__wa_host_after"), play.results("__wa_not_removed")
    failures: Values = {
        host: read.get("failure") or {"message": refused[host].get("reason") or str(read.get("msg") or "")}
        for host, read in reads.items()
    }
    return {"hosts": [read["host"] for read in reads.values() if read.get("host")], "failures": failures}


def _removal_stores(play: Play) -> dict[str, Values]:
    """By host of the play what the inventory says of its volumes. A host may have another media store than the rest."""
    every, database_hosts = EveryHost(play.hostvars), play.groups.get("wa_database_hosts") or ()
    named = play.readable("wa_db_host") and not database_hosts
    server = "{0}:{1}".format(play.readable("wa_db_host"), play.readable("wa_db_port")) if named else ""
    found: dict[str, Values] = {}
    for host in play.hosts:
        own = every[host]
        store = {name: str(own.get(name) or play.readable(name) or "") for name in STORES}
        database = store.pop("wa_database_volume") if host in database_hosts else ""
        found[host] = {"database": database, "others": list(store.values()), "server": server}
    return found


def _backup_status(play: Play) -> Values:
    """What status.yml shows of backups on a schedule."""
    seen = {host["name"]: host["backup"] for host in observed_of(play) if host.get("backup")}
    named, read = str(play.value("wa_backup_host") or ""), play.result("__wa_backup_read")
    if read.get("found"):
        seen[named] = read["found"]
    if not read or read.get("skipped"):
        # One that could not be read is named for that anyhow; what is no host of the inventory makes no backup.
        nowhere = named not in (play.groups.get("all") or ())
        return backup_status(seen, named if nowhere else "")._asdict()
    unread = "" if "found" in read else masked(one_line(said(read)), secrets_of(play))
    return backup_status(seen, named, unread)._asdict()


def _scheduled_backup_hosts(play: Play) -> list[str]:
    """Hosts whose timer needs the password of admin: those that were seen to have one, and the one that is named."""
    named = str(play.value("wa_backup_host") or "")
    # What of one outside the play there is, nobody has read; where it has no timer, nothing is done.
    others = [named] if named in (play.groups.get("all") or ()) and named not in play.hosts else []
    return [host["name"] for host in observed_of(play) if host.get("backup_timer")] + others


def _backup_notes(play: Play) -> list[str]:
    """Hosts that could not be read: a backup comes from the API, and is whole without them."""
    text = "{0} could not be read ({1}); the backup is whole, as it comes from one webapp."
    return [text.format(host, why) for host, why in unread_hosts_of(play).items()]


FACTS: dict[str, t.Callable[[Play], t.Any]] = {
    "backup_notes": _backup_notes,
    "backup_status": _backup_status,
    "scheduled_backup_hosts": _scheduled_backup_hosts,
    "removal_stores": _removal_stores,
    "to_declare": _to_declare,
    "observed": observed_of,
    "image_lives": lambda play: [life.works_until for life in _image_lives(play)],
    "image_warnings": _image_warnings,
    "images_expired": _images_expired,
    "running": _running,
    "unread_hosts": unread_hosts_of,
    "spared_hosts": spared_of,
    "webapps_here": _webapps_here,
    "nodes_to_run": _nodes_to_run,
    "database_to_run": _database_to_run,
    "left_out": lambda play: play.left_out,
    "unseen_hosts": _unseen_hosts,
    "known_nodes": known_nodes_of,
    "failures": _failures,
    "has_api": lambda play: preflight.has_api(observed_of(play)),
    "database_readable": _database_readable,
    "removed": _removed,
}
