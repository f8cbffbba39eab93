# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A refusal as a failed module. Internal to waent.fleet: may change in any release.

Apart from failures of the API: modules that never call it leave its client on the controller.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal


class Fails(t.Protocol):
    """The part of an Ansible module that is needed here."""

    def fail_json(self, msg: str, **kwargs: t.Any) -> t.NoReturn:
        """Ends the process."""


def end(module: Fails, shown: t.Mapping[str, t.Any], result: t.Mapping[str, t.Any]) -> t.NoReturn:
    """Ends the module. shown: C({code, message, details})."""
    module.fail_json(msg=shown["message"], failure=dict(shown), **result)


def refuse(module: Fails, refusal: Refusal, **result: t.Any) -> t.NoReturn:
    """Ends the module with the sentence, C(failure) and whatever else the module always returns."""
    end(module, refusal.as_failure(), result)
