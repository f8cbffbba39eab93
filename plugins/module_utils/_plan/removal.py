# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes when a cluster is removed from a host, in which order, and what stays. Internal to waent.fleet. Pure.

C(observed) is the structure that wa_host_info returns as C(host). Ours is what has the cluster's label. Of that, what
containers of others use stays as well: a network is taken from nobody, and nobody's data goes.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.waent.fleet.plugins.module_utils._check.host import Observed, engine_problems, unread_problem
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, summary
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import may_hold

ORDER = ("webapp", "coreapp", "schema-upgrade", "master", "other", "database")
"""Traffic ends at the front first, the database goes last."""


@dataclass(frozen=True)
class Removal:
    """What goes from a host, in this order: containers and volumes by name, networks as C({name, id}).

    stays: one text for each thing of the cluster that does not go: what, and why.
    """

    containers: tuple[str, ...] = ()
    networks: tuple[dict[str, str], ...] = ()
    volumes: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()

    @property
    def anything(self) -> bool:
        """Whether there is anything to remove."""
        return bool(self.containers or self.networks or self.volumes)

    def as_dict(self) -> dict[str, t.Any]:
        """The shape modules return: C({containers, networks, volumes, stays})."""
        return {key: list(value) for key, value in asdict(self).items()}

    def sentences(self, host: str) -> list[str]:
        """For the reader: one line for each thing that goes, and for each that stays."""
        return (
            ["{0}: container {1}".format(host, name) for name in self.containers]
            + ["{0}: network {1}".format(host, network["name"]) for network in self.networks]
            + ["{0}: volume {1}, with its data".format(host, name) for name in self.volumes]
            + ["{0}: stays: {1}".format(host, text) for text in self.stays]
        )


def plan_removal(observed: Observed, cluster: str, with_data: bool) -> Removal:
    """What goes from one host. with_data: the volumes as well."""
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
            if users:
                stays.append("volume {0}, used by {1}".format(volume["name"], ", ".join(users)))
            elif with_data:
                volumes.append(volume["name"])
            else:
                text = "volume {0}, which holds data ({1} removes it)"
                stays.append(text.format(volume["name"], instruction("data_stays")))
    ours.sort(key=lambda container: (_rank(container["kind"]), container["name"]))
    return Removal(tuple(c["name"] for c in ours), tuple(networks), tuple(volumes), tuple(stays))


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


def planned_changes(cluster: str, plans: t.Mapping[str, Removal], unread: t.Mapping[str, Problem]) -> list[str]:
    """The lines to show before anything is removed: what goes, what stays, and what cannot be read. plans: by host."""
    going = any(plan.anything for plan in plans.values())
    head = "Of cluster {0} this goes:" if going else "Of cluster {0} nothing was found that goes."
    lines = [head.format(cluster)]
    lines += ["  " + sentence for name, plan in plans.items() for sentence in plan.sentences(name)]
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


def _unread(host: str, failure: t.Mapping[str, t.Any]) -> Problem:
    if failure.get("code"):
        return unread_problem(host, failure)
    said = str(failure.get("message") or "").strip()
    why = " ({0})".format(said.splitlines()[-1].rstrip(". ")) if said else ""
    return Problem("HOST_NOT_READ", "The host could not be read{0}.".format(why), None, None, host)
