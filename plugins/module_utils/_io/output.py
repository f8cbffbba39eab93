# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The output of a command as it comes, with a deadline and without keeping it. Internal to waent.fleet.

C(run_command) of Ansible keeps all that a command writes; a log may be larger than the memory.
"""

from __future__ import annotations

import os
import select
import subprocess
import tempfile
import time
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._io.command import end

BLOCK = 65536
REASON_BYTES = 2000


class Late(Exception):
    """The time was over before the command was."""


class Output:
    """What a command writes to its standard output, to be read like a file.

    Its words on the standard error go to C(reason). together: both are read, in the order in which they are written.
    The command never outlives C(with). Raises Late in C(read) when the deadline, by C(time.monotonic), has passed.
    """

    def __init__(self, argv: t.Sequence[str], deadline: float, *, together: bool = False) -> None:
        self._deadline = deadline
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed with this object)
        self._process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if together else self._errors,
            start_new_session=True,
        )
        self._left = b""

    def __enter__(self) -> Output:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._process.poll() is None:
            end(self._process)
        t.cast(t.IO[bytes], self._process.stdout).close()
        self._errors.close()

    def read(self, size: int = BLOCK) -> bytes:
        """So many bytes, less at the end, and before the deadline has passed."""
        stream = t.cast(t.IO[bytes], self._process.stdout)
        while len(self._left) < size:
            seconds = self._deadline - time.monotonic()
            if seconds <= 0 or not select.select([stream], [], [], seconds)[0]:
                if self._left:
                    break
                raise Late()
            block = os.read(stream.fileno(), BLOCK)
            if not block:
                break
            self._left += block
        found, self._left = self._left[:size], self._left[size:]
        return found

    def end(self) -> int:
        """The exit code, once everything was read. Raises Late."""
        try:
            return self._process.wait(max(0.0, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise Late() from None

    @property
    def reason(self) -> str:
        """The last line on the standard error."""
        self._errors.seek(0)
        lines = self._errors.read(REASON_BYTES).decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""
