# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of several base URLs answers, found out at all of them at once. Internal to waent.fleet: may change.

A machine that is away costs the whole time limit, so those that are asked one after the other cost it as often as there
are machines away. A TLS handshake is enough: a process that is frozen takes connections, and never ends one.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import typing as t
from urllib.parse import urlsplit

from ansible_collections.waent.fleet.plugins.module_utils._io.tls import of_anybody

#: How a handshake ends: with TLS; not at all; with an error that a real call would meet, and name, as soon.
ANSWERS, SILENT, OTHER = "answers", "silent", "other"

HANDSHAKE_SECONDS = 5.0
"""So long a handshake takes at most. What is asked then may take longer: health, where other nodes are away."""


def first_to_answer(
    urls: t.Sequence[str], timeout: float, ask: t.Callable[[str, float], str] | None = None
) -> list[str]:
    """The URL that answered first, alone; where none does, those where a call would at least say what is wrong.

    Nobody is waited for once one has answered. Empty when all are silent.
    """
    ask = ask or handshake
    ends: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()

    def note(url: str) -> None:
        end = OTHER
        try:
            end = ask(url, timeout)
        finally:  # whatever happens, somebody waits for it
            ends.put((url, end))

    for url in urls:
        # Daemons: the process may end while the silent ones are still waited for.
        threading.Thread(target=note, args=(url,), daemon=True).start()
    others = []
    for _url in urls:
        url, end = ends.get()
        if end == ANSWERS:
            return [url]
        others += [url] if end == OTHER else []
    return others


def handshake(url: str, timeout: float) -> str:
    """Connects and agrees on TLS, without checking the certificate: what is wrong with that is said by a real call."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    address = (name, parts.port or 443)
    context = of_anybody(ssl.SSLContext)
    try:
        with socket.create_connection(address, timeout) as plain, context.wrap_socket(plain, server_hostname=name):
            return ANSWERS
    except (OSError, UnicodeError) as error:  # of TLS, of the connection, of the name
        return SILENT if isinstance(error, socket.timeout) or "timed out" in str(error) else OTHER
