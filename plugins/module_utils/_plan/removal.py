# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes when a cluster is removed from a host, in which order, and what stays. Internal to waent.fleet. Pure.

C(observed) is the structure that wa_host_info returns as C(host). Ours is what has the cluster's label. Of that, what
containers of others use stays as well: a network is taken from nobody, and nobody's data goes. The volume of the
database goes only to somebody who has named it: the registration and all messages are in there.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.waent.fleet.plugins.module_utils._check.host import Observed, engine_problems, unread_problem
from ansible_collections.waent.fleet.plugins.module_utils._check.media_share import same_source
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, summary
from ansible_collections.waent.fleet.plugins.module_utils._common.text import enumerate_all
from ansible_collections.waent.fleet.plugins.module_utils._desired.db_ssl import VOLUME as DB_SSL_VOLUME
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import may_hold
from ansible_collections.waent.fleet.plugins.module_utils._state.mounts import SHORT_ID

ORDER = ("webapp", "coreapp", "schema-upgrade", "master", "other", "database")
"""Traffic ends at the front first, the database goes last."""

STAGES = (("webapp",), ("coreapp", "schema-upgrade"), ("master", "other"), ("database",))
"""What goes from all hosts before anything of the next is touched: no node is left that needs one that is gone."""

PIN_STAYS_LIMITED = "the authority of the API that is pinned in {0}, as hosts of the cluster were left out (--limit)"
PIN_STAYS_UNREAD = (
    "the authority of the API that is pinned in {0}, as the cluster may go on where nothing could be read"
)
PIN_STAYS_DATA = "the authority of the API that is pinned in {0} ({1} removes it)"
PIN_STAYS_DATABASE = "the authority of the API that is pinned in {0}, as the database stays, which has its key"


@dataclass(frozen=True)
class Asked:
    """What is to go beside containers and networks, or beside the hosts of an environment on AWS.

    data: volumes, and on AWS media and logs. database: the volume of the database that somebody has named, or its
    instance on RDS; empty where nobody has.
    """

    data: bool = False
    database: str = ""


@dataclass(frozen=True)
class Stores:
    """What the inventory says of the volumes of a host: that of a database, and those that nodes have for other things.

    server: where the database is that the inventory has, if it is none of ours; empty otherwise.
    """

    database: str = ""
    others: t.Tuple[str, ...] = ()
    server: str = ""

    @classmethod
    def from_option(cls, option: t.Mapping[str, t.Any]) -> Stores:
        """From the form in which modules get it."""
        others = tuple(str(name) for name in option.get("others") or ())
        return cls(str(option.get("database") or ""), others, str(option.get("server") or ""))


NOTHING_KNOWN = Stores()


@dataclass(frozen=True)
class Removal:
    """What goes from a host, in this order: containers and volumes by name, networks as C({name, id}), files by path.

    timers: by name. shares: media shares that are unmounted, as C({source, path}). stages: the same containers, as
    C(STAGES) has them. stays: one text for each thing of the cluster that does not go: what, and why.
    """

    containers: tuple[str, ...] = ()
    networks: tuple[dict[str, str], ...] = ()
    volumes: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    timers: tuple[str, ...] = ()
    stages: tuple[tuple[str, ...], ...] = ()
    shares: tuple[dict[str, str], ...] = ()

    @property
    def anything(self) -> bool:
        """Whether there is anything to remove."""
        return bool(self.containers or self.networks or self.volumes or self.files or self.timers or self.shares)

    def as_dict(self) -> dict[str, t.Any]:
        """The shape modules return: C({containers, networks, volumes, stays, files, timers, stages, shares})."""
        return {key: list(value) for key, value in asdict(self).items()}

    def sentences(self, host: str) -> list[str]:
        """For the reader: one line for each thing that goes, and for each that stays."""
        return (
            ["{0}: container {1}".format(host, name) for name in self.containers]
            + ["{0}: network {1}".format(host, network["name"]) for network in self.networks]
            + ["{0}: volume {1}, with its data".format(host, name) for name in self.volumes]
            + ["{0}: the script {1}, with which a drill was to be restored".format(host, path) for path in self.files]
            + [
                "{0}: the timer {1}, with all that it needs; its backups stay".format(host, name)
                for name in self.timers
            ]
            + [
                "{0}: the mount of the media share {source} at {path}, and its line in fstab; its files stay".format(
                    host, **share
                )
                for share in self.shares
            ]
            + ["{0}: stays: {1}".format(host, text) for text in self.stays]
        )


def plan_removal(observed: Observed, cluster: str, asked: Asked, stores: Stores = NOTHING_KNOWN) -> Removal:
    """What goes from one host."""
    ours = [container for container in observed["containers"] if container["cluster"] == cluster]
    others = [container for container in observed["containers"] if container["cluster"] != cluster]
    going = {container["name"] for container in ours}
    networks, volumes, stays = [], [], []
    for network in observed["networks"]:
        if network["cluster"] == cluster:
            users = network_users(network, others, going)
            if users:
                stays.append("network {0}, used by {1}".format(network["name"], ", ".join(users)))
            else:
                networks.append({"name": network["name"], "id": network["id"] or network["name"]})
    for volume in observed["volumes"]:
        if volume["cluster"] == cluster:
            users = volume_users(volume, others)
            is_database = of_the_database(volume, ours, stores)
            if users:
                stays.append("volume {0}, used by {1}".format(volume["name"], ", ".join(users)))
            elif asked.data and (not is_database or volume["name"] == asked.database):
                volumes.append(volume["name"])
            else:
                stays.append(_stays(volume["name"], is_database))
    shares, kept = _shares(observed, ours, others)
    stays += kept
    ours.sort(key=lambda container: (_rank(container["kind"]), container["name"]))
    stages = tuple(tuple(c["name"] for c in ours if _stage(c["kind"]) == stage) for stage in STAGES)
    drill = observed.get("drill") or {}
    files = (drill["path"],) if drill else ()
    timers = (observed["backup_timer"],) if observed.get("backup_timer") else ()
    names = tuple(container["name"] for container in ours)
    return Removal(names, tuple(networks), tuple(volumes), tuple(stays), files, timers, stages, shares)


def _shares(
    observed: Observed, ours: t.Sequence[t.Mapping[str, t.Any]], others: t.Sequence[t.Mapping[str, t.Any]]
) -> tuple[tuple[dict[str, str], ...], list[str]]:
    """The media share of the inventory, where it is mounted or has a line in fstab; and what of it stays, and why.

    What else is mounted at its path was not mounted by this collection.
    """
    seen = observed.get("media_share")
    if not seen:
        return (), []
    source, path, mount = seen["source"], seen["path"], seen["mount"]
    if mount and not same_source(mount["source"], source):
        return (), []
    if not mount and not any(same_source(line[0], source) for line in seen["fstab"]):
        return (), []
    users = set(volume_users({"name": path, "path": path}, others))
    going = {container["id"][:SHORT_ID] for container in ours}
    by_id = {container["id"][:SHORT_ID]: container["name"] for container in others}
    for name, container in zip(seen["users"], seen["containers"]):
        if container not in going:
            users.add(by_id.get(container, name))
    if users:
        return (), ["media share {0} at {1}, used by {2}".format(source, path, ", ".join(sorted(users)))]
    return ({"source": source, "path": path},), []


def _stays(name: str, is_database: bool) -> str:
    if is_database:
        text = "volume {0}, the database, with the registration and all messages ({1} removes it)"
        return text.format(name, instruction("database_stays", database=name))
    return "volume {0}, which holds data ({1} removes it)".format(name, instruction("data_stays"))


def of_the_database(
    volume: t.Mapping[str, t.Any], ours: t.Iterable[t.Mapping[str, t.Any]], stores: Stores = NOTHING_KNOWN
) -> bool:
    """Whether a volume of the cluster holds its database, or may.

    Who has it mounted shows that; where the containers are gone, the inventory. Of one that neither knows, as after
    wa_database_volume was changed, nobody knows that it does not.
    """
    kinds = {one["kind"] for one in ours if volume_users(volume, [one])}
    if "database" in kinds or volume["name"] == stores.database:
        return True
    return not kinds and volume["name"] not in stores.others and DB_SSL_VOLUME not in volume["name"]


def databases(hosts: t.Iterable[Observed], cluster: str, stores: t.Mapping[str, Stores]) -> list[tuple[str, str]]:
    """C((volume, host)) of every database of the cluster that is there."""
    found = []
    for host in hosts:
        ours = [container for container in host["containers"] if container["cluster"] == cluster]
        known = stores.get(host["name"], NOTHING_KNOWN)
        found += [
            (str(volume["name"]), str(host["name"]))
            for volume in host["volumes"]
            if volume["cluster"] == cluster and of_the_database(volume, ours, known)
        ]
    return sorted(found)


def database_problems(
    asked: Asked, hosts: t.Iterable[Observed], cluster: str, stores: t.Mapping[str, Stores]
) -> list[Problem]:
    """What is wrong with the name of a database that is to go. Nothing may go by a name that means something else."""
    if not asked.database:
        return []
    if not asked.data:
        return [no_data_problem(asked, instruction("data_stays"))]
    of_inventory = {(known.database, host) for host, known in stores.items() if known.database}
    found = sorted(of_inventory.union(databases(hosts, cluster, stores)))
    volumes = [one for one in found if not one[0].startswith("/")]
    if asked.database in {volume for volume, _host in volumes}:
        return []
    if volumes:
        named = ["{0} on {1}".format(*one) for one in volumes]
        message = "wa_remove_database is {0}; allowed is the volume that holds the database of cluster {1}: {2}."
        return [wrong_name_problem(message.format(asked.database, cluster, enumerate_all(named)), asked)]
    where = ["the path {0} on {1}".format(*one) for one in found]
    where = where or sorted({known.server for known in stores.values() if known.server}) or ["no host that was read"]
    message = (
        "wa_remove_database is {0}, and no volume holds the database of cluster {1}: it is on {2}, where nothing is"
        " removed. Leave the argument out, and remove the database there by hand."
    )
    return [wrong_name_problem(message.format(asked.database, cluster, enumerate_all(where)), asked)]


def no_data_problem(asked: Asked, way_on: str) -> Problem:
    """Somebody named the database, and did not say that data goes. way_on: the arguments that say so."""
    message = "wa_remove_database is {0}, and data stays as long as nobody wants it removed; add {1} if it is meant."
    return wrong_name_problem(message.format(asked.database, way_on), asked)


def wrong_name_problem(message: str, asked: Asked) -> Problem:
    """What is wrong with the name of a database that is to go."""
    return Problem("WA_REMOVE_DATABASE", message, "wa_remove_database", asked.database)


def _stage(kind: str | None) -> tuple[str, ...]:
    name = ORDER[_rank(kind)]
    return next(stage for stage in STAGES if name in stage)


def _rank(kind: str | None) -> int:
    return ORDER.index(kind if kind in ORDER else "other")


def network_users(
    network: t.Mapping[str, t.Any], others: t.Iterable[t.Mapping[str, t.Any]], going: t.Container[str]
) -> list[str]:
    """Who else is connected, or would be at its next start."""
    stopped = {container["name"] for container in others if network["name"] in container["networks"]}
    return sorted(stopped | {name for name in network["endpoints"] if name not in going})


def volume_users(volume: t.Mapping[str, t.Any], others: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """Who else has it mounted, by name or by its path on the host, running or not."""
    path = volume["path"]
    return sorted(
        container["name"]
        for container in others
        if any(
            source == volume["name"] or (path and source and (source + "/").startswith(path.rstrip("/") + "/"))
            for source in container["mounts"].values()
        )
    )


def pin_stays(path: str, asked: Asked, limited: bool, unread: t.Sized, database: bool) -> str:
    """Why the authority that is pinned on the controller stays; empty where it goes. It is needed while a webapp lives,
    and for the next one that starts on the same database.

    limited: whether hosts of the cluster are left out. database: whether a database of the cluster stays on a host.
    """
    if limited:
        return PIN_STAYS_LIMITED.format(path)
    if unread:
        return PIN_STAYS_UNREAD.format(path)
    if not asked.data:
        return PIN_STAYS_DATA.format(path, instruction("data_stays"))
    return PIN_STAYS_DATABASE.format(path) if database else ""


def planned_changes(
    cluster: str, plans: t.Mapping[str, Removal], unread: t.Mapping[str, Problem], pin: t.Sequence[str] = ()
) -> list[str]:
    """The lines to show before anything is removed: what goes, what stays, and what cannot be read. plans: by host.

    pin: the path of the authority that is pinned here, and why it stays; empty where nothing is pinned.
    """
    going = any(plan.anything for plan in plans.values()) or (bool(pin) and not pin[1])
    head = "Of cluster {0} this goes:" if going else "Of cluster {0} nothing was found that goes."
    lines = [head.format(cluster)]
    lines += ["  " + sentence for name, plan in plans.items() for sentence in plan.sentences(name)]
    if pin:
        path, why = pin
        lines.append("  here: " + ("stays: " + why if why else "the authority of the API that is pinned in " + path))
    if unread:
        lines.append("What cannot be read is left as it is:")
    return lines + ["  " + summary([problem]) for problem in unread.values()]


def refusal(problem: Problem) -> str:
    """The sentence with which a run ends for a host of which nobody knows what the cluster has there."""
    message = "Nothing was removed from {0}: what the cluster has there is still there. Fix this and run {1}.\n{2}"
    return message.format(problem.host, instruction("nothing_removed"), summary([problem]))


def unread_hosts(observed: t.Iterable[Observed], expected: t.Mapping[str, t.Mapping[str, t.Any]]) -> dict[str, Problem]:
    """Hosts of which nobody knows what the cluster has there, with the reason: there may be everything.

    expected: by host C({code, message}) of the failure to read it. Without a code it is Ansible's message.
    """
    found: dict[str, Problem] = {}
    seen = {host["name"]: host for host in observed}
    for name, failure in expected.items():
        host = seen.get(name)
        if host is None:
            found[name] = _unread(name, failure)
        elif engine_problems(host):
            found[name] = engine_problems(host)[0]
        elif may_hold(host["engine"]):
            found[name] = Problem("ENGINE_STOPPED", "Docker Engine is stopped; start it.", None, None, name)
    return found


def left_over(
    before: t.Iterable[str],
    after: t.Sequence[Observed],
    failures: t.Mapping[str, t.Mapping[str, t.Any]],
    cluster: str,
    asked: Asked,
    stores: t.Mapping[str, Stores] | None = None,
) -> dict[str, Problem]:
    """By host what is still there that was to go, or that nobody knows. before: the hosts from which something was.

    after: hosts as they were read again. failures: by host C({code, message}) of the failure to read it, or to remove.
    """
    found = {}
    seen = {host["name"]: host for host in after}
    unread = unread_hosts(after, {name: failures.get(name) or {} for name in before})
    for name in before:
        why = str((failures.get(name) or {}).get("message") or "").strip()
        because = " ({0})".format(" ".join(why.split()).rstrip(".")) if why else ""
        if name in unread:
            text = "Whether it is gone is unknown: {0}".format(unread[name].message)
            found[name] = Problem("REMOVAL_UNKNOWN", text, None, None, name)
            continue
        left = plan_removal(seen[name], cluster, asked, (stores or {}).get(name, NOTHING_KNOWN))
        if left.anything:
            things = [
                *left.containers,
                *(network["name"] for network in left.networks),
                *left.volumes,
                *left.files,
                *left.timers,
                *(share["path"] for share in left.shares),
            ]
            text = "Still there: {0}{1}.".format(", ".join(things), because)
            found[name] = Problem("REMOVAL_INCOMPLETE", text, None, None, name)
    return found


def result_lines(before: t.Iterable[str], unread: t.Iterable[str], left: t.Container[str]) -> list[str]:
    """What to say at the end: where it is done, and where it is not. Of what was not there nothing is said."""
    done = [name for name in before if name not in left]
    open_ = [*(name for name in before if name in left), *unread]
    lines = ["Removed, and read again to see that it is gone: {0}.".format(", ".join(done))] if done else []
    if open_:
        text = "Not done: {0}; run {1} when this is fixed. What is done already is left out then."
        lines.append(text.format(", ".join(open_), instruction("nothing_removed")))
    return lines


def _unread(host: str, failure: t.Mapping[str, t.Any]) -> Problem:
    if failure.get("code"):
        return unread_problem(host, failure)
    said = str(failure.get("message") or "").strip()
    why = " ({0})".format(said.splitlines()[-1].rstrip(". ")) if said else ""
    return Problem("HOST_NOT_READ", "The host could not be read{0}.".format(why), None, None, host)
