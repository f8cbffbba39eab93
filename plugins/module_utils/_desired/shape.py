# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that describe the shape of a cluster. Internal to waent.fleet: may change in any release. Pure.

Documented once as well: doc fragment C(shape). Types are raw where the refusal is ours: one place words it and gives
it its code.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.product import KINDS
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import Slot

PORTS = {kind + "_port": {"type": "raw"} for kind in KINDS}


def shape_options() -> dict[str, t.Any]:
    """Shards, survival, hosts, ports, and what exists."""
    host = {
        "name": {"type": "str", "required": True},
        "rack": {"type": "raw"},
        "address": {"type": "raw"},
        "api_address": {"type": "raw"},
        "kinds": {"type": "list", "elements": "str", "default": []},
        "pins": {"type": "dict", "default": {}},
        "drained": {"type": "raw"},
        **PORTS,
    }
    node = {
        "host": {"type": "str", "required": True},
        "kind": {"type": "str", "choices": sorted(KINDS), "required": True},
        "index": {"type": "int", "required": True},
        # What wa_host_info returns besides, so that its answer can be handed on as it is.
        "name": {"type": "str"},
        "state": {"type": "str"},
        "version": {"type": "str"},
    }
    return {
        "shards": {"type": "raw", "required": True},
        "survive": {"type": "raw"},
        "allow_no_ha": {"type": "bool", "default": False},
        "name_prefix": {"type": "raw"},
        **PORTS,
        "hosts": {"type": "list", "elements": "dict", "required": True, "options": host},
        "without": {"type": "list", "elements": "str", "default": []},
        "running": {"type": "list", "elements": "dict", "default": [], "options": node},
    }


def running_slots(params: t.Mapping[str, t.Any]) -> list[Slot]:
    """The nodes that exist, from option C(running)."""
    return [Slot(entry["host"], entry["kind"], entry["index"]) for entry in params["running"]]
