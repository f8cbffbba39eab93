# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules take that check a whole cluster: whose it is, its hosts, the ports between them."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check import ports
from ansible_collections.waent.fleet.plugins.module_utils._check.media_unshared import unshared_notes
from ansible_collections.waent.fleet.plugins.module_utils._common.failure_reason import masked, said
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import refusal_for
from ansible_collections.waent.fleet.plugins.module_utils._common.text import one_line
from ansible_collections.waent.fleet.plugins.module_utils._desired import access
from ansible_collections.waent.fleet.plugins.module_utils._desired.values import whole_number
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import switch_on
from ansible_collections.waent.fleet.plugins.module_utils._plan import preflight
from ansible_collections.waent.fleet.plugins.plugin_utils.facts.desired import REACH, nodes_of, secrets_of
from ansible_collections.waent.fleet.plugins.plugin_utils.facts.hosts import (
    signs_of,
    spared_of,
    unreachable_of,
    unread_of,
)
from ansible_collections.waent.fleet.plugins.plugin_utils.facts.media import (
    left_behind_of,
    media_changes_of,
    media_seen_of,
)
from ansible_collections.waent.fleet.plugins.plugin_utils.facts.play import Play, Values, observed_of

REPORTS = ("__wa_desired", "__wa_database", "__wa_first_room", "__wa_identity")
PORTS_CODE = "WA_PORTS_FAILED"


def _identity(play: Play) -> Values:
    reads = play.reads(play.groups.get("wa_cluster") or ())
    placed = play.result("__wa_desired")
    options = {
        "nodes": placed.get("nodes") or [],
        "inventory": play.inventory(),
        "left_out": signs_of(play),
        # Of every host that was read, also in a play for one of them.
        "hosts": [read["host"] for read in reads.values() if read.get("host")],
        "database": play.result("__wa_database").get("database") or {},
        "number": "{0}{1}".format(play.value("wa_cc") or "", play.value("wa_phone_number") or ""),
        "may_reshard": bool(play.value("_wa_may_reshard")),
        "name_prefix": play.value("wa_name_prefix"),
        "db_address": "{0}:{1}".format(play.value("wa_db_host"), play.value("wa_db_port")),
        "db_name_prefix": play.value("wa_db_name_prefix"),
    }
    return {**options, "shards": placed["shards"]} if placed.get("shards") else options


def unshared_of(play: Play) -> list[str]:
    """What is to be said of media that several hosts do not provably share."""
    return unshared_notes(observed_of(play), play.result("__wa_desired").get("nodes") or ())


def _emptied_by_run(play: Play, leaving: t.Sequence[t.Mapping[str, t.Any]]) -> bool:
    """Whether the hosts that are drained are so for this reshard, which empties them itself."""
    return bool(leaving) and {node["host"] for node in leaving} <= set(play.groups.get("wa_hosts_leaving") or ())


def _preflight(play: Play) -> Values:
    settings = play.value("wa_settings")
    api = {name: play.value("wa_" + name) for name in ("cc", "phone_number", "registration_method")}
    leaving = play.result("__wa_desired").get("leaving") or []
    return {
        "hosts": observed_of(play),
        "unread": unread_of(play),
        "unreachable": unreachable_of(play),
        "spared_hosts": spared_of(play),
        "sought_on": list(play.hosts) if play.value("_wa_adopts") else [],
        "nodes": nodes_of(play),
        "leaving": leaving,
        "drains": bool(play.value("_wa_drains")) or _emptied_by_run(play, leaving),
        "outages": [outage["sentence"] for outage in play.result("__wa_desired").get("worst_outages") or ()],
        "warnings": unshared_of(play),
        "media_share": media_changes_of(play),
        "reports": [
            *(play.result(name) for name in REPORTS),
            {"notes": access.unread_notes(play.values(REACH))},
            {"notes": left_behind_of(play)},
            {"problems": [one.as_dict() for seen in media_seen_of(play).values() for one in seen.problems]},
        ],
        "recreate_at_once": switch_on(play.value("wa_recreate_at_once")),
        "fix_engines": play.value("_wa_fix_engines") or [],
        "check_ports": switch_on(play.value("wa_check_ports")),
        "forks": whole_number(play.value("ansible_forks")) or 1,
        "started_engines": list(play.groups.get(preflight.ENGINE_STOPPED) or ()),
        "api": {
            **api,
            "register": switch_on(play.value("wa_register")),
            # Whatever is wrong with these is reported by wa_placement.
            "settings": settings if isinstance(settings, dict) else {},
            "health_timeout_seconds": whole_number(play.value("wa_health_timeout_seconds")),
        },
    }


def _ports(play: Play) -> Values:
    """What came of trying the ports: the refusal, and what stays unknown."""
    answers = [play.results(name) for name in ("__wa_listening", "__wa_tried", "__wa_seen")]
    found = ports.outcome(play.result("__wa_preflight")["ports"], *(_without_secrets(play, one) for one in answers))
    message = refusal_for(PORTS_CODE, found.problems).message if found.problems else ""
    started = list(play.groups.get(preflight.ENGINE_STOPPED) or ())
    return {"refusal": preflight.refusal(message, started), "notes": found.notes}


def _without_secrets(play: Play, results: dict[str, Values]) -> dict[str, Values]:
    """Results of which those that failed have their message in one line and nothing else."""
    failed = [host for host, result in results.items() if result.get("msg")]
    secrets = secrets_of(play) if failed else []
    return {**results, **{host: {"msg": masked(one_line(said(results[host])), secrets)} for host in failed}}


def _ports_part(action: str) -> t.Callable[[Play], Values]:
    """What the host that the task is about needs of the plan of ports."""

    def part(play: Play) -> Values:
        return ports.part_of(play.result("__wa_preflight")["ports"], str(play.value("inventory_hostname")), action)

    return part


def _ports_unclear(play: Play) -> list[str]:
    """The hosts whose listeners have to be asked; none where every port was reached."""
    plan = play.result("__wa_preflight")["ports"]
    unclear = ports.unclear(plan, play.results("__wa_listening"), play.results("__wa_tried"))
    return play.hosts if unclear else []


FACTS: dict[str, t.Callable[[Play], t.Any]] = {
    "identity": _identity,
    "preflight": _preflight,
    "media_notes": unshared_of,
    "ports": _ports,
    "ports_unclear": _ports_unclear,
    **{"ports_to_" + action: _ports_part(action) for action in ("listen", "try", "report")},
}
