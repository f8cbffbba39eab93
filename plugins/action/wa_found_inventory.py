# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what was found, on the controller; documented in plugins/modules/wa_found_inventory.py."""

from __future__ import annotations

import os
import typing as t

from ansible.parsing.vault import VaultLib
from ansible.plugins.action import ActionBase
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, outcome
from ansible_collections.waent.fleet.plugins.modules.wa_found_inventory import ARGUMENTS, CODE, described
from ansible_collections.waent.fleet.plugins.plugin_utils import inventory_files


class ActionModule(ActionBase):
    """Module wa_found_inventory."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _spec, params = self.validate_argument_spec(argument_spec=ARGUMENTS)
        inventory, problems = described(params)
        found: dict[str, t.Any] = {"lines": [], "files": [], "missing": []}
        if inventory is not None:
            directory = os.path.abspath(os.path.expanduser(params["directory"]))
            found["missing"] = list(inventory.missing)
            try:
                written, problems = self._written(directory, inventory_files.rendered(inventory))
            except OSError as error:
                problems = [_not_written(directory, error)]
            else:
                found.update(written, lines=[*inventory.notes, *written["lines"]])
        result.update(outcome(CODE, problems, found))
        return result

    def _written(self, directory: str, files: t.Mapping[str, str]) -> tuple[dict[str, t.Any], list[Problem]]:
        """What became of the files. Raises OSError."""
        needed, problems = inventory_files.outcome_of(directory, files)
        paths = [os.path.join(directory, name) for name in files]
        if problems or not needed:
            return {"files": [], "lines": ["{0} says so already.".format(directory)]}, problems
        if self._task.check_mode:
            return {"changed": True, "files": paths, "lines": ["It would be written to {0}.".format(directory)]}, []
        sealed = inventory_files.write(directory, files, self._sealed)
        how = "encrypted" if sealed else "not encrypted, readable for you only"
        line = "Written to {0}; its secrets are in {1}, {2}.".format(directory, inventory_files.VAULT, how)
        return {"changed": True, "files": paths, "lines": [line]}, []

    def _sealed(self, text: str) -> str | None:
        """Encrypted with the first vault password of this run; None where it has none."""
        secrets = getattr(getattr(self._loader, "_vault", None), "secrets", None) or []
        return VaultLib(secrets).encrypt(text).decode() if secrets else None


def _not_written(directory: str, error: OSError) -> Problem:
    message = "into is {0}, where no inventory can be written ({1}).".format(directory, error.strerror or error)
    return Problem("INVENTORY_NOT_WRITTEN", message, "into", directory)
