# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that wa_report names. Internal to waent.fleet: may change any time."""

from __future__ import annotations

import datetime
import json
import os
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._io.whole_file import write_whole


def moment() -> str:
    """Now, as reports have it: in UTC."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_report(path: str, document: t.Mapping[str, t.Any]) -> None:
    """In one piece: whoever reads the file meets the old document or the new one. Raises OSError."""
    write_whole(os.path.expanduser(path), json.dumps(document, indent=2, sort_keys=True) + "\n")


def not_written(path: str, error: OSError) -> Problem:
    """Why there is no report."""
    message = "wa_report is {0}, which could not be written ({1}).".format(path, error.strerror)
    return Problem("REPORT_NOT_WRITTEN", message, "wa_report", path)
