"""What holds for every path (reference 4.1, 4.10)."""

from __future__ import annotations

from tests.conformance.row import PROJECT, TOOLS, Certainty, Request, Row, Table, refusal

TABLES = (
    Table(
        "anything",
        (
            Row("web server", Request("GET", "/", auth="none"), 200, TOOLS),
            Row(
                "unknown path",
                Request("GET", "/v1/unknown"),
                404,
                PROJECT,
                refusal(1006),
                certainty=Certainty.CHOICE,
            ),
            Row(
                "unknown method",
                Request("PUT", "/v1/health"),
                405,
                PROJECT,
                refusal(1006),
                certainty=Certainty.CHOICE,
            ),
        ),
    ),
)
