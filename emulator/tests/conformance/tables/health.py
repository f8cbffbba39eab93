"""Health and support (reference 3.5, 4.5)."""

from __future__ import annotations

from tests.conformance.row import REFERENCE, TOOLS, Request, Row, Table, ok

HEALTH, SUPPORT = "/v1/health", "/v1/support"
OBJECT = {"type": "object", "minProperties": 1}

TABLES = (
    Table(
        f"GET {HEALTH}",
        (
            Row("health", Request("GET", HEALTH), 200, REFERENCE, ok(health=OBJECT), node=True),
            Row("no token", Request("GET", HEALTH, auth="none"), 401, TOOLS),
            Row("unknown token", Request("GET", HEALTH, auth="wrong"), 401, TOOLS),
        ),
    ),
    Table(
        f"GET {SUPPORT}",
        (Row("information", Request("GET", SUPPORT), 200, REFERENCE, ok(support=OBJECT), node=True),),
    ),
)
