# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers for wa_rotation in the controller's own process; documented in plugins/modules/wa_rotation.py."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.modules.wa_rotation import ARGUMENTS, CODE, answer
from ansible_collections.waent.fleet.plugins.plugin_utils.pure_action import PureAction


class ActionModule(PureAction):
    """Module wa_rotation: decides whether a secret can be rotated."""

    options = ARGUMENTS
    answer = staticmethod(answer)
    code = CODE
