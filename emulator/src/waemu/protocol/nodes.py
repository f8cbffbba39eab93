"""What web and core say to each other: HTTP/1.1 with JSON over the four advertised ports (reference 2.2).

Success is 200 with one of the structs below; anything else carries C({"errors": [...]}) in the API's own
shape, so that the web passes it on unchanged. Ports are dialled as the node advertises them.
"""

from __future__ import annotations

from typing import Any

import msgspec

from waemu import codes


class ErrorItem(msgspec.Struct, omit_defaults=True):
    """One entry of C(errors); code and title as in reference 5.1."""

    code: int
    title: str
    details: str = ""


class ErrorReply(msgspec.Struct):
    """The body of every reply that is not a success."""

    errors: list[ErrorItem]


class Endpoints(msgspec.Struct, frozen=True):
    """Where a node is reached: advertised host and four outside ports, as in COREAPP_EXTERNAL_PORTS."""

    hostname: str
    messaging: int = 6250
    contacts: int = 6251
    control: int = 6252
    health: int = 6253


class OwnershipGrant(msgspec.Struct, frozen=True):
    """What the primary master vouches for: until when nobody takes these shards from this boot.

    instance_id, heard_at: the boot it last heard, and what that boot's clock was then. unhealthy_interval and
    lease_left: product seconds, see decide.safe_after_heartbeat. generation: that of the cluster. owned: the shards
    that this boot holds by the primary's map.
    """

    instance_id: str
    heard_at: float
    unhealthy_interval: float
    lease_left: float
    generation: int
    owned: frozenset[int] = frozenset()


class Heartbeat(msgspec.Struct, frozen=True):
    """POST /heartbeat: a master wants a sign of life.

    grant: from the primary, to a coreapp that it has heard before; None from every other master.
    """

    grant: OwnershipGrant | None = None


class HeartbeatReply(msgspec.Struct):
    """Who answered, and which boot of it.

    generation: of set-shards, as this boot started in it; 0 while it does not know. at: the node's own clock, which
    comes back to it with the next heartbeat.
    """

    node_key: str
    instance_id: str
    role: str
    generation: int = 0
    at: float = 0.0


class NodeStatus(msgspec.Struct):
    """What health (3.5) and support (4.5) show of a node.

    role: primary_master, secondary_master or coreapp. gateway_status: connected, connecting, disconnected,
    uninitialized or unregistered. shards: inclusive ranges. socket_conn: DN, SC, UP or UP receiving offline.
    """

    node_key: str
    instance_id: str
    role: str
    gateway_status: str
    shards: list[list[int]]
    socket_conn: str
    version: str


class MissedHeartbeats(msgspec.Struct):
    """Of one master, by node key: for how many product seconds each coreapp has answered no heartbeat."""

    seconds: dict[str, float]


class RegistrationRequest(msgspec.Struct, omit_defaults=True):
    """POST /account (4.3)."""

    cc: str
    phone_number: str
    method: str
    cert: str
    pin: str | None = None


class RegistrationReply(msgspec.Struct):
    """http_status 202: a code was sent; 201: this number is registered already."""

    http_status: int
    vname: str


class VerifyRequest(msgspec.Struct):
    """POST /account/verify (4.3)."""

    code: str


class ShardsRequest(msgspec.Struct, omit_defaults=True):
    """POST /account/shards (4.3)."""

    cc: str
    phone_number: str
    shards: int
    pin: str | None = None
    cert: str | None = None


class PinRequest(msgspec.Struct):
    """POST /settings/account/two-step (4.4)."""

    pin: str


class Done(msgspec.Struct):
    """A success that has nothing to report."""

    ok: bool = True


class SettingsReply(msgspec.Struct):
    """The application settings (4.4), nested as the API shows them; numbers are ints."""

    application: dict[str, Any]


class MessageRequest(msgspec.Struct):
    """POST /messages: a validated message. body: the request's body as it came."""

    id: str
    to: str
    wa_id: str
    type: str
    body: dict[str, Any]


class MessageAccepted(msgspec.Struct):
    """The message is queued in the core (4.7: delivery shows only by callbacks)."""

    id: str


class MessageStatus(msgspec.Struct):
    """PUT /messages/{id} with C(read)."""

    status: str


class ContactsRequest(msgspec.Struct):
    """POST /contacts (4.7)."""

    contacts: list[str]
    blocking: str = "no_wait"
    force_check: bool = False


class ContactResult(msgspec.Struct, omit_defaults=True):
    """One checked contact; status valid, processing, invalid or failed."""

    input: str
    status: str
    wa_id: str | None = None


class ContactsReply(msgspec.Struct):
    """In the order of the request."""

    contacts: list[ContactResult]


class CallbackCount(msgspec.Struct):
    """POSTs to the webhook by one boot. type: inbound_message, status_change or service. result: success or failure."""

    type: str
    result: str
    requests: int
    milliseconds: int


class DbCount(msgspec.Struct):
    """Database requests of one boot. store: a group of tables. op: select, insert, update, delete or other."""

    store: str
    op: str
    requests: int
    microseconds: int


class StatsReply(msgspec.Struct):
    """What a coreapp counts by itself (8)."""

    callbacks: list[CallbackCount]
    database: list[DbCount] = []


class GcReply(msgspec.Struct):
    """POST /services/message/gc: processing."""

    status: str


class CoreError(Exception):
    """An error to be shown to the caller of the API as it is."""

    def __init__(self, code: int, details: str = "", *, http_status: int | None = None) -> None:
        super().__init__(f"{code} {codes.title(code)}: {details}")
        self.http_status = http_status or codes.status(code)
        self.errors = [ErrorItem(code, codes.title(code), details)]

    @classmethod
    def of_reply(cls, http_status: int, body: bytes) -> CoreError:
        """The error a core answered with; a body of another shape is an internal error."""
        try:
            errors = msgspec.json.decode(body, type=ErrorReply).errors
        except msgspec.MsgspecError:
            errors = []
        if not errors:
            return cls(1014, f"unexpected answer from core (HTTP {http_status})")
        error = cls(errors[0].code, errors[0].details, http_status=http_status)
        error.errors = errors
        return error

    @property
    def code(self) -> int:
        """The code of the first error."""
        return self.errors[0].code

    def body(self) -> bytes:
        """The reply's body."""
        return msgspec.json.encode(ErrorReply(self.errors))
