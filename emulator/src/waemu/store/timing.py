"""How long the database takes for a process, by store and operation (reference 8)."""

from __future__ import annotations

import re
import time
import typing as t
from collections import defaultdict

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.ext.asyncio import AsyncEngine

from waemu.protocol.nodes import DbCount
from waemu.schema.tables import GROUPS

OPERATIONS: t.Final = ("select", "insert", "update", "delete")
_STORE: t.Final = re.compile(rf"({'|'.join(GROUPS)})Store\b")  # the name prefix, if any, stands before it


class DbTiming:
    """Counts every statement of one engine."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._started: dict[int, float] = {}
        self._totals: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])  # seconds, number
        sa.event.listen(engine.sync_engine, "before_cursor_execute", self._begin)
        sa.event.listen(engine.sync_engine, "after_cursor_execute", self._end)

    def _begin(
        self, _connection: sa.Connection, cursor: DBAPICursor, _text: str, _values: t.Any, _context: t.Any, _many: bool
    ) -> None:
        self._started[id(cursor)] = time.monotonic()

    def _end(
        self,
        _connection: sa.Connection,
        cursor: DBAPICursor,
        text: str,
        _values: t.Any,
        _context: t.Any,
        _many: bool,
    ) -> None:
        began = self._started.pop(id(cursor), None)
        if began is not None:
            total = self._totals[kind_of(text)]
            total[0] += time.monotonic() - began
            total[1] += 1

    def counts(self) -> list[DbCount]:
        """What was counted so far."""
        return [
            DbCount(store, op, int(number), round(seconds * 1e6))
            for (store, op), (seconds, number) in sorted(self._totals.items())
        ]


def kind_of(statement: str) -> tuple[str, str]:
    """Store (a group of tables) and operation of a statement's text; C(none) and C(other) for what names no table."""
    store = _STORE.search(statement)
    op = statement.lstrip().partition(" ")[0].lower()
    return store.group(1) if store else "none", op if op in OPERATIONS else "other"
