# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of a drill: what it has left, and what came of it."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.plugin_utils.facts.play import Play, Values, observed_of


def _drill_left(play: Play) -> list[str]:
    """Hosts of the play on which a drill has not restored yet what it broke."""
    return [host["name"] for host in observed_of(play) if host.get("drill")]


def _drill_not_prepared(play: Play) -> list[str]:
    """Hosts of the play on which the script that restores what a drill breaks was not written."""
    written = play.results("__wa_drill_script")
    return [host for host, result in written.items() if result.get("failed") or not result.get("changed")]


def _drill_outcome(play: Play) -> Values:
    """What came of a drill, from the hosts that it was about, as wa_drill_report takes it."""

    def found(name: str) -> list[Values]:
        results = (play.facts(host, name) for host in play.groups.get("_wa_drill") or ())
        return [result for result in results if result]

    return {
        "watched": next(iter(found("__wa_watched")), {}),
        "break_results": found("__wa_not_broken"),
        "results": [*found("__wa_restore"), play.result("__wa_not_proved")],
    }


FACTS: dict[str, t.Callable[[Play], t.Any]] = {
    "drill_left": _drill_left,
    "drill_not_prepared": _drill_not_prepared,
    "drill_outcome": _drill_outcome,
}
