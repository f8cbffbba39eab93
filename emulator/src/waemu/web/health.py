"""Endpoints that show the state of the whole cluster: health and support (reference 3.5 and 4.5)."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import typing as t
from pathlib import Path

import msgspec

from waemu.protocol import nodes
from waemu.protocol.nodes import CoreError, NodeStatus
from waemu.schema import version as schema_version
from waemu.store import config
from waemu.web.access import Access
from waemu.web.endpoint import Call, Endpoints, Reply
from waemu.web.errors import Code
from waemu.web.webapp import Webapp

routes = Endpoints()

OS_NAME: t.Final = "ubuntu-x86_64"
OS_VERSION: t.Final = "16.04"
TELEMETRY: t.Final = ("ORCHESTRATION", "WA_RUNNING_ENV", "WA_RUNNING_ENV_VERSION", "AWS_REGION", "AWS_STACK_NAME")
"""The variables that support shows; none of them is a secret."""


class GatewayHealth(msgspec.Struct):
    """The health of a single instance."""

    gateway_status: str


class NodeHealth(msgspec.Struct):
    """The health of one node of a cluster."""

    gateway_status: str
    role: str


class NodeErrors(msgspec.Struct):
    """What stands in the place of a node that gave no status."""

    errors: list[nodes.ErrorItem]


class HealthReply(msgspec.Struct):
    """Cluster form: by C(<host>:<container>); single form: the status itself."""

    health: dict[str, t.Any]


class SupportReply(msgspec.Struct):
    """Support information; in a cluster with one entry per node beside it, keyed as in health."""

    support: dict[str, t.Any]


@routes.add("GET", "/v1/health", access=Access.PROBE, ok={200: HealthReply}, before_ready=True)
async def health(web: Webapp, _call: Call[None]) -> Reply:
    """Query the health of every node; 200 also when nodes are down."""
    if not web.cores.is_cluster:
        status = await web.cores.single_status()
        return Reply(200, {"health": GatewayHealth(status.gateway_status)})
    statuses = await _statuses(web)
    return Reply(200, {"health": {key: node_health(status) for key, status in statuses.items()}})


@routes.add("GET", "/v1/support", access=Access.USER, ok={200: SupportReply}, before_ready=True)
async def support(web: Webapp, _call: Call[None]) -> Reply:
    """Report what belongs to every support ticket: environment, schema, free space, who owns which shard."""
    found = await _common(web)
    if web.cores.is_cluster:
        statuses = await _statuses(web)
        found.update({key: node_support(status) for key, status in statuses.items()})
    else:
        found["socket_conn"] = (await web.cores.single_status()).socket_conn
    return Reply(200, {"support": found})


async def _statuses(web: Webapp) -> dict[str, NodeStatus | CoreError]:
    """What every node says; those that cannot be reached are left out where that is requested (3.5 knows both)."""
    found = await web.cores.statuses()
    if not web.env.health_drops_dead:
        return found
    return {
        key: status
        for key, status in found.items()
        if not isinstance(status, CoreError) or status.code != Code.INTERNAL
    }


def node_health(status: NodeStatus | CoreError) -> NodeHealth | NodeErrors:
    """One entry of health."""
    if isinstance(status, CoreError):
        return NodeErrors(status.errors)
    return NodeHealth(status.gateway_status, status.role)


def node_support(status: NodeStatus | CoreError) -> dict[str, t.Any]:
    """One entry of support: role, shards as inclusive ranges, and the connection."""
    if isinstance(status, CoreError):
        return {"errors": status.errors}
    return {"role": status.role, "shards": status.shards, "socket_conn": status.socket_conn}


async def _common(web: Webapp) -> dict[str, t.Any]:
    account = await config.read_account(web.engine)
    number = f"{account.cc}{account.phone_number}" if account.registered else "unregistered"
    registered_at = account.registered_at.replace(tzinfo=dt.UTC) if account.registered_at else None
    return {
        "context": "",
        "db_engine": web.env.db.engine,
        "db_info": f"{web.env.db.hostname}:{web.env.db.port}",
        "debug_info": number,
        "description": "",
        "device_iso8601": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "e2e": {
            "identity_timestamp": int(registered_at.timestamp()) if registered_at else 0,
            "registration_id": account.registration_id or 0,
        },
        "env": [f"{name}={os.environ[name]}" for name in TELEMETRY if os.environ.get(name)],
        "expire_timestamp": _midnight(web.env.expires_on),
        "free_space_data": free_bytes(Path("/")),
        "free_space_logs": free_bytes(Path("/var/log")),
        "free_space_media_incoming": free_bytes(web.media_dir),
        "free_space_media_outgoing": free_bytes(web.media_dir),
        "lc": "US",
        "lg": "en",
        "multi_connect": web.env.multiconnect,
        "os_name": OS_NAME,
        "os_version": OS_VERSION,
        "schema": await schema_version.current(web.engine),
    }


def free_bytes(place: Path) -> int:
    """Bytes free where a path is, or where its nearest existing parent is."""
    for candidate in (place, *place.parents):
        if candidate.exists():
            return shutil.disk_usage(candidate).free
    return 0


def _midnight(day: dt.date | None) -> int | None:
    """Seconds since 1970 at the start of a UTC day."""
    return int(dt.datetime.combine(day, dt.time(), dt.UTC).timestamp()) if day else None
