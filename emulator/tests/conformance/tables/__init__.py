"""The tables, one for each endpoint; C(anything) is what holds for every path."""

from __future__ import annotations

from tests.conformance.row import Table
from tests.conformance.tables import (
    account,
    anything,
    backup,
    certificates,
    contacts,
    groups,
    health,
    media,
    messages,
    profile,
    settings,
    stats,
    stickerpacks,
    users,
)

TABLES: tuple[Table, ...] = tuple(
    table
    for part in (
        anything,
        users,
        account,
        settings,
        backup,
        profile,
        health,
        stats,
        certificates,
        contacts,
        messages,
        media,
        stickerpacks,
        groups,
    )
    for table in part.TABLES
)
