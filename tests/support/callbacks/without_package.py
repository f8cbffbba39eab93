# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has the controller run as where a Python package is not installed."""

from __future__ import annotations

DOCUMENTATION = r"""
name: without_package
type: notification
short_description: Have an import fail
description:
  - For tests of what is said where a package is missing that only some need.
options:
  package:
    description: Name of the module that cannot be imported.
    type: str
    required: true
    env: [{name: WITHOUT_PACKAGE}]
"""

import sys
import typing as t

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Takes the module away before any play begins."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "without_package"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        """Processes of tasks are forked after this."""
        sys.modules[self.get_option("package")] = None  # type: ignore[assignment]
