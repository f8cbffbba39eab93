"""What a node and the gateway say to each other: a WebSocket with one JSON object per frame, and some HTTP calls.

Numbers are country code and phone number in one, digits only. The emulator's own; the product's is not documented.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import msgspec

LINK_PATH = "/link"
CODE_PATH = "/registration/code"
VERIFY_PATH = "/registration/verify"
SHARDS_PATH = "/shards"
MEDIA_PATH = "/media"

PING_PERIOD = 5.0  # product seconds between signs of life on a link
SILENT_AFTER = 15.0  # product seconds without any: the link is dead; well before unhealthy_interval
SILENT_FLOOR = 3.0  # real seconds; a fast clock must not make a slow machine look dead

# Why the gateway refuses or closes a link.
BANNED, LOGGED_OFF, DISCONNECTED = "banned", "logged_off", "disconnected"
CUT, SILENT, REPLACED = "cut", "silent", "replaced"
LASTING = (BANNED, LOGGED_OFF, DISCONNECTED)  # trying again at once is of no use

LARGEST_BATCH = 200  # events in one frame
Status = Literal["delivered", "read", "failed", "deleted"]
DELIVERED: Status = "delivered"
READ: Status = "read"


class Receipt(msgspec.Struct, frozen=True, tag_field="event", tag="receipt"):
    """What became of a message that was sent. at: UNIX seconds. errors: as in callbacks, codes of reference 5.2."""

    message_id: str
    wa_id: str
    status: Status
    at: int
    errors: tuple[dict[str, Any], ...] = ()


class Inbound(msgspec.Struct, frozen=True, tag_field="event", tag="inbound"):
    """A message from somebody (wa_id, with a profile name). body: the object named like its type. at: UNIX seconds."""

    id: str
    wa_id: str
    name: str
    type: str
    body: dict[str, Any]
    at: int


Event = Receipt | Inbound


class TemplateButton(msgspec.Struct, frozen=True):
    """A button under a template. url: with C({{1}}) at its end it takes one parameter."""

    type: Literal["quick_reply", "url", "phone_number"]
    url: str = ""


class Template(msgspec.Struct, frozen=True):
    """One template in one language. Texts hold C({{1}}), C({{2}}) ... where parameters go.

    header: empty, text, image, document or video. status: approved, or one of those that
    make a message fail (whatsapp/templates.py).
    """

    namespace: str
    name: str
    language: str
    body: str
    header: Literal["", "text", "image", "document", "video"] = ""
    header_text: str = ""
    buttons: tuple[TemplateButton, ...] = ()
    status: Literal["approved", "rejected", "paused", "disabled", "unfetchable"] = "approved"


class Directory(msgspec.Struct, frozen=True):
    """Everybody is a user of WhatsApp but those named here.

    users: WhatsApp id to what is wrong with it, 1013 or 1026. templates: those the number has; while there are
    none at all, messages are not compared with any.
    """

    users: dict[str, int] = {}
    templates: tuple[Template, ...] = ()


class Hello(msgspec.Struct, tag="hello", tag_field="kind"):
    """A node wants to be connected for these shards of count; identity: digest of the registration's keys."""

    number: str
    identity: str
    node: str
    instance: str
    shards: list[int]
    count: int
    version: str = ""


class Welcome(msgspec.Struct, tag="welcome", tag_field="kind"):
    """Connected. directory: what the node has to know of users and templates. waiting: events that come now."""

    directory: Directory = Directory()
    waiting: int = 0


class Known(msgspec.Struct, tag="known", tag_field="kind"):
    """The directory has changed."""

    directory: Directory


class Closed(msgspec.Struct, tag="closed", tag_field="kind"):
    """Refused, or closed later; seconds: real seconds for which trying again is of no use."""

    reason: str
    seconds: float = 0.0


class Ping(msgspec.Struct, tag="ping", tag_field="kind"):
    """Answer with pong."""


class Pong(msgspec.Struct, tag="pong", tag_field="kind"):
    """A sign of life."""


class Outgoing(msgspec.Struct):
    """A message of the business."""

    id: str
    wa_id: str
    type: str
    body: dict[str, Any]


class Send(msgspec.Struct, tag="send", tag_field="kind"):
    """Messages to accept; batch is returned."""

    batch: int
    messages: list[Outgoing]


class Accepted(msgspec.Struct, tag="accepted", tag_field="kind"):
    """All messages of the batch are in the ledger."""

    batch: int


class Events(msgspec.Struct, tag="events", tag_field="kind"):
    """News for a node; it answers with handled once they are safe."""

    batch: int
    events: list[Event]


class Handled(msgspec.Struct, tag="handled", tag_field="kind"):
    """The events of the batch need not be sent again."""

    batch: int


class Seen(msgspec.Struct, tag="seen", tag_field="kind"):
    """The business has read a message of a user."""

    message_id: str


FromNode = Hello | Ping | Pong | Send | Handled | Seen
FromGateway = Welcome | Known | Closed | Ping | Pong | Accepted | Events


class CodeRequest(msgspec.Struct):
    """Send a registration code to a number by sms or voice."""

    number: str
    method: str


class CodeCheck(msgspec.Struct):
    """The code, and the digest of the keys that become valid with it."""

    number: str
    code: str
    identity: str


class CodeResult(msgspec.Struct):
    """Whether the code was right."""

    right: bool


class ShardsCheck(msgspec.Struct):
    """Set-shards as WhatsApp sees it. registered_age: product seconds since the registration."""

    number: str
    cert: str | None
    registered_age: float


class ShardsResult(msgspec.Struct):
    """What WhatsApp makes of set-shards.

    outcome: ok; refused (403, try again); banned (expired certificate), logged_off (wrong certificate): no change;
    disconnected (certificate missing too late): changed, but the client is out. seconds: real ones, of a ban.
    crash_at: the step at which the master is to crash, for tests; empty for none.
    """

    outcome: str
    details: str = ""
    seconds: float = 0.0
    crash_at: str = ""


encode = msgspec.json.encode
decode_from_node = msgspec.json.Decoder(FromNode).decode
decode_from_gateway = msgspec.json.Decoder(FromGateway).decode


def digest(text: str) -> str:
    """What may be shown or kept of a secret."""
    return hashlib.sha256(text.encode()).hexdigest()
