# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers for wa_placement in the controller's own process; documented in plugins/modules/wa_placement.py.

With C(check_variables) it reads what only the controller can: the play's variables, its clock and its files.
"""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._desired.settings import cert_problems, host_problems
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import switch_on, unknown_names
from ansible_collections.waent.fleet.plugins.modules.wa_placement import CODE, answer, argument_spec
from ansible_collections.waent.fleet.plugins.plugin_utils.pins import (
    PinFile,
    inventory_directory,
    pin_file,
    pin_problems,
)
from ansible_collections.waent.fleet.plugins.plugin_utils.play_variables import file_problems, read_variables
from ansible_collections.waent.fleet.plugins.plugin_utils.pure_action import PureAction


class ActionModule(PureAction):
    """Module wa_placement: decides which host runs which nodes."""

    options = argument_spec()
    answer = staticmethod(answer)
    code = CODE

    def prepared(self, params: dict[str, t.Any], task_vars: dict[str, t.Any]) -> tuple[dict[str, t.Any], list[str]]:
        """The options with what was read of the play, and warnings."""
        if not params["check_variables"]:
            return params, []
        reading = read_variables(task_vars, self._templar.template)
        misspelt, warnings = unknown_names(reading.names)
        today = datetime.datetime.now(datetime.timezone.utc).date()
        of_cert, expired = cert_problems(reading.given, today)
        directory = inventory_directory(task_vars.get("hostvars"), task_vars.get("groups") or {})
        file = pin_file(reading.given.get("api_ca_path"), reading.given.get("cluster_name"), directory)
        of_pin, soon = pin_problems(reading.given, file)
        # Once hosts are read, only status.yml can have come so far with what is pinned wrongly, and reports it itself.
        of_pin = [] if "running" in self._task.args else of_pin
        problems = [
            *reading.problems,
            *misspelt,
            *of_cert,
            *file_problems(reading.given, _made_later(reading.given, file)),
            *of_pin,
            *host_problems(reading.given, reading.of_hosts),
        ]
        in_its_place = {key: value for key, value in (params["settings"] or {}).items() if value is not None}
        given = {**reading.given, **in_its_place}
        found = [problem.as_dict() for problem in problems]
        return {**params, "settings": given, "problems": params["problems"] + found}, warnings + expired + soon


def _made_later(given: t.Mapping[str, t.Any], file: PinFile) -> list[str]:
    """Variables whose files site.yml makes where they are not there."""
    verifies = switch_on(given.get("validate_certs", True))
    return ["wa_api_ca_path"] if verifies and file.can_be_made else []
