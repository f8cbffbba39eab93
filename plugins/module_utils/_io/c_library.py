# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""System calls that Python has no function for, by the C library. Internal to waent.fleet: may change in any
release.
"""

from __future__ import annotations

import ctypes
import os
import typing as t


def call(name: str, *arguments: t.Any) -> None:
    """Call a function that returns 0 where it succeeds. Raises OSError; AttributeError where the library has none."""
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
