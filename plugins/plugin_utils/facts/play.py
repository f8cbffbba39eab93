# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A play as facts are made from it: its variables and results, its hosts, and what one host keeps for all."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.filter.inventory_hosts import inventory_hosts
from ansible_collections.waent.fleet.plugins.module_utils._desired.values import names_in
from ansible_collections.waent.fleet.plugins.plugin_utils.host_values import EveryHost, registered
from ansible_collections.waent.fleet.plugins.plugin_utils.play_variables import plain

Values = t.Dict[str, t.Any]


PARTS = {"__wa_identity": "__wa_desired.identity", "__wa_preflight": "__wa_desired.preflight"}
"""Results that are a part of another one."""


class Play:
    """The variables of a play and its hosts. template: fills templates in, as the play does."""

    def __init__(self, variables: t.Mapping[str, t.Any], template: t.Callable[[t.Any], t.Any]) -> None:
        self._variables = variables
        self._template = template
        self._filled: dict[str, t.Any] = {}
        self._inventory: list[Values] | None = None

    def value(self, name: str) -> t.Any:
        """A variable; None where there is none, and where it is null. Filled in once: most facts share some."""
        if name not in self._filled:
            found = self._variables.get(name)
            filled = None if found is None else self._template(found)
            self._filled[name] = None if filled is None else plain(filled)
        return self._filled[name]

    def readable(self, name: str) -> t.Any:
        """The same; None also where its template cannot be filled in, which wa_placement reports by itself."""
        try:
            return self.value(name)
        except Exception:  # Ansible has a family of errors for templates, another in each release.
            return None

    def values(self, names: t.Iterable[str]) -> Values:
        """Several variables by their names."""
        return {name: self.value(name) for name in names}

    def result(self, name: str) -> Values:
        """The registered result of a task; empty where it did not run.

        Nothing in it is a template, and it may be about all hosts: only one that a variable stands for is filled in.
        """
        found = self._variables.get(name)
        if isinstance(found, dict):
            return found
        # A variable of the roles stands for it, and would be filled in as a whole.
        whole, _dot, part = PARTS.get(name, name).partition(".")
        return self.result(whole).get(part) or {} if part else self.value(name) or {}

    @property
    def hosts(self) -> list[str]:
        """All hosts of the play, those that were lost as well."""
        return list(self._variables.get("ansible_play_hosts_all") or ())

    @property
    def groups(self) -> t.Mapping[str, t.Sequence[str]]:
        """The groups of the inventory."""
        return self._variables.get("groups") or {}

    @property
    def left_out(self) -> list[str]:
        """Hosts that the run goes on without: _validate.yml makes a group of those that wa_without_hosts names."""
        return list(self.groups.get("_wa_left_out") or ())

    def inventory(self) -> list[Values]:
        """Every host that may run nodes, or may not any more, as wa_placement takes it. Put together once."""
        if self._inventory is None:
            self._inventory = inventory_hosts(EveryHost(self.hostvars), self.groups, self.asked_to_drain)
        return self._inventory

    @property
    def hostvars(self) -> t.Any:
        """The variables of every host."""
        return self._variables["hostvars"]

    @property
    def asked_to_drain(self) -> list[str]:
        """Hosts that drain.yml was given, whatever the inventory says of them."""
        return names_in(self.readable("_wa_asked_to_drain") or ())

    def facts(self, host: str, name: str) -> t.Any:
        """What a task has set or registered for a host; None where there is nothing."""
        return registered(self.hostvars, host, name)

    def results(self, name: str) -> dict[str, Values]:
        """By host of the play what a task has registered; empty where it has nothing."""
        return {host: self.facts(host, name) or {} for host in self.hosts}

    def reads(self, hosts: t.Iterable[str]) -> dict[str, Values]:
        """By host the result of wa_host_info, in this order; empty where it has none."""
        return {host: self.facts(host, "__wa_host") or {} for host in hosts}


def token_of(play: Play) -> str:
    """The token of this run's session, which one host keeps for all; empty without one."""
    return kept_of(play, "_wa_session").get("token") or ""


def kept_of(play: Play, name: str) -> Values:
    """What one host keeps for all in this run; empty without it."""
    keeper = play.readable("_wa_session_keeper")
    found = play.facts(keeper, name) if keeper else None
    return found or {}


def observed_of(play: Play) -> list[Values]:
    return [read["host"] for read in play.reads(play.hosts).values() if read.get("host")]
