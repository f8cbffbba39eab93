# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tries ports of other hosts, all at once. Internal to waent.fleet: may change in any release.

Where a node is to run, a process of ours answers (C(listener.py)): it says for whom it listens, and gets the name of
who came. One deadline holds for everything together, the look-up of names too. Needs the standard library only.
"""

from __future__ import annotations

import errno
import os
import resource
import selectors
import socket
import threading
import time
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.ports import (
    NO_NAME,
    NO_ROUTE,
    NOT_TRIED,
    OTHER,
    REFUSED,
    SILENT,
    Target,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import bracketed

GREETING = "waent.fleet ports"
"""How a line begins that a listener says."""

LONGEST_LINE = 512
SPARE_FILES = 64
"""Files that a process needs besides its connections."""

Address = t.Tuple[int, t.Any]
"""Family and address of a socket."""


def greeting(cluster: str, host: str) -> bytes:
    """What a listener says at once: for which host it listens."""
    return "{0} {1} {2}\n".format(GREETING, cluster, host).encode()


def visit(source: str) -> bytes:
    """What is said to it: who came."""
    return "{0}\n".format(source).encode()


def try_ports(targets: t.Sequence[Target], source: str, cluster: str, seconds: float) -> list[dict[str, t.Any]]:
    """The ports that were not reached within C(seconds) in all.

    Each is C({host, node, address, port, listens, how, by, from}). by: what was said, or who answered. from: address
    and port from which it was tried.
    """
    end = time.monotonic() + seconds
    found = _resolve({target.address for target in targets}, end)
    unreached = [
        _unreached(target, NO_NAME if name_known is False else NOT_TRIED, by=said)
        for target in targets
        for name_known, said in [_lookup(found.get(target.address))]
        if name_known is not True
    ]
    known = [target for target in targets if isinstance(found.get(target.address), tuple)]
    at_once = _most_files()
    waves = [known[first : first + at_once] for first in range(0, len(known), at_once)]
    for number, wave in enumerate(waves):
        left = max(end - time.monotonic(), 0.0)
        until = time.monotonic() + left / (len(waves) - number)
        unreached += _Wave(source, cluster, until).run([(target, found[target.address]) for target in wave])
    order = {target: number for number, target in enumerate(targets)}
    return sorted(unreached, key=lambda one: order[Target(*(one[name] for name in Target._fields))])


def _unreached(target: Target, how: str, by: str = "", origin: str | None = None) -> dict[str, t.Any]:
    return {**target._asdict(), "how": how, "by": by, "from": origin}


def _most_files() -> int:
    """How many connections may be open at a time: as many as the system allows this user."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
        except (OSError, ValueError):
            soft = max(soft, SPARE_FILES + 1)
    limit = 4096 if soft == resource.RLIM_INFINITY else min(soft, 4096)
    return max(limit - SPARE_FILES, 1)


# --- names ------------------------------------------------------------------------------------------------------------


def _resolve(names: t.Collection[str], end: float) -> dict[str, t.Any]:
    """By name an Address, or the error; a name that has no answer in time is left out.

    A resolver that is out of reach takes its time, and cannot be stopped: so each name has a thread of its own, for
    which nobody waits at the end.
    """
    found: dict[str, t.Any] = {}
    threads = [threading.Thread(target=_resolve_one, args=(name, found), daemon=True) for name in sorted(names)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(end - time.monotonic(), 0.0))
    return dict(found)


def _resolve_one(name: str, found: dict[str, t.Any]) -> None:
    try:
        answers = socket.getaddrinfo(name, 0, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        found[name] = error
    else:
        # Nothing is known of the product and IPv6, so a name that has both is taken for its IPv4 address.
        family, _type, _protocol, _name, address = min(answers, key=lambda answer: answer[0] != socket.AF_INET)
        found[name] = (family, address)


def _lookup(answer: t.Any) -> tuple[bool | None, str]:
    """Whether the name is known; None where nobody knows yet."""
    if isinstance(answer, socket.gaierror) and answer.errno == socket.EAI_AGAIN:
        return None, str(answer.strerror)
    if isinstance(answer, Exception):
        return False, str(getattr(answer, "strerror", None) or answer)
    return (None, "the look-up of its name took too long") if answer is None else (True, "")


# --- connections ------------------------------------------------------------------------------------------------------


class _Try:
    """One connection. said: what came from the other side."""

    def __init__(self, target: Target, link: socket.socket) -> None:
        self.target, self.link = target, link
        self.connected = False
        self.said = b""


class _Wave:
    """Connections that are made at the same time, up to a moment of the monotonic clock."""

    def __init__(self, source: str, cluster: str, until: float) -> None:
        self._source, self._cluster, self._until = source, cluster, until
        self._selector = selectors.DefaultSelector()
        self._unreached: list[dict[str, t.Any]] = []

    def run(self, targets: t.Iterable[tuple[Target, Address]]) -> list[dict[str, t.Any]]:
        """Those that were not reached."""
        for target, address in targets:
            self._begin(target, address)
        while self._selector.get_map():
            left = self._until - time.monotonic()
            if left <= 0:
                break
            for key, _events in self._selector.select(left):
                self._go_on(key.data)
        for key in list(self._selector.get_map().values()):
            one: _Try = key.data
            self._end(one, OTHER if one.connected else SILENT)
        self._selector.close()
        return self._unreached

    def _begin(self, target: Target, address: Address) -> None:
        family, (name, _port, *rest) = address
        try:
            link = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:
            self._unreached.append(_unreached(target, NOT_TRIED, os.strerror(error.errno or errno.EIO)))
            return
        link.setblocking(False)
        one = _Try(target, link)
        code = link.connect_ex((name, target.port, *rest))
        if code in (0, errno.EINPROGRESS):
            self._selector.register(link, selectors.EVENT_WRITE, one)
        else:
            self._fail(one, code, registered=False)

    def _go_on(self, one: _Try) -> None:
        if not one.connected:
            code = one.link.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                self._fail(one, code)
            elif one.target.listens:
                one.connected = True
                self._selector.modify(one.link, selectors.EVENT_READ, one)
            else:
                self._end(one, None)
            return
        try:
            more = one.link.recv(LONGEST_LINE)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(one, error.errno or errno.EIO)
            return
        one.said += more
        if b"\n" in one.said or not more or len(one.said) > LONGEST_LINE:
            self._check(one)

    def _check(self, one: _Try) -> None:
        """Whoever answers as a listener of this cluster is the host, or another one."""
        said = one.said.partition(b"\n")[0].decode("utf-8", "replace")
        start = "{0} {1} ".format(GREETING, self._cluster)
        if not said.startswith(start):
            self._end(one, OTHER)
        elif said[len(start) :] != one.target.host:
            self._end(one, OTHER, by=said[len(start) :])
        else:
            try:
                one.link.send(visit(self._source))
            except OSError as error:
                self._fail(one, error.errno or errno.EIO)
            else:
                self._end(one, None)

    def _fail(self, one: _Try, code: int, registered: bool = True) -> None:
        hows = {
            errno.ECONNREFUSED: REFUSED,
            errno.ECONNRESET: REFUSED,
            errno.ETIMEDOUT: SILENT,
            errno.EHOSTUNREACH: NO_ROUTE,
            errno.ENETUNREACH: NO_ROUTE,
        }
        how = hows.get(code, NOT_TRIED)
        self._end(one, how, by=os.strerror(code) if how == NOT_TRIED else "", registered=registered)

    def _end(self, one: _Try, how: str | None, by: str = "", registered: bool = True) -> None:
        """how: None where it was reached."""
        if how is not None:
            self._unreached.append(_unreached(one.target, how, by, _origin(one.link)))
        if registered:
            self._selector.unregister(one.link)
        one.link.close()


def _origin(link: socket.socket) -> str | None:
    """From where a connection was tried, as C(listener.py) writes it of what it sees; None where it has no port."""
    address, port = link.getsockname()[:2]
    return "{0}:{1}".format(bracketed(address), port) if port else None
