"""Endpoints of registration and of the shard count (reference 4.3). The primary master does the work."""

from __future__ import annotations

import typing as t

import msgspec

from waemu.protocol import nodes
from waemu.store import cluster
from waemu.web.access import Access
from waemu.web.bodies import Body
from waemu.web.endpoint import META_ONLY, Call, Endpoints, Reply
from waemu.web.errors import Code, missing
from waemu.web.webapp import Webapp

routes = Endpoints()

CERT_REQUIRED_SINCE: t.Final = (2, 45)
"""Reference 4.3: set-shards without certificate is refused from v2.45 on."""

CountryCode = t.Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,4}$", description="Country code, digits only")]
PhoneNumber = t.Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}$", description="Without country code and +")]
Pin = t.Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6}$", description="Two-step verification, six digits")]
Certificate = t.Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z0-9+/=_\-\s]{1,8192}$", description="Verified-name certificate in base64")
]
ShardCount = t.Literal[1, 2, 4, 8, 16, 32, "1", "2", "4", "8", "16", "32"]


class Register(Body):
    """The number to register."""

    cc: CountryCode
    phone_number: PhoneNumber
    method: t.Literal["sms", "voice"]
    cert: Certificate
    pin: Pin | None = None


class Verify(Body):
    """The code that came by SMS or voice, with or without the dash that it has there."""

    code: t.Annotated[str, msgspec.Meta(pattern=r"^([0-9]{1,16}|[0-9]{3}-[0-9]{3})$")]


class SetShards(Body):
    """The registered number and how many shards it is to have."""

    cc: CountryCode
    phone_number: PhoneNumber
    shards: ShardCount
    pin: Pin | None = None
    cert: Certificate | None = None


class AccountItem(msgspec.Struct):
    """The verified name."""

    vname: str


class AccountReply(msgspec.Struct):
    """What asking for a code answers."""

    account: list[AccountItem]


class ShardsItem(msgspec.Struct):
    """The configured shard count."""

    shards: int


class ShardsReply(msgspec.Struct):
    """What reading the shard count answers."""

    account: ShardsItem


_REGISTRATION_ERRORS = (Code.ACCESS_DENIED, Code.PARAMETER_INVALID, Code.TOO_MANY_REQUESTS, Code.NOT_PRIMARY_MASTER)


@routes.add(
    "POST",
    "/v1/account",
    access=Access.ADMIN,
    body=Register,
    ok={201: AccountReply, 202: AccountReply},
    errors=_REGISTRATION_ERRORS,
)
async def register(web: Webapp, call: Call[Register]) -> Reply:
    """Ask for a registration code; 201 when the number is registered already."""
    body = call.body
    request = nodes.RegistrationRequest(
        cc=body.cc, phone_number=body.phone_number, method=body.method, cert=body.cert, pin=body.pin
    )
    answer = await web.cores.on_primary(lambda node: web.cores.client.request_code(node, request))
    return Reply(answer.http_status, AccountReply([AccountItem(answer.vname)]))


@routes.add(
    "POST",
    "/v1/account/verify",
    access=Access.ADMIN,
    body=Verify,
    ok={201: META_ONLY},
    errors=_REGISTRATION_ERRORS,
)
async def verify(web: Webapp, call: Call[Verify]) -> Reply:
    """Finish the registration with the code."""
    request = nodes.VerifyRequest(call.body.code.replace("-", ""))
    await web.cores.on_primary(lambda node: web.cores.client.verify(node, request))
    return Reply(201)


@routes.add("GET", "/v1/account/shards", access=Access.ADMIN, ok={200: ShardsReply})
async def read_shards(web: Webapp, _call: Call[None]) -> Reply:
    """Read the configured shard count."""
    state = await cluster.read_state(web.engine)
    return Reply(200, ShardsReply(ShardsItem(state.shards)))


@routes.add(
    "POST",
    "/v1/account/shards",
    access=Access.ADMIN,
    body=SetShards,
    ok={201: META_ONLY},
    errors=(Code.ACCESS_DENIED, Code.NOT_PRIMARY_MASTER),
)
async def set_shards(web: Webapp, call: Call[SetShards]) -> Reply:
    """Change the shard count; every coreapp restarts."""
    body = call.body
    if body.cert is None and web.env.version >= CERT_REQUIRED_SINCE:
        raise missing("cert")
    request = nodes.ShardsRequest(
        cc=body.cc, phone_number=body.phone_number, shards=int(body.shards), pin=body.pin, cert=body.cert
    )
    await web.cores.on_primary(lambda node: web.cores.client.set_shards(node, request))
    return Reply(201)
