# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are there as a whole or not at all. Internal to waent.fleet: may change in any release."""

from __future__ import annotations

import os
import tempfile

READABLE_BY_ALL = 0o644


def write_whole(path: str, text: str, mode: int = READABLE_BY_ALL) -> None:
    """In one piece: whoever reads the file meets what it was before, or all of this. Raises OSError.

    mode: of the file that is there then; until then nobody else reads it.
    """
    handle, beside = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(path)), prefix=".waent-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(beside, mode)
        os.replace(beside, path)
    except OSError:
        os.unlink(beside)
        raise
