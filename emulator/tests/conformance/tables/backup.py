"""Backup and restore (reference 4.4, 6.8)."""

from __future__ import annotations

from tests.conformance.row import (
    PROJECT,
    REFERENCE,
    STRING,
    Certainty,
    Request,
    Row,
    Table,
    closed,
    ok,
    refusal,
)

BACKUP, RESTORE = "/v1/settings/backup", "/v1/settings/restore"

TABLES = (
    Table(
        f"POST {BACKUP}",
        (
            Row(
                "text",
                Request("POST", BACKUP, json={"password": "x"}),
                200,
                REFERENCE,
                ok(settings=closed(data=STRING)),
                node=True,
            ),
        ),
    ),
    Table(
        f"POST {RESTORE}",
        (
            Row(
                "role too low",
                Request("POST", RESTORE, json={"password": "x", "data": "x"}, auth="user"),
                403,
                REFERENCE,
                refusal(1005),
                changes=True,
            ),
            Row(
                "no backup",
                Request("POST", RESTORE, json={"password": "x", "data": "x"}),
                400,
                PROJECT,
                refusal(1009, named="data"),
                certainty=Certainty.CHOICE,
            ),
        ),
    ),
)
