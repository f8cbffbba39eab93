# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that a run goes on without, as wa_without_hosts names them. Internal to waent.fleet: may change. Pure.

A host that is dead is a fact. Who names it has the rest of the cluster planned as if it were not there; that it really
does nothing any more is checked before anything is changed, here by whether it answers Ansible, and in
C(_check/identity.py) by whether its nodes live.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import webapp_url
from ansible_collections.waent.fleet.plugins.module_utils._common.nearest import nearest
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.product import KINDS
from ansible_collections.waent.fleet.plugins.module_utils._common.table import SILENT_ERRORS
from ansible_collections.waent.fleet.plugins.module_utils._common.text import enumerate_all
from ansible_collections.waent.fleet.plugins.module_utils._desired.values import whole_number
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import BY_NAME

VARIABLE = "wa_without_hosts"

Groups = t.Mapping[str, t.Sequence[str]]


def may_be_left_out(unreachable: t.Iterable[str], left_out_so_far: t.Iterable[str], groups: Groups) -> list[str]:
    """The hosts to name for a run that goes on, without those that do not answer now; empty where it could not.

    A database cannot be spared, and neither can the last host of a kind.
    """
    found = [host for host in unreachable if host not in (groups.get("wa_database_hosts") or ())]
    names = list(dict.fromkeys([*left_out_so_far, *found]))
    return [] if not found or without_problems(names, groups) else names


def left_out(value: t.Any) -> list[str]:
    """The names in the variable, each once; none where it has no problem and names nobody."""
    return list(dict.fromkeys(value)) if isinstance(value, list) else []


def without_problems(value: t.Any, groups: Groups) -> list[Problem]:
    """Everything that is wrong with the variable; groups: of the inventory."""
    found = BY_NAME[VARIABLE].problems(value, is_needed=False)
    if found or not value:
        return found
    names, database = left_out(value), groups.get("wa_database_hosts") or ()
    known = list(dict.fromkeys([*(groups.get("wa_cluster") or ()), *database]))
    unknown = [name for name in names if name not in known]
    found = [_unknown(name, known) for name in unknown]
    found += [_database(name) for name in names if name in database]
    return found or [
        _nothing_left(kind, groups[_group(kind)])
        for kind in KINDS
        if groups.get(_group(kind)) and not set(groups[_group(kind)]) - set(names)
    ]


def _group(kind: str) -> str:
    return "wa_{0}_hosts".format(kind)


def _unknown(name: str, known: t.Sequence[str]) -> Problem:
    near = nearest(name, known)
    message = "{0} names {1}, which is no host of the group wa_cluster; {2}.".format(
        VARIABLE, name, "the nearest one is {0}".format(near) if near else "its hosts are " + enumerate_all(known)
    )
    return Problem("WITHOUT_HOST_UNKNOWN", message, VARIABLE, name)


def _database(name: str) -> Problem:
    message = (
        "{0} names {1}, which runs the database of the cluster (wa_database_hosts), and without that no node works;"
        " have the host back, or restore the database elsewhere.".format(VARIABLE, name)
    )
    return Problem("WITHOUT_DATABASE", message, VARIABLE, name)


def _nothing_left(kind: str, hosts: t.Sequence[str]) -> Problem:
    message = "{0} leaves no host that may run a {1}: {2} has {3} only; a cluster needs one of them back.".format(
        VARIABLE, kind, _group(kind), enumerate_all(hosts)
    )
    return Problem("WITHOUT_TOO_MANY", message, VARIABLE, list(hosts))


class Signs(t.NamedTuple):
    """Signs of life of a host that is left out: whether it answers Ansible, and the webapps on it that answer."""

    answers: bool
    webapps: tuple[str, ...] = ()


def signs_from(sign: t.Mapping[str, t.Any] | None, health: t.Mapping[str, t.Any] | None) -> Signs:
    """From the results of a ping and of wa_cluster_health; without one there was no sign.

    A webapp that refuses whoever asks lives.
    """
    webapps = (health or {}).get("webapps") or ()
    lives = [w["url"] for w in webapps if w["answers"] or (w["error"] or SILENT_ERRORS[0]) not in SILENT_ERRORS]
    return Signs(bool(sign) and not (sign or {}).get("unreachable"), tuple(lives))


def webapps_of(host: t.Mapping[str, t.Any], port: t.Any) -> list[str]:
    """Where the webapps of a host would answer; what really runs there is not known. port: the cluster's first one."""
    first, pin = whole_number(host.get("webapp_port")) or whole_number(port), whole_number(host["pins"].get("webapp"))
    if "webapp" not in host["kinds"] or first is None:
        return []
    ports = range(first, first + (1 if pin is None else pin))
    return [webapp_url({"api_address": host["api_address"], "ports": [one]}) for one in ports]


def answering_problems(signs: t.Mapping[str, Signs]) -> list[Problem]:
    """Hosts that are left out and answer: their nodes may run, and would be left behind. signs: by host."""
    message = (
        "{0} is left out ("
        + VARIABLE
        + "), but it answers; leave out its name, so that its nodes are part of the plan."
        " A host that is to run nothing any more is taken out of the inventory."
    )
    return [
        Problem("WITHOUT_HOST_ANSWERS", message.format(host), VARIABLE, host, host)
        for host, one in signs.items()
        if one.answers
    ]


def left_out_notes(hosts: t.Iterable[str]) -> list[Problem]:
    """For who reads the status of the cluster."""
    message = (
        "{0} is left out (" + VARIABLE + ") and does not answer: nothing is planned for it, and what is on it is not"
        " known."
    )
    return [Problem("HOST_LEFT_OUT", message.format(host), VARIABLE, host, host) for host in hosts]
