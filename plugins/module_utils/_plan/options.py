# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that the planning modules share; documented in the doc fragment C(plan). Internal. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._plan.timers import FailoverTimers, failover_timers


def plan_options() -> dict[str, t.Any]:
    """What was read and checked, and what the steps need to know."""
    return {
        "observed": {"type": "list", "elements": "dict", "required": True},
        "health": {"type": "dict", "default": {}},
        "checks": {"type": "list", "elements": "dict", "default": []},
        "settings": {"type": "dict", "default": {}},
        "settings_unread": {"type": "str", "default": ""},
        "declared_settings": {"type": "dict", "default": {}},
        "shortened_timers": {"type": "dict", "default": {"heartbeat_interval": 1, "unhealthy_interval": 3}},
        "shared_tokens": {"type": "bool", "default": True},
        "first": {"type": "int", "default": 1},
    }


def timers_from(params: t.Mapping[str, t.Any]) -> FailoverTimers:
    """The failover timers as the options say."""
    return failover_timers(params["shortened_timers"], params["declared_settings"], params["settings"])
