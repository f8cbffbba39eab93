# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the work of wa_media_providers in the controller's own process; documented in plugins/modules."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.modules import wa_media_providers
from ansible_collections.waent.fleet.plugins.plugin_utils.controller_action import ControllerAction


class ActionModule(ControllerAction):
    """Module wa_media_providers."""

    module = wa_media_providers
