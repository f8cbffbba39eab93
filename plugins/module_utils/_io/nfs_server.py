# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queries an NFS server whether it answers, before the kernel has to do with it. Internal to waent.fleet: may
change in any release.

A kernel that mounts, or looks for a file, does not give up for minutes. The question is the procedure NULL, which every
server has (RFC 7530, 15.1), over TCP (RFC 5531): a port alone says little, as the kernel of a server takes connections
for a program that does nothing any more.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._io import bounded

PROGRAM, VERSION, NULL = 100003, 4, 0
_CALL, _REPLY, _RPC_VERSION = 0, 1, 2
_LAST = 0x80000000
_MOST = 4096


def reach(server: str, port: int, path: str, seconds: float) -> dict[str, t.Any] | None:
    """Why the server does not answer, as an error of C(bounded), whose child for this path it is; None where it does.

    EPROTONOSUPPORT: it answers, and not to version 4.
    """
    return bounded.run(lambda say: _ask(server, port, seconds, say), path, seconds).error


def _ask(server: str, port: int, seconds: float, say: bounded.Say) -> None:
    say("connect to port {0}".format(port))
    try:
        with socket.create_connection((server, port), timeout=seconds) as link:
            say("ask on port {0}".format(port))
            number = struct.unpack(">I", os.urandom(4))[0]
            link.sendall(_call(number))
            _check(_record(link), number)
    except socket.gaierror as error:
        raise OSError(errno.EHOSTUNREACH, "its name is not known ({0})".format(error.strerror)) from None
    except socket.timeout:
        raise OSError(errno.ETIMEDOUT, "no answer") from None


def _call(number: int) -> bytes:
    """The call as one record, with neither credentials nor a verifier."""
    body = struct.pack(">10I", number, _CALL, _RPC_VERSION, PROGRAM, VERSION, NULL, 0, 0, 0, 0)
    return struct.pack(">I", _LAST | len(body)) + body


def _record(link: socket.socket) -> bytes:
    (head,) = struct.unpack(">I", _exactly(link, 4))
    size = head & ~_LAST
    if size > _MOST:
        raise OSError(errno.EPROTO, "what listens there is no NFS server")
    return _exactly(link, size)


def _exactly(link: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = link.recv(size - len(found))
        if not more:
            raise OSError(errno.ECONNRESET, "the connection was closed without an answer")
        found += more
    return found


def _check(reply: bytes, number: int) -> None:
    """Raises OSError where the reply is no good word."""
    if len(reply) < 24 or struct.unpack(">2I", reply[:8]) != (number, _REPLY):
        raise OSError(errno.EPROTO, "what listens there is no NFS server")
    refused, _flavor, size = struct.unpack(">3I", reply[8:20])
    if refused:
        raise OSError(errno.EACCES, "the server refuses the call")
    said = reply[20 + size : 24 + size]
    if len(said) < 4:
        raise OSError(errno.EPROTO, "the server's answer ends too early")
    if any(said):
        raise OSError(errno.EPROTONOSUPPORT, "the server does not have NFS version {0}".format(VERSION))
