# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who logged what when, of many logs at once: errors first, and one time line. Internal to waent.fleet. Pure.

However many lines there are, what is kept is bounded: groups of errors that say the same, and the most important of
all lines for the time line. What did not find room is counted.
"""

from __future__ import annotations

import datetime
import heapq
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.waent.fleet.plugins.module_utils._check.causes import (
    ERROR,
    HINT,
    PLAIN,
    WARNING,
    cause_of,
    level_of,
)

LEVELS = {ERROR: "error", WARNING: "warning", HINT: "maybe", PLAIN: ""}

MOST_GROUPS = 500
MOST_EVENTS = 4000
MOST_REMEMBERED = 200000
"""So many lines of a container's log are compared with those of its files."""
MOST_CHARACTERS = 600
"""Of a line, on the page; the whole one is in its file."""

_STAMP = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s*(Z|UTC|[+-]\d\d:?\d\d)?[: ]?\s*"
)
_NO_COMPLAINT = re.compile(r"[DIVN]\s")
"""Most lines: their own level says that nothing is wrong, and nobody has to read what they say."""
_CHANGING = re.compile(
    r"req_id=\S+|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b|\b0x[0-9a-f]+\b|\b[0-9a-f]{12,}\b|\d+", re.IGNORECASE
)


class Line(t.NamedTuple):
    """A line of a log. time: seconds since 1970 in UTC, None where it has none. level: as level_of says. text: all."""

    time: float | None
    level: int
    text: str


class Event(t.NamedTuple):
    """A line with its place: the host, the container, the file in the archive and the number of the line in it."""

    line: Line
    host: str
    node: str
    path: str
    number: int


@dataclass
class Group:
    """Lines that say the same but for numbers. nodes: how often by C(host:container)."""

    example: Event
    count: int = 0
    first: float | None = None
    last: float | None = None
    nodes: dict[str, int] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """One more."""
        self.count += 1
        node = "{0}:{1}".format(event.host, event.node)
        self.nodes[node] = self.nodes.get(node, 0) + 1
        time = event.line.time
        if time is not None:
            self.first = time if self.first is None else min(self.first, time)
            self.last = time if self.last is None else max(self.last, time)

    @property
    def advice(self) -> str:
        """What to do about it, empty where nobody here knows."""
        cause = cause_of(self.example.line.text)
        return cause.advice if cause else ""


def read_line(text: str) -> Line:
    """A line as C(docker logs --timestamps) or the node itself wrote it.

    The engine's time goes before that of the node, and both before no time. The level is that of what comes after.
    """
    match = _STAMP.match(text)
    # A letter is a level only after a time; of two times the one before it is the node's own.
    inner = _STAMP.match(text, match.end()) if match else None
    own = inner or match
    if match and own and _NO_COMPLAINT.match(text, own.end()):
        return Line(_seconds(match), PLAIN, text)
    return Line(_seconds(match) if match else None, level_of(text[inner.start() :] if inner else text), text)


def _seconds(match: re.Match[str]) -> float | None:
    year, month, day, hour, minute, second = (int(match.group(number)) for number in range(1, 7))
    zone = (match.group(8) or "Z").replace(":", "")
    offset = 0 if zone in ("Z", "UTC") else int(zone[1:3]) * 3600 + int(zone[3:5]) * 60
    try:
        moment = datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.timezone.utc)
    except ValueError:
        return None
    fraction = float("0." + match.group(7)) if match.group(7) else 0.0
    return moment.timestamp() + fraction - (-offset if zone.startswith("-") else offset)


def shape_of(text: str) -> str:
    """What lines have in common that say the same: all but times, numbers and identifiers."""
    match = _STAMP.match(text)
    rest = text[match.end() :] if match else text
    inner = _STAMP.match(rest)
    return _CHANGING.sub("#", rest[inner.end() :] if inner else rest)[:MOST_CHARACTERS]


class Events:
    """Takes the lines of all logs, one log after the other, and keeps what the page shows."""

    def __init__(self, most_groups: int = MOST_GROUPS, most_events: int = MOST_EVENTS) -> None:
        self._most_groups, self._most_events = most_groups, most_events
        self._groups: dict[tuple[int, str], Group] = {}
        self._kept: list[tuple[tuple[int, float, int], Event]] = []
        self._order = 0
        self.lines = 0
        self.left_out = 0
        """Lines of the time line that did not find room."""
        self.groups_left_out = 0
        """Lines of errors and warnings whose group did not find room."""
        self.counts: dict[str, dict[int, int]] = {}
        """By C(host:container) how many lines there are of each level."""
        self._node = ("", "")
        self._of_engine: set[int] = set()

    def add_log(self, host: str, node: str, path: str, lines: t.Iterable[str], engine: bool = False) -> None:
        """All lines of one file. One without a time of its own, as in a stack trace, has that of the line before.

        engine: the log of the container, which comes before the files of its node. A node may write the same to both;
        then it counts once.
        """
        if self._node != (host, node):
            self._node, self._of_engine = (host, node), set()
        time: float | None = None
        for number, text in enumerate(lines, 1):
            if not text.strip() or self._known(text.rstrip("\n"), engine):
                continue
            line = read_line(text[: 4 * MOST_CHARACTERS].rstrip("\n"))
            time = line.time if line.time is not None else time
            self._add(Event(line._replace(time=time), host, node, path, number))

    def _known(self, text: str, engine: bool) -> bool:
        if not engine:
            return hash(text) in self._of_engine
        if len(self._of_engine) < MOST_REMEMBERED:
            match = _STAMP.match(text)
            self._of_engine.add(hash(text[match.end() :] if match else text))
        return False

    def _add(self, event: Event) -> None:
        self.lines += 1
        level = event.line.level
        levels = self.counts.setdefault("{0}:{1}".format(event.host, event.node), {})
        levels[level] = levels.get(level, 0) + 1
        if level > PLAIN:
            self._group(event)
        if event.line.time is not None:
            self._keep(event)

    def _group(self, event: Event) -> None:
        key = (event.line.level, shape_of(event.line.text))
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= self._most_groups:
                self.groups_left_out += 1
                return
            group = self._groups[key] = Group(event)
        group.add(event)

    def _keep(self, event: Event) -> None:
        """Errors before warnings before the rest, and of each the newest."""
        self._order += 1
        entry = ((event.line.level, event.line.time or 0.0, self._order), event)
        if len(self._kept) < self._most_events:
            heapq.heappush(self._kept, entry)
            return
        self.left_out += 1
        heapq.heappushpop(self._kept, entry)

    @property
    def groups(self) -> list[Group]:
        """Errors first; of each level first what was said last."""
        known = sorted(self._groups.items(), key=lambda item: (-item[0][0], -(item[1].last or 0.0), item[0][1]))
        return [group for _key, group in known]

    @property
    def time_line(self) -> list[Event]:
        """What was kept of all nodes, in the order of time."""
        return [event for _key, event in sorted(self._kept, key=lambda one: (one[1].line.time or 0.0, one[0][2]))]


def moment(seconds: float | None) -> str:
    """A time in UTC, empty where there is none."""
    if seconds is None:
        return ""
    whole = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc)
    return "{0}.{1:03d}Z".format(whole.strftime("%Y-%m-%d %H:%M:%S"), int(seconds % 1 * 1000))
