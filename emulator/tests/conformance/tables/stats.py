"""Metrics and statistics (reference 4.5, 8)."""

from __future__ import annotations

from tests.conformance.row import REFERENCE, Certainty, Request, Row, Schema, Table, closed, items, ok

METRIC: Schema = {
    "type": "object",
    "properties": {
        "data": items(closed(labels={"type": "object"}, value={"type": "number"})),
        "help": {"type": "string"},
        "type": {"enum": ["gauge", "counter"]},
    },
    "required": ["data", "help", "type"],
}
METRICS: Schema = {"type": "object", "minProperties": 1, "additionalProperties": METRIC}
PROMETHEUS = r"# HELP .*# TYPE .*"


def _shown(path: str, name: str, *, node: bool) -> Table:
    return Table(
        f"GET {path}",
        (
            Row("JSON", Request("GET", path), 200, REFERENCE, ok(stats=closed(**{name: METRICS})), node=node),
            Row("text", Request("GET", f"{path}?format=prometheus"), 200, REFERENCE, PROMETHEUS, node=node),
        ),
    )


TABLES = (
    Table("GET /metrics", (Row("text", Request("GET", "/metrics"), 200, REFERENCE, PROMETHEUS),)),
    Table(
        "GET /v1/metrics",
        (Row("text", Request("GET", "/v1/metrics"), 200, REFERENCE, PROMETHEUS, certainty=Certainty.WEAK),),
    ),
    Table(
        "GET /v1/stats",
        (
            Row(
                "both",
                Request("GET", "/v1/stats"),
                200,
                REFERENCE,
                ok(stats=closed(application=METRICS, db=METRICS)),
                certainty=Certainty.WEAK,
                node=True,
            ),
        ),
    ),
    _shown("/v1/stats/app", "application", node=True),
    _shown("/v1/stats/app/internal", "application", node=True),
    _shown("/v1/stats/db", "db", node=False),
    _shown("/v1/stats/db/internal", "db", node=False),
)
