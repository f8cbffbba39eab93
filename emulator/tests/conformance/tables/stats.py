"""Metrics and statistics (reference 4.5, 8)."""

from __future__ import annotations

from tests.conformance.row import RECORDED, REFERENCE, Certainty, Request, Row, Schema, Table, closed, const, items, ok

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


def _kinds(kind: str, *names: str) -> dict[str, Schema]:
    """Metrics of this type."""
    typed = {"type": "object", "properties": {"type": const(kind)}}
    return {name: {"allOf": [METRIC, typed]} for name in names}


def _metrics(expected: dict[str, Schema]) -> Schema:
    """These, in any order, and perhaps others."""
    return {**METRICS, "properties": expected, "required": list(expected)}


WEB = _metrics(
    {
        **_kinds(
            "gauge",
            *("web_uptime", "web_connections", "web_pending_connections", "web_max_pending_connections"),
            *("web_queue_len", "web_idle_processes", "web_total_processes", "web_requests"),
        ),
        **_kinds("counter", "api_requests_duration_ms_sum", "api_requests_duration_ms_count"),
    }
)
APP = _metrics(
    {
        **_kinds("gauge", "callback_queue_size"),
        **_kinds("counter", "callback_requests", "endpoint_requests"),
        **_kinds("counter", "callback_requests_duration_ms_sum", "callback_requests_duration_ms_count"),
    }
)
DB = _metrics(
    _kinds(
        "gauge",
        *("db_contacts", "db_messages", "db_message_receipts", "db_pending_callbacks", "db_pending_messages"),
    )
)


def _shown(path: str, name: str, schema: Schema, *, node: bool) -> Table:
    return Table(
        f"GET {path}",
        (
            Row("JSON", Request("GET", path), 200, RECORDED, ok(stats=closed(**{name: schema})), node=node),
            Row("text", Request("GET", f"{path}?format=prometheus"), 200, REFERENCE, PROMETHEUS, node=node),
        ),
    )


TABLES = (
    *(
        Table(
            f"GET {path}",
            (
                Row("JSON", Request("GET", path), 200, RECORDED, ok(metrics=WEB), certainty=certainty),
                Row(
                    "text",
                    Request("GET", f"{path}?format=prometheus"),
                    200,
                    REFERENCE,
                    PROMETHEUS,
                    certainty=certainty,
                ),
            ),
        )
        for path, certainty in (("/metrics", Certainty.SURE), ("/v1/metrics", Certainty.WEAK))
    ),
    Table(
        "GET /v1/stats",
        (
            Row(
                "both",
                Request("GET", "/v1/stats"),
                200,
                REFERENCE,
                ok(stats=closed(app=APP, db=DB)),
                certainty=Certainty.WEAK,
                node=True,
            ),
        ),
    ),
    _shown("/v1/stats/app", "app", APP, node=True),
    _shown("/v1/stats/app/internal", "app", APP, node=True),
    _shown("/v1/stats/db", "db", DB, node=False),
    _shown("/v1/stats/db/internal", "db", DB, node=False),
)
