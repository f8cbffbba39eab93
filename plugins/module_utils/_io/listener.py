# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that listens on free ports for seconds. Internal to waent.fleet: may change in any release.

It outlives the module that starts it, so that other hosts can come, and needs nobody to end it: it does so when all who
were announced have been at all ports, and at its deadline in any case. It writes no file. Who asks it over its socket,
which has a name and no path, gets a report, and ends it with that.

As root it also sees which first packets arrive, before the host's own firewall does: so a network that is closed is
known from a firewall on the host itself, which published ports of containers do not pass.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import selectors
import signal
import socket
import struct
import time
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import bracketed, is_ipv6
from ansible_collections.waent.fleet.plugins.module_utils._common.product import LISTENER
from ansible_collections.waent.fleet.plugins.module_utils._io.ports import LONGEST_LINE, greeting

VISIT_SECONDS = 10.0
"""How long somebody may take to say who came."""

MOST_VISITS, MOST_PACKETS = 256, 100_000
"""Connections that are open at a time, and packets that are remembered: more than that is no check of ours."""

SO_PEERCRED = 17
ETH_P_ALL = 3
SO_ATTACH_FILTER = 26
PACKET_OUTGOING = 4
SYN, ACK = 0x02, 0x10


class Opened(t.NamedTuple):
    """links: sockets that listen, by port. failed: C({port, reason, absent}) of the others.

    absent: the host does not have the address.
    """

    links: dict[int, socket.socket]
    failed: list[dict[str, t.Any]]


# --- for the module ---------------------------------------------------------------------------------------------------


def start(cluster: str, host: str, address: str, visitors: t.Mapping[int, t.Collection[str]], seconds: float) -> Opened:
    """Listen at C(address) on these ports, in a process of its own; what an earlier run has left there ends first.

    visitors: by port the names of who is going to come.
    """
    report(cluster, host)
    opened = open_ports(address, sorted(visitors))
    if opened.links:
        control, sniffer = _control(cluster, host), _sniffer()
        _in_background(lambda: _Listener(cluster, host, opened.links, visitors, control, sniffer, seconds).run())
        control.close()
        if sniffer:
            sniffer.close()
    for link in opened.links.values():
        link.close()
    return opened


def report(cluster: str, host: str) -> dict[str, t.Any]:
    """End the process and return what it has seen: C({listened, arrived, answered}); listened: it was there still."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(VISIT_SECONDS)
        try:
            link.connect(_name(cluster, host))
            text = b"".join(iter(lambda: link.recv(65536), b""))
            seen: dict[str, t.Any] = json.loads(text)
        except (OSError, ValueError):
            return {"listened": False, "arrived": [], "answered": []}
    return {"listened": True, **seen}


def open_ports(address: str, ports: t.Iterable[int]) -> Opened:
    """Sockets that listen there, on the ports that are free."""
    links: dict[int, socket.socket] = {}
    failed = []
    for port in ports:
        link = socket.socket(socket.AF_INET6 if is_ipv6(address) else socket.AF_INET, socket.SOCK_STREAM)
        try:
            # Without it what a stopped node leaves in TIME_WAIT would hold the port; two listeners exclude each other.
            link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if link.family == socket.AF_INET6:
                link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            link.bind((address, port))
            link.listen(1024)
        except OSError as error:
            link.close()
            failed.append(
                {"port": port, "reason": os.strerror(error.errno or 0), "absent": error.errno == errno.EADDRNOTAVAIL}
            )
        else:
            link.setblocking(False)
            links[port] = link
    return Opened(links, failed)


def _name(cluster: str, host: str) -> bytes:
    """A name in the kernel's own name space for sockets: it is gone with its process."""
    return "\0waent.fleet.ports/{0}/{1}".format(cluster, host).encode()[:107]


def _control(cluster: str, host: str) -> socket.socket:
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.bind(_name(cluster, host))
    link.listen(4)
    return link


def _in_background(work: t.Callable[[], None]) -> None:
    """Run it in a process that belongs to nobody: not to this one, its terminal or its session."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    code = 1
    try:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            os.chdir("/")
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(nowhere, stream)
            with contextlib.suppress(OSError), open("/proc/self/comm", "w", encoding="ascii") as name:
                name.write(LISTENER)
            work()
        code = 0
    finally:
        # Nothing of the module may run here: neither its output nor how it cleans up.
        os._exit(code)


# --- the process ------------------------------------------------------------------------------------------------------


class _Visit:
    """A connection that has not said yet who came."""

    def __init__(self, port: int, link: socket.socket) -> None:
        self.port, self.link = port, link
        self.said = b""
        self.until = time.monotonic() + VISIT_SECONDS


class _Listener:
    """Greets who comes, and remembers it."""

    def __init__(
        self,
        cluster: str,
        host: str,
        links: t.Mapping[int, socket.socket],
        visitors: t.Mapping[int, t.Collection[str]],
        control: socket.socket,
        sniffer: socket.socket | None,
        seconds: float,
    ) -> None:
        self._greeting = greeting(cluster, host)
        self._links = dict(links)
        self._missing = {port: set(visitors[port]) for port in links}
        self._ports = frozenset(links)
        self._control, self._sniffer = control, sniffer
        self._end = time.monotonic() + seconds
        self._visits: list[_Visit] = []
        self._arrived: set[tuple[str, int]] = set()
        self._answered: set[tuple[str, int]] = set()
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Until all have come, somebody asks, or the time is up."""
        for port, link in self._links.items():
            self._selector.register(link, selectors.EVENT_READ, port)
        self._selector.register(self._control, selectors.EVENT_READ, self._control)
        if self._sniffer:
            self._selector.register(self._sniffer, selectors.EVENT_READ, self._sniffer)
        while self._links and time.monotonic() < self._end:
            for key, _events in self._selector.select(1.0):
                if key.data is self._control:
                    if self._asked():
                        return
                elif key.data is self._sniffer:
                    self._see()
                elif isinstance(key.data, _Visit):
                    self._listen_to(key.data)
                elif key.data in self._links:
                    self._greet(key.data)
            for late in [visit for visit in self._visits if visit.until < time.monotonic()]:
                self._part(late)

    def _greet(self, port: int) -> None:
        try:
            link, _address = self._links[port].accept()
        except OSError:
            time.sleep(0.05)
            return
        # What a port has seen last must not hold it when a node is to have it.
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if len(self._visits) >= MOST_VISITS:
            self._part(self._visits[0])
        try:
            link.setblocking(False)
            link.send(self._greeting)
        except OSError:
            link.close()
            return
        visit = _Visit(port, link)
        self._visits.append(visit)
        self._selector.register(link, selectors.EVENT_READ, visit)

    def _listen_to(self, visit: _Visit) -> None:
        try:
            more = visit.link.recv(LONGEST_LINE)
        except BlockingIOError:
            return
        except OSError:
            more = b""
        visit.said += more
        line, whole, _rest = visit.said.partition(b"\n")
        if whole:
            self._missing.get(visit.port, set()).discard(line.decode("utf-8", "replace"))
            if not self._missing.get(visit.port, True):
                self._close(visit.port)
        if whole or not more or len(visit.said) > LONGEST_LINE:
            self._part(visit)

    def _close(self, port: int) -> None:
        link = self._links.pop(port, None)
        if link is not None:
            self._selector.unregister(link)
            link.close()

    def _part(self, visit: _Visit) -> None:
        if visit in self._visits:
            self._visits.remove(visit)
            self._selector.unregister(visit.link)
            visit.link.close()

    def _asked(self) -> bool:
        """Report to who asks, with all ports closed by then; False where it is somebody else's business."""
        try:
            link, _address = self._control.accept()
        except OSError:
            return False
        with link:
            user = struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, SO_PEERCRED, 12))[1]
            if user not in (0, os.geteuid()):
                return False
            self._see()
            for visit in list(self._visits):
                self._part(visit)
            for port in list(self._links):
                self._close(port)
            # The name has to be free when the answer is read.
            self._control.close()
            seen = {"arrived": sorted(self._arrived), "answered": sorted(self._answered)}
            with contextlib.suppress(OSError):
                link.settimeout(VISIT_SECONDS)
                link.sendall(json.dumps(seen).encode())
        return True

    def _see(self) -> None:
        """Read the packets that came since."""
        while self._sniffer:
            try:
                packet, (_device, _protocol, kind, *_rest) = self._sniffer.recvfrom(128)
            except OSError:
                return
            read = read_packet(packet)
            if read is None:
                continue
            source, destination, flags = read
            if not flags & ACK and kind != PACKET_OUTGOING and destination[1] in self._ports:
                self._remember(self._arrived, source, destination[1])
            elif flags & ACK and kind == PACKET_OUTGOING and source[1] in self._ports:
                self._remember(self._answered, destination, source[1])

    @staticmethod
    def _remember(seen: set[tuple[str, int]], other: tuple[str, int], port: int) -> None:
        if len(seen) < MOST_PACKETS:
            seen.add(("{0}:{1}".format(bracketed(other[0]), other[1]), port))


# --- packets ----------------------------------------------------------------------------------------------------------


def _code(operation: int, true: int, false: int, value: int) -> bytes:
    return struct.pack("HBBI", operation, true, false, value)


_LOAD_BYTE, _LOAD_HALF, _LOAD_BYTE_AT, _LOAD_LENGTH = 0x30, 0x28, 0x50, 0xB1
_AND, _EQUAL, _ANY_BIT, _RETURN = 0x54, 0x15, 0x45, 0x06
_ACCEPT, _DROP = 15, 16
_FILTER = b"".join(
    _code(operation, true - number - 1 if true else 0, false - number - 1 if false else 0, value)
    for number, (operation, true, false, value) in enumerate(
        (
            (_LOAD_BYTE, 0, 0, 0),
            (_AND, 0, 0, 0xF0),
            (_EQUAL, 0, 10, 0x40),  # IPv4
            (_LOAD_BYTE, 0, 0, 9),
            (_EQUAL, 0, _DROP, socket.IPPROTO_TCP),
            (_LOAD_HALF, 0, 0, 6),
            (_ANY_BIT, _DROP, 0, 0x1FFF),  # no first fragment
            (_LOAD_LENGTH, 0, 0, 0),
            (_LOAD_BYTE_AT, 0, 0, 13),
            (_ANY_BIT, _ACCEPT, _DROP, SYN),
            (_EQUAL, 0, _DROP, 0x60),  # IPv6
            (_LOAD_BYTE, 0, 0, 6),
            (_EQUAL, 0, _DROP, socket.IPPROTO_TCP),
            (_LOAD_BYTE, 0, 0, 53),
            (_ANY_BIT, _ACCEPT, _DROP, SYN),
            (_RETURN, 0, 0, 128),
            (_RETURN, 0, 0, 0),
        )
    )
)
"""A program for the kernel (packet(7)): only packets that open a TCP connection wake this process. A jump leads to the
line of this number, 0 to the next one."""


def _sniffer() -> socket.socket | None:
    """A socket that gets those packets as they come, before any firewall of the host; None without the right to it."""
    try:
        link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    except (OSError, AttributeError):
        return None
    try:
        program = ctypes.create_string_buffer(_FILTER)
        sizes = struct.pack("HP", len(_FILTER) // 8, ctypes.addressof(program))
        link.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, sizes)
        link.setblocking(False)
    except OSError:
        link.close()
        return None
    return link


def read_packet(packet: bytes) -> tuple[tuple[str, int], tuple[str, int], int] | None:
    """Source, destination and flags of a TCP packet that begins with its IP header; None for any other."""
    try:
        if packet[0] >> 4 == 4:
            header, family, first, size, protocol = 4 * (packet[0] & 0xF), socket.AF_INET, 12, 4, packet[9]
        else:
            header, family, first, size, protocol = 40, socket.AF_INET6, 8, 16, packet[6]
        source, destination = struct.unpack_from("!HH", packet, header)
        flags = packet[header + 13]
        addresses = [socket.inet_ntop(family, packet[at : at + size]) for at in (first, first + size)]
    except (IndexError, ValueError, struct.error):
        return None
    # What came before the kernel had its program may be anything.
    if protocol != socket.IPPROTO_TCP:
        return None
    return (addresses[0], source), (addresses[1], destination), flags
