"""Endpoints of metrics and statistics (reference 4.5 and 8)."""

from __future__ import annotations

import typing as t

import msgspec

from waemu.protocol import nodes
from waemu.store import counts
from waemu.web.access import Access
from waemu.web.endpoint import TEXT_REPLY, Call, Endpoints, Reply
from waemu.web.errors import invalid
from waemu.web.metrics import PROMETHEUS_TYPE, Metric, as_json, as_prometheus
from waemu.web.webapp import Webapp

routes = Endpoints()

FORMATS: t.Final = ("json", "prometheus")


class Sample(msgspec.Struct):
    """One value with its labels."""

    labels: dict[str, str]
    value: float


class MetricItem(msgspec.Struct):
    """One metric."""

    data: list[Sample]
    help: str
    type: t.Literal["gauge", "counter"]


class StatsReply(msgspec.Struct):
    """Metrics by name, under C(app) or C(db)."""

    stats: dict[str, dict[str, MetricItem]]


class MetricsReply(msgspec.Struct):
    """Metrics by name."""

    metrics: dict[str, MetricItem]


METRICS: t.Final = {200: (MetricsReply, TEXT_REPLY)}
SHOWN: t.Final = {200: (StatsReply, TEXT_REPLY)}


@routes.add("GET", "/metrics", access=Access.PROBE, ok=METRICS, query={"format": FORMATS}, before_ready=True)
async def metrics(web: Webapp, call: Call[None]) -> Reply:
    """Show this webapp's own metrics."""
    return _metrics(web, call)


@routes.add("GET", "/v1/metrics", access=Access.PROBE, ok=METRICS, query={"format": FORMATS}, before_ready=True)
async def metrics_v1(web: Webapp, call: Call[None]) -> Reply:
    """Show this webapp's own metrics under the path some clients use."""
    return _metrics(web, call)


@routes.add("GET", "/v1/stats", access=Access.PROBE, ok=SHOWN, query={"format": FORMATS})
async def overall(web: Webapp, call: Call[None]) -> Reply:
    """Show application and database statistics together."""
    application, database = await _application(web), await _database(web)
    return _reply(call, {"app": application, "db": database})


@routes.add("GET", "/v1/stats/app", access=Access.PROBE, ok=SHOWN, query={"format": FORMATS})
async def application(web: Webapp, call: Call[None]) -> Reply:
    """Show statistics of the application."""
    return _reply(call, {"app": await _application(web)})


@routes.add(
    "GET", "/v1/stats/app/internal", access=Access.PROBE, ok={200: (StatsReply, TEXT_REPLY)}, query={"format": FORMATS}
)
async def application_internal(web: Webapp, call: Call[None]) -> Reply:
    """Show statistics of the application with the webapp's own metrics, and how long the database took for whom."""
    found = await web.cores.stats()
    database = {web.metrics.node: web.db_timing.counts(), **{key: each.database for key, each in found.items()}}
    own = [*web.metrics.collect(), *database_metrics(database)]
    return _reply(call, {"app": [*await _application(web, found), *own]})


@routes.add("GET", "/v1/stats/db", access=Access.PROBE, ok=SHOWN, query={"format": FORMATS})
async def database(web: Webapp, call: Call[None]) -> Reply:
    """Show statistics of the database; expensive where there are many messages."""
    return _reply(call, {"db": await _database(web)})


@routes.add(
    "GET", "/v1/stats/db/internal", access=Access.PROBE, ok={200: (StatsReply, TEXT_REPLY)}, query={"format": FORMATS}
)
async def database_internal(web: Webapp, call: Call[None]) -> Reply:
    """Show statistics of the database with those only debugging needs."""
    users = Metric("db_api_users", "Users of the API", "gauge", (({}, await counts.api_users(web.engine)),))
    return _reply(call, {"db": [*await _database(web), users]})


async def _application(web: Webapp, found: t.Mapping[str, nodes.StatsReply] | None = None) -> list[Metric]:
    found = await web.cores.stats() if found is None else found
    queue = await counts.callbacks(web.engine)
    requests = await counts.messages_by_type(web.engine)
    return [
        *callback_metrics({key: each.callbacks for key, each in found.items()}),
        Metric("callback_queue_size", "Callbacks that wait for delivery", "gauge", (({}, queue),)),
        Metric(
            "endpoint_requests",
            "Messages accepted, by type",
            "counter",
            tuple(({"method": kind}, count) for kind, count in sorted(requests.items())),
        ),
    ]


def callback_metrics(found: t.Mapping[str, t.Sequence[nodes.CallbackCount]]) -> list[Metric]:
    """What the coreapps, by key, have sent to the webhook since they started. Pure."""
    rows = [({"result": one.result, "type": one.type, "node": key}, one) for key, each in found.items() for one in each]
    duration = "callback_requests_duration_ms"
    number = tuple((labels, one.requests) for labels, one in rows)
    milliseconds = tuple((labels, one.milliseconds) for labels, one in rows)
    return [
        Metric("callback_requests", "Callbacks sent to the webhook", "counter", number),
        Metric(f"{duration}_count", "Callbacks sent to the webhook", "counter", number),
        Metric(f"{duration}_sum", "Milliseconds the webhook took for them", "counter", milliseconds),
    ]


def database_metrics(found: t.Mapping[str, t.Sequence[nodes.DbCount]]) -> list[Metric]:
    """What webapp and coreapps, by key, have requested from the database since they started. Pure."""
    rows = [({"store": one.store, "op": one.op, "node": key}, one) for key, each in found.items() for one in each]
    number = tuple((labels, one.requests) for labels, one in rows)
    microseconds = tuple((labels, one.microseconds) for labels, one in rows)
    return [
        Metric("db_request_duration_us_count", "Database requests", "counter", number),
        Metric("db_request_duration_us_sum", "Microseconds of database requests", "counter", microseconds),
    ]


async def _database(web: Webapp) -> list[Metric]:
    known, unknown = await counts.contacts(web.engine)
    by_type = await counts.messages_by_type(web.engine)
    return [
        Metric(
            "db_contacts",
            "Contacts in the database",
            "gauge",
            (({"type": "whatsapp_user"}, known), ({"type": "non_whatsapp_user"}, unknown)),
        ),
        Metric(
            "db_messages",
            "Messages in the database",
            "gauge",
            tuple(({"type": kind}, count) for kind, count in sorted(by_type.items())),
        ),
        Metric(
            "db_message_receipts",
            "Message receipts in the database",
            "gauge",
            (({}, await counts.receipts(web.engine)),),
        ),
        Metric(
            "db_pending_callbacks",
            "Callbacks that wait for delivery",
            "gauge",
            (({}, await counts.callbacks(web.engine)),),
        ),
        Metric(
            "db_pending_messages",
            "Messages that wait to be sent",
            "gauge",
            (({}, await counts.queued_messages(web.engine)),),
        ),
    ]


def _metrics(web: Webapp, call: Call[None]) -> Reply:
    found = web.metrics.collect()
    return _text(found) if _as_text(call) else Reply(200, {"metrics": as_json(found)})


def _as_text(call: Call[None]) -> bool:
    """Whether Prometheus's form is asked for."""
    given = call.query.get("format", "json")
    if given not in FORMATS:
        raise invalid("format", f"must be one of {', '.join(FORMATS)}")
    return given == "prometheus"


def _reply(call: Call[None], groups: dict[str, list[Metric]]) -> Reply:
    if _as_text(call):
        return _text([metric for metrics in groups.values() for metric in metrics])
    return Reply(200, {"stats": {name: as_json(metrics) for name, metrics in groups.items()}})


def _text(metrics: list[Metric]) -> Reply:
    return Reply(200, raw=as_prometheus(metrics).encode(), content_type=PROMETHEUS_TYPE)
