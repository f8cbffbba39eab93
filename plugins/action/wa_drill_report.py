# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers for wa_drill_report in the controller's own process; documented in plugins/modules/wa_drill_report.py."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.modules.wa_drill_report import ARGUMENTS, CODE, answer
from ansible_collections.waent.fleet.plugins.plugin_utils.pure_action import PureAction


class ActionModule(PureAction):
    """Module wa_drill_report: compares what was measured with what was predicted."""

    options = ARGUMENTS
    answer = staticmethod(answer)
    code = CODE
