# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that wa_report names. Internal to waent.fleet: may change any time."""

from __future__ import annotations

import json
import os
import tempfile
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem

READABLE_BY_ALL = 0o644


def write_whole(path: str, document: t.Mapping[str, t.Any]) -> None:
    """In one piece: whoever reads the file meets the old document or the new one. Raises OSError."""
    path = os.path.expanduser(path)
    directory = os.path.dirname(os.path.abspath(path))
    handle, beside = tempfile.mkstemp(dir=directory, prefix=".wa-report-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2, sort_keys=True)
            file.write("\n")
        os.chmod(beside, READABLE_BY_ALL)
        os.replace(beside, path)
    except OSError:
        os.unlink(beside)
        raise


def not_written(path: str, error: OSError) -> Problem:
    """Why there is no report."""
    message = "wa_report is {0}, which could not be written ({1}).".format(path, error.strerror)
    return Problem("REPORT_NOT_WRITTEN", message, "wa_report", path)
