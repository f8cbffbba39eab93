# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of nodes that compose files have started: what they are described from, and how their API is reached."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.failure_reason import said
from ansible_collections.waent.fleet.plugins.module_utils._desired import access
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import BY_NAME
from ansible_collections.waent.fleet.plugins.module_utils._plan import found_inventory
from ansible_collections.waent.fleet.plugins.module_utils._plan.adopt_result import compose_entry
from ansible_collections.waent.fleet.plugins.module_utils._state.found import adopted_nodes
from ansible_collections.waent.fleet.plugins.plugin_utils.facts import api
from ansible_collections.waent.fleet.plugins.plugin_utils.facts.hosts import unread_hosts_of
from ansible_collections.waent.fleet.plugins.plugin_utils.facts.play import Play, Values, observed_of
from ansible_collections.waent.fleet.plugins.plugin_utils.host_values import EveryHost
from ansible_collections.waent.fleet.plugins.plugin_utils.play_variables import plain


def _found(play: Play) -> Values:
    """What wa_found_inventory makes an inventory of."""
    reads = play.reads(play.hosts)
    given = play.results("__wa_node_environment")
    unread = [host for host, read in reads.items() if read.get("host") and "environments" not in given[host]]
    return {
        "hosts": [read["host"] for read in reads.values() if read.get("host")],
        "environments": {host: result.get("environments") or {} for host, result in given.items()},
        "addresses": {host: found_inventory.addresses_of(facts) for host, facts in _network_facts(play).items()},
        "variables": {host: _taken_over(play, host) for host in play.hosts},
        "given": _given(play),
        "database": play.result("__wa_database").get("database") or {},
        "unread": {**unread_hosts_of(play), **{host: said(given[host]) for host in unread}},
    }


def _network_facts(play: Play) -> dict[str, Values]:
    return {host: found.get("ansible_facts") or {} for host, found in play.results("__wa_network").items()}


def _taken_over(play: Play, host: str) -> Values:
    """What the user has set for a host, and is no secret."""
    values = EveryHost(play.hostvars)[host]
    names = (*found_inventory.CONNECTION, *found_inventory.OF_HOSTS)
    return {name: plain(values[name]) for name in names if name in values}


def _given(play: Play) -> Values:
    """What the user has set for the cluster: this play has the defaults of no role."""
    found = {name: play.readable(name) for name in BY_NAME if name not in found_inventory.OF_HOSTS}
    return {name: value for name, value in found.items() if value is not None}


def _found_access(play: Play) -> Values:
    """How the database is read of nodes that were found; nothing to connect to where that is not known."""
    found = _found(play)
    facts = {
        host["name"]: found_inventory.HostFacts(
            tuple(found["addresses"][host["name"]]), found["variables"][host["name"]]
        )
        for host in found["hosts"]
    }
    environments = {
        (host, name): values for host, nodes in found["environments"].items() for name, values in nodes.items()
    }
    variables = found_inventory.reading_access(found["hosts"], environments, facts, found["given"])
    return access.database_access(variables) if variables else {}


def _api_access_adopting(play: Play) -> Values:
    """For a plan where webapps of a compose file may run, which those that are placed come in the place of."""
    hosts = {host["name"]: str(host["api_address"]) for host in play.inventory()}
    found = [node for host in observed_of(play) for node in adopted_nodes(host)]
    webapps = [compose_entry(node, hosts) for node in found if node.kind == "webapp" and node.runs and node.ports]
    if not webapps:
        return t.cast(Values, api.FACTS["api_access_running"](play))
    running = [node for host in observed_of(play) for node in host["nodes"] if node["state"] == "running"]
    names = {(node["host"], node["name"]) for node in running}
    placed = play.result("__wa_desired").get("nodes") or ()
    return api.access_to(play, [*webapps, *(node for node in placed if (node["host"], node["name"]) in names)])


FACTS: dict[str, t.Callable[[Play], t.Any]] = {
    "api_access_adopting": _api_access_adopting,
    "found": _found,
    "found_access": _found_access,
}
