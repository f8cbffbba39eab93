"""A coreapp's garbage collection: messages that are done with, and media that nobody used (reference 4.4, 4.7)."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from waemu import mediagc
from waemu.clock import COLLECT_PERIOD
from waemu.core.callback_queue import CallbackQueue
from waemu.core.connection import Connection
from waemu.core.node import Node
from waemu.store import media, messages
from waemu.store.callbacks import SERVICE_SHARD
from waemu.store.engine import DB_ERRORS

log = logging.getLogger("waemu.coreapp")


class GarbageCollector:
    """Runs when it is asked to, with a callback that reports it; by itself every hour where the settings say so."""

    def __init__(self, node: Node, connection: Connection, callbacks: CallbackQueue, media_dir: Path) -> None:
        self._node, self._connection, self._callbacks = node, connection, callbacks
        self._media_dir = media_dir
        self.collect_every = COLLECT_PERIOD
        self._requested = asyncio.Event()

    def request(self) -> None:
        """The service that deletes messages (4.7), in the background."""
        self._requested.set()

    async def run(self) -> None:
        """Until cancelled."""
        await self._node.read_once.wait()
        by_itself = self._node.at_boot("garbagecollector_enable.messages")
        media_too = self._node.at_boot("garbagecollector_enable.media")
        while True:
            try:
                async with asyncio.timeout(self._node.clock.scaled(self.collect_every)):
                    await self._requested.wait()
            except TimeoutError:
                if by_itself:
                    await self._delete_messages()
                if media_too and SERVICE_SHARD in self._connection.shards:
                    await self._delete_media()
                continue
            self._requested.clear()
            await self._report(await self._delete_messages())

    async def _delete_messages(self) -> int | None:
        """Delete the messages of this node's shards that are done with; returns how many, None when that failed."""
        node = self._node
        try:
            deleted = await node.db(messages.collect(node.engine, node.kept_shards(self._connection.shards)))
        except DB_ERRORS as error:
            log.error("Message cleanup failed: %s", error)
            return None
        log.info("Message cleanup complete: messages_deleted=%d", deleted)
        return deleted

    async def _delete_media(self) -> None:
        node = self._node
        try:
            if await node.db(media.begin_gc(node.engine)):
                await mediagc.run(node.engine, self._media_dir, node.clock)
        except DB_ERRORS as error:
            log.error("Media cleanup failed: %s", error)

    async def _report(self, deleted: int | None) -> None:
        report: dict[str, object] = {
            "messages_deleted": deleted or 0,
            "status": "failed" if deleted is None else "complete",
        }
        if self._node.env.multiconnect:
            report["node"] = self._node.me.node_key
        try:
            await self._callbacks.report({"services": [{"message": {"gc": report}}]})
        except DB_ERRORS as error:
            log.error("Could not report the message cleanup: %s", error)
