"""Endpoints of messages (reference 4.7): checked here, accepted by the coreapp that owns the recipient's shard."""

from __future__ import annotations

import typing as t

import msgspec

from waemu import mediavolume, messageids, requestid
from waemu.protocol import nodes
from waemu.store import contacts, lookups, media
from waemu.web.access import Access
from waemu.web.endpoint import META_ONLY, Call, Endpoints, Reply
from waemu.web.errors import ApiError, Code, not_found
from waemu.web.messagebody import MarkRead, Media, Message, check
from waemu.web.webapp import Webapp

routes = Endpoints()

UNCHECKED_SINCE: t.Final = (2, 39)
"""Reference 4.7: from v2.39 on contacts need not be checked before they are sent to."""


class MessageItem(msgspec.Struct):
    """The id callbacks will name."""

    id: str


class MessagesReply(msgspec.Struct):
    """What sending answers: the message is queued, not delivered."""

    messages: list[MessageItem]


@routes.add(
    "POST",
    "/v1/messages",
    access=Access.USER,
    body=Message,
    ok={201: MessagesReply},
    errors=(
        Code.MESSAGE_TOO_LONG,
        Code.INVALID_RECIPIENT_TYPE,
        Code.GROUP_UNKNOWN,
        Code.BAD_USER,
        Code.NOT_FOUND,
        Code.INTERNAL,
        Code.OVERLOADED,
        Code.NOT_PRIMARY_COREAPP,
    ),
)
async def send(web: Webapp, call: Call[Message]) -> Reply:
    """Send a message."""
    message = call.body
    check(message)
    await _check_contact(web, message.to)
    await _check_media(web, message)
    as_it_came = msgspec.json.decode(await call.request.read())
    message_id = messageids.new(message.to)
    trace = requestid.current()
    if trace is not None:
        trace.message = message_id
    request = nodes.MessageRequest(id=message_id, to=message.to, wa_id=message.to, type=message.type, body=as_it_came)
    accepted = await web.cores.send(message.to, lambda node: web.cores.client.send(node, request))
    return Reply(201, MessagesReply([MessageItem(accepted.id)]))


@routes.add(
    "PUT",
    "/v1/messages/{id}",
    access=Access.USER,
    body=MarkRead,
    ok={200: META_ONLY},
    errors=(Code.NOT_FOUND, Code.NOT_PRIMARY_COREAPP),
)
async def mark_read(web: Webapp, call: Call[MarkRead]) -> Reply:
    """Mark an incoming message as read."""
    message_id = call.path["id"]
    wa_id = await lookups.sender_of_incoming(web.engine, message_id)
    if wa_id is None:
        raise not_found("There is no such incoming message")
    status = nodes.MessageStatus(call.body.status)
    await web.cores.send(wa_id, lambda node: web.cores.client.mark(node, message_id, status))
    return Reply()


async def _check_contact(web: Webapp, wa_id: str) -> None:
    """Before v2.39 a contact has to be checked, or to have written, before it is sent to (reference 4.7)."""
    if not web.env.contacts_required or web.env.version >= UNCHECKED_SINCE:
        return
    if not await contacts.is_known(web.engine, wa_id) and not await lookups.has_written(web.engine, wa_id):
        raise not_found("Unknown contact: check it with POST /v1/contacts first")


async def _check_media(web: Webapp, message: Message) -> None:
    """Media named by id must be there, and the volume they are on as well (reference 2.3)."""
    item = getattr(message, message.type)
    if not isinstance(item, Media):
        return
    if not mediavolume.writable(web.media_dir):
        raise ApiError(Code.INTERNAL, "The media directory cannot be written")
    if item.id is not None and await media.use(web.engine, item.id) is None:
        raise not_found(f"There is no such media: parameter '{message.type}.id'")
