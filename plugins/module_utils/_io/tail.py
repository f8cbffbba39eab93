# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of what is written, of a size that is given: the newest lines of a log. Internal to waent.fleet."""

from __future__ import annotations

import os
import typing as t

BLOCK = 65536


class Tail:
    """Takes bytes and keeps the last C(size) of them on disk, in two files at C(path) that take turns.

    Never more than twice that much lies there. C(dropped): so many bytes are not there any more.
    """

    def __init__(self, path: str, size: int) -> None:
        self._paths = [path + ".a", path + ".b"]
        self._size = max(size, 1)
        self._written = [0, 0]
        self._turn = 0
        self.total = 0

    def write(self, block: bytes) -> None:
        """More."""
        self.total += len(block)
        while block:
            room = self._size - self._written[self._turn]
            if room == 0:
                self._turn = 1 - self._turn
                self._written[self._turn] = 0
                continue
            part, block = block[:room], block[room:]
            with open(self._paths[self._turn], "ab" if self._written[self._turn] else "wb") as file:
                file.write(part)
            self._written[self._turn] += len(part)

    def blocks(self) -> t.Iterator[bytes]:
        """What is kept, in order; then nothing lies there any more."""
        skip = max(0, sum(self._written) - self._size)
        for turn in (1 - self._turn, self._turn):
            if not self._written[turn]:
                continue
            with open(self._paths[turn], "rb") as file:
                file.seek(min(skip, self._written[turn]))
                skip = max(0, skip - self._written[turn])
                yield from iter(lambda file=file: file.read(BLOCK), b"")  # type: ignore[misc]
            os.unlink(self._paths[turn])

    @property
    def dropped(self) -> int:
        """How much of the beginning is not kept."""
        return max(0, self.total - self._size)
