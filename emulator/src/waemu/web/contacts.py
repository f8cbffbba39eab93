"""Endpoints of contacts (reference 4.7): checked by a coreapp, cached for seven days."""

from __future__ import annotations

import datetime as dt
import logging
import typing as t

import msgspec

from waemu.clock import CONTACT_LIFE
from waemu.protocol import nodes
from waemu.protocol.nodes import CoreError
from waemu.store import contacts
from waemu.store.contacts import Checked
from waemu.store.engine import DB_ERRORS
from waemu.web.access import Access
from waemu.web.bodies import Body
from waemu.web.endpoint import META_ONLY, Call, Endpoints, Reply
from waemu.web.errors import ApiError, Code, invalid, not_found
from waemu.web.webapp import Webapp

routes = Endpoints()

log = logging.getLogger("waemu.web")

ALWAYS_VALID_SINCE: t.Final = (2, 43)
"""Reference 4.7: from v2.43 every number is answered as valid, without asking anybody."""

SHARD: t.Final = 0
"""Whose owner checks contacts: one that is connected, whatever the shard count."""

LONGEST: t.Final = 64


class CheckContacts(Body):
    """Contacts as the business has them written down."""

    contacts: t.Annotated[
        list[t.Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST)]], msgspec.Meta(min_length=1)
    ]
    blocking: t.Literal["no_wait", "wait"] = "no_wait"
    force_check: bool = False


class ContactItem(msgspec.Struct, omit_defaults=True):
    """One contact, in the order of the request."""

    input: str
    status: str
    wa_id: str | None = None


class ContactsReply(msgspec.Struct):
    """What a check answers."""

    contacts: list[ContactItem]


class IdentityItem(msgspec.Struct):
    """A contact's identity: its hash, whether the business has acknowledged it, and since when (seconds)."""

    hash: str
    acknowledged: bool
    created_timestamp: int


class IdentityReply(msgspec.Struct):
    """What reading an identity answers."""

    identity: IdentityItem


class Acknowledge(Body):
    """The hash the business accepts."""

    hash: t.Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST)]


@routes.add(
    "POST",
    "/v1/contacts",
    access=Access.USER,
    body=CheckContacts,
    ok={200: ContactsReply},
    errors=(Code.INTERNAL, Code.NOT_PRIMARY_COREAPP),
)
async def check(web: Webapp, call: Call[CheckContacts]) -> Reply:
    """Check which contacts are WhatsApp users."""
    inputs = list(dict.fromkeys(call.body.contacts))
    if not all(text.isprintable() for text in inputs):
        raise invalid("contacts", "must be printable text")
    if web.env.version >= ALWAYS_VALID_SINCE:
        results = {text: assumed(text) for text in inputs}
        await contacts.write(web.engine, [item for item in results.values() if item.wa_id])
    else:
        results = await _checked(web, inputs, call.body)
    found = [results.get(text) or Checked(text, "processing", None) for text in call.body.contacts]
    return Reply(200, ContactsReply([ContactItem(item.input, item.status, item.wa_id) for item in found]))


@routes.add(
    "GET",
    "/v1/contacts/{wa_id}/identity",
    access=Access.USER,
    ok={200: IdentityReply},
    errors=(Code.NOT_FOUND,),
)
async def read_identity(web: Webapp, call: Call[None]) -> Reply:
    """Read the identity of a contact."""
    found = await _identity(web, call.path["wa_id"])
    return Reply(200, IdentityReply(_item(found)))


@routes.add(
    "PUT",
    "/v1/contacts/{wa_id}/identity",
    access=Access.USER,
    body=Acknowledge,
    ok={200: META_ONLY},
    errors=(Code.NOT_FOUND, Code.IDENTITY_CHANGED),
)
async def acknowledge(web: Webapp, call: Call[Acknowledge]) -> Reply:
    """Acknowledge the identity of a contact."""
    wa_id = call.path["wa_id"]
    found = await _identity(web, wa_id)
    if call.body.hash != found.hash:
        raise ApiError(Code.IDENTITY_CHANGED, "Parameter 'hash' is not the contact's identity now")
    await contacts.acknowledge(web.engine, wa_id, call.body.hash)
    return Reply()


@routes.add(
    "POST",
    "/v1/contacts/{phone}/block",
    access=Access.USER,
    ok={200: META_ONLY},
    errors=(Code.NOT_FOUND,),
    since=contacts.BLOCK_SINCE,
)
async def block(web: Webapp, call: Call[None]) -> Reply:
    """Block a contact."""
    return await _block(web, call, blocked=True)


@routes.add(
    "DELETE",
    "/v1/contacts/{phone}/block",
    access=Access.USER,
    ok={200: META_ONLY},
    errors=(Code.NOT_FOUND,),
    since=contacts.BLOCK_SINCE,
)
async def unblock(web: Webapp, call: Call[None]) -> Reply:
    """Unblock a contact."""
    return await _block(web, call, blocked=False)


def assumed(text: str) -> Checked:
    """What v2.43 and later answer for any number: valid, with its digits as WhatsApp id."""
    digits = "".join(character for character in text if character in "0123456789")
    return Checked(text, "valid", digits) if digits else Checked(text, "invalid", None)


async def _checked(web: Webapp, inputs: list[str], body: CheckContacts) -> dict[str, Checked]:
    """Cached results, and those of the others: now, or soon where the client does not wait."""
    cached = {} if body.force_check else await contacts.read(web.engine, inputs, CONTACT_LIFE)
    unknown = [text for text in inputs if text not in cached]
    if not unknown:
        return cached
    if body.blocking == "wait":
        return cached | await _check(web, unknown, force=body.force_check)
    web.in_background(_check_quietly(web, unknown, force=body.force_check))
    return cached


async def _check(web: Webapp, inputs: list[str], *, force: bool) -> dict[str, Checked]:
    request = nodes.ContactsRequest(contacts=inputs, blocking="wait", force_check=force)
    answer = await web.cores.at_shard(SHARD, lambda node: web.cores.client.contacts(node, request))
    results = [Checked(item.input, item.status, item.wa_id) for item in answer.contacts]
    await contacts.write(web.engine, [item for item in results if item.status in ("valid", "invalid")])
    return {item.input: item for item in results}


async def _check_quietly(web: Webapp, inputs: list[str], *, force: bool) -> None:
    try:
        await _check(web, inputs, force=force)
    except (CoreError, *DB_ERRORS) as error:
        log.warning("%d contacts could not be checked: %s", len(inputs), error)


async def _identity(web: Webapp, wa_id: str) -> contacts.Identity:
    found = await contacts.identity(web.engine, wa_id)
    if found is None:
        raise not_found("There is no such contact; contacts become known when they are checked")
    return found


def _item(found: contacts.Identity) -> IdentityItem:
    since = int(found.created_at.replace(tzinfo=dt.UTC).timestamp())
    return IdentityItem(found.hash, found.acknowledged == found.hash, since)


async def _block(web: Webapp, call: Call[None], *, blocked: bool) -> Reply:
    if not await contacts.block(web.engine, call.path["phone"], blocked=blocked):
        raise not_found("There is no such contact; contacts become known when they are checked")
    return Reply()
