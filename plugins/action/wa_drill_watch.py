# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs wa_drill_watch, on the controller as its user; documented in plugins/modules/wa_drill_watch.py."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.plugin_utils.controller_action import ControllerAction


class ActionModule(ControllerAction):
    """Module wa_drill_watch."""
