"""What WhatsApp reports to a connected coreapp: receipts and messages, kept in the database, then called back (4.8)."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from waemu import mediavolume
from waemu.core.backoff import Backoff
from waemu.core.callback_bodies import error_item, status_body
from waemu.core.callback_queue import CallbackQueue
from waemu.core.connection import Connection
from waemu.core.gateway_link import LinkDown, MediaGone
from waemu.core.node import Node
from waemu.protocol.gateway import Event, Inbound, Receipt
from waemu.protocol.nodes import CoreError
from waemu.shards import shard_of
from waemu.store import contacts, media, messages
from waemu.store.callbacks import Callback
from waemu.store.engine import DB_ERRORS
from waemu.store.media import Media
from waemu.store.messages import Message

MEDIA_TYPES = ("audio", "document", "image", "sticker", "video", "voice")
TYPES = (*MEDIA_TYPES, "text", "contacts", "location", "interactive", "button", "system", "order", "reaction")
NOTICES = {  # kinds of system messages, and the setting that asks for them
    "user_changed_number": "notify_user_change_number",
    "user_identity_changed": "show_security_notifications",
}
RANK = {"queued": 0, "sent": 1, "delivered": 2, "read": 3, "failed": 4, "deleted": 4}
LONGEST_MIME = 128  # what the table has room for
PAUSE = 0.05  # real seconds after a connection was lost
FULL = 1.0  # product seconds between readings of a queue that has no room
log = logging.getLogger("waemu.receiver")


class Receiver:
    """Takes events from the link while it is up. Nothing is acknowledged before it is in the database."""

    def __init__(self, node: Node, connection: Connection, callbacks: CallbackQueue, media_dir: Path) -> None:
        self._node, self._connection, self._callbacks = node, connection, callbacks
        self._media_dir = media_dir

    async def run(self) -> None:
        """Until cancelled."""
        await self._node.read_once.wait()
        backoff = Backoff()
        while True:
            await self._connection.until(lambda: self._connection.is_up)
            while self._callbacks.full:  # what has no room stays with WhatsApp
                await self._node.clock.sleep(FULL)
            link = self._connection.link
            try:
                events = await link.receive()
                await self._keep(events)
                await link.acknowledge(events)
                backoff.reset()
            except LinkDown as error:
                # The connection notices by itself; there may be another one already, which is none of this one's fault.
                log.debug("What WhatsApp reported is reported again later: %s", error)
                await asyncio.sleep(PAUSE)
            except DB_ERRORS as error:
                log.error("Could not keep what WhatsApp reported: %s", error)
                await self._node.clock.sleep(backoff.next())

    async def _keep(self, events: Sequence[Event]) -> None:
        node = self._node
        known = await node.db(messages.statuses(node.engine, {event_id(event) for event in events}))
        receipts, inbound = unknown(events, known)
        blocked = await self._blocked({message.wa_id for message in inbound})
        inbound = [one for one in inbound if one.wa_id not in blocked and is_enabled(one, node.settings)]
        problems = {message.id: await self._problem(message) for message in inbound}
        calls = [
            *(
                _status(receipt, node.shards, priced=self._callbacks.priced)
                for receipt in receipts
                if self._callbacks.wants_status(receipt.status)
            ),
            *(_message(message, node.shards, problems[message.id]) for message in inbound),
        ]
        reached: dict[str, list[str]] = defaultdict(list)
        for receipt in receipts:
            reached[receipt.status].append(receipt.message_id)
        done = [item.message_id for item in receipts if item.status in ("delivered", "read")]
        await node.db(
            messages.receive(
                node.engine,
                node.me.node_key,
                reached=reached,
                inbound=[_kept(message, node.shards) for message in inbound],
                files=[self._file(message) for message in inbound if is_media(message)],
                drop=done if node.at_boot("pass_through") else (),
                calls=self._callbacks.to_write(calls),
            )
        )
        self._callbacks.queued(calls)

    async def _blocked(self, senders: set[str]) -> set[str]:
        """Those of some users whom the business has blocked, which it can since v2.43 (4.7)."""
        node = self._node
        if not senders or node.env.version < contacts.BLOCK_SINCE:
            return set()
        return await node.db(contacts.blocked(node.engine, senders))

    async def _problem(self, message: Inbound) -> dict[str, Any] | None:
        """Download media of a type that is downloaded by itself (4.4). What the callback has to say of a failure."""
        if message.type not in TYPES:
            return error_item(501, f"Messages of type {message.type} are not supported")
        if not is_media(message) or message.type not in self._node.settings["media"]["auto_download"]:
            return None
        try:
            await self.fetch(message.body["id"])
        except (MediaGone, OSError) as error:
            log.error("Could not store media %s: %s", message.body["id"], error)
            return error_item(400, f"Media {message.body['id']} could not be downloaded")
        return None

    async def fetch(self, media_id: str) -> int:
        """Download received media to the volume; returns the size. Raises LinkDown, MediaGone, OSError."""
        content = await self._connection.link.download(media_id)
        await asyncio.to_thread(mediavolume.write_incoming, self._media_dir, media_id, content)
        return len(content)

    async def fetch_later(self, media_id: str) -> None:
        """Download what was not downloaded by itself, when somebody asks for it. Raises CoreError."""
        try:
            size = await self.fetch(media_id)
        except LinkDown as error:
            raise CoreError(1014, f"Media cannot be downloaded at the moment: {error}") from error
        except MediaGone as error:
            raise CoreError(1006, "WhatsApp does not have this media any more") from error
        except OSError as error:
            raise CoreError(1005, f"The media directory cannot be written: {error.strerror}") from error
        await self._node.db(media.downloaded(self._node.engine, media_id, size))

    def _file(self, message: Inbound) -> tuple[Media, str]:
        path = mediavolume.path(self._media_dir, message.body["id"], mediavolume.INCOMING)
        size = path.stat().st_size if path.is_file() else 0
        return Media(
            message.body["id"], str(message.body.get("mime_type", ""))[:LONGEST_MIME], size, incoming=True
        ), str(path)


def is_enabled(message: Inbound, settings: Mapping[str, Any]) -> bool:
    """Whether the business wants to hear of it: two kinds of notices have settings of their own (4.4). Pure."""
    if message.type != "system":
        return True
    setting = NOTICES.get(str(message.body.get("type")))
    return setting is None or bool(settings[setting])


def is_media(message: Inbound) -> bool:
    """Whether there is a file to download."""
    return message.type in MEDIA_TYPES and "id" in message.body


def event_id(event: Event) -> str:
    """The message an event is about."""
    return event.id if isinstance(event, Inbound) else event.message_id


def unknown(events: Sequence[Event], known: Mapping[str, str]) -> tuple[list[Receipt], list[Inbound]]:
    """What of the events was not known before. known: status by id, of the messages the database has. Pure.

    A message that is gone from the database (cleaned up) is reported too, whatever the receipt says.
    """
    receipts: list[Receipt] = []
    inbound: dict[str, Inbound] = {}
    now = {message_id: RANK.get(status, 0) for message_id, status in known.items()}
    for event in events:
        if isinstance(event, Inbound):
            if event.id not in known:
                inbound.setdefault(event.id, event)
        elif RANK[event.status] > now.get(event.message_id, -1):
            now[event.message_id] = RANK[event.status]
            receipts.append(event)
    return receipts, list(inbound.values())


def _status(receipt: Receipt, shards: int, *, priced: bool) -> Callback:
    body = status_body(receipt.message_id, receipt.wa_id, receipt.status, receipt.at, receipt.errors, priced=priced)
    return Callback("status_change", shard_of(receipt.wa_id, shards), body)


def _message(message: Inbound, shards: int, problem: dict[str, Any] | None) -> Callback:
    item = {"from": message.wa_id, "id": message.id, "timestamp": str(message.at), "type": message.type}
    body: dict[str, Any] = {
        "contacts": [{"profile": {"name": message.name}, "wa_id": message.wa_id}],
        "messages": [{**item, message.type: message.body}],
    }
    if problem is not None:
        body["errors"] = [problem]
    return Callback("inbound_message", shard_of(message.wa_id, shards), body)


def _kept(message: Inbound, shards: int) -> Message:
    return Message(message.id, message.wa_id, shard_of(message.wa_id, shards), message.type, message.body)
