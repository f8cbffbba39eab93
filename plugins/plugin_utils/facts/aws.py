# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of hosts on AWS, and of how they are reached."""

from __future__ import annotations

import os
import shutil
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.aws import session_manager_problems
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import summary
from ansible_collections.waent.fleet.plugins.plugin_utils.facts.play import Play

PROGRAM = "session-manager-plugin"
USUAL = "/usr/local/bin/" + PROGRAM
"""Where amazon.aws.aws_ssm looks first."""


def _session_manager(play: Play) -> str:
    """Why Session Manager cannot be used from here, if it is the connection; empty where nothing is wrong."""
    named = play.readable("ansible_aws_ssm_plugin") or os.environ.get("AWS_SESSION_MANAGER_PLUGIN")
    program = shutil.which(str(named)) if named else shutil.which(USUAL) or shutil.which(PROGRAM)
    bucket = play.readable("ansible_aws_ssm_bucket_name")
    return summary(session_manager_problems(play.readable("ansible_connection"), bucket, program))


FACTS: dict[str, t.Callable[[Play], t.Any]] = {"session_manager": _session_manager}
