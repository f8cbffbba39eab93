# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The failover timers: shortened for switchovers, and what they are restored to. Internal to waent.fleet. Pure.

They are the application settings C(heartbeat_interval) and C(unhealthy_interval), in seconds (reference 3.6).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._plan.step import SHORTENED, Step

NAMES = ("heartbeat_interval", "unhealthy_interval")
PRODUCT = {"heartbeat_interval": 5, "unhealthy_interval": 30}
"""What the product comes with."""

Timers = t.Dict[str, int]


@dataclass(frozen=True)
class FailoverTimers:
    """shortened: during a switchover. restored: afterwards. left: a run that was killed has left some shortened."""

    shortened: Timers
    restored: Timers
    left: bool

    def as_dict(self) -> dict[str, t.Any]:
        """The shape modules return: C({shortened, restored, left})."""
        return {"shortened": self.shortened, "restored": self.restored, "left": self.left}


def failover_timers(
    shortened: t.Mapping[str, t.Any], declared: t.Mapping[str, t.Any], actual: t.Mapping[str, t.Any]
) -> FailoverTimers:
    """What the timers are restored to: the declared value, else the one that was read, else the product's.

    declared, actual: application settings, with others among them. One that was read and is exactly the shortened value
    was left by a run that was killed, maybe in the middle: nobody chose it.
    """
    short = {name: int(shortened[name]) for name in NAMES}
    read = {name: actual[name] for name in NAMES if name in actual}
    left = [name for name, value in read.items() if value == short[name]]
    restored = {
        name: declared.get(name, PRODUCT[name] if name in left else read.get(name, PRODUCT[name])) for name in NAMES
    }
    return FailoverTimers(short, restored, bool(left))


def timer_problems(steps: t.Iterable[Step], declared: t.Mapping[str, t.Any], unread: str) -> list[Problem]:
    """Why no switchover may begin: what was not read, and is not declared, could not be restored afterwards.

    declared: application settings. unread: why those of the cluster could not be read; empty where they were.
    """
    missing = [name for name in NAMES if name not in declared]
    if not unread or not missing or not any(step.action in SHORTENED for step in steps):
        return []
    message = (
        "The failover timers could not be read, so that they could not be restored after a switchover: {0} Run {2} when"
        " a master answers; to start those that are stopped, run {3}. Or declare {1} in wa_settings.".format(
            unread, " and ".join(missing), instruction("settings_unread"), instruction("settings_unread_start")
        )
    )
    return [Problem("SETTINGS_UNREAD", message, "wa_settings")]
