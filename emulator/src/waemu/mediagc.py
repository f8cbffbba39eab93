"""The media cleanup (reference 4.7): deletes what nobody used for 30 days; one runs at a time in a cluster."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from waemu import mediavolume
from waemu.clock import MEDIA_UNUSED, Clock
from waemu.store import callbacks, config, media
from waemu.store.callbacks import SERVICE_SHARD, Callback
from waemu.store.engine import DB_ERRORS

log = logging.getLogger("waemu.media")


async def run(engine: AsyncEngine, media_dir: Path, clock: Clock, *, reporter: str = "") -> None:
    """The work itself, after media.begin_gc. reporter: who calls the webhook, empty: nobody. Raises DB_ERRORS."""
    deleted, status = 0, "failed"
    try:
        for media_id in await media.unused(engine, clock.scaled(MEDIA_UNUSED)):
            await asyncio.to_thread(mediavolume.remove, media_dir, media_id)
            await media.forget(engine, media_id)
            deleted += 1
        status = "complete"
        log.info("Media cleanup complete: items_deleted=%d", deleted)
    except DB_ERRORS as error:  # OSError of the volume among them
        log.error("Could not delete media files: %s", error)
    await media.end_gc(engine)
    if reporter and (await config.read_settings(engine))["webhooks"]["url"]:
        body = {"services": [{"media": {"gc": {"items_deleted": deleted, "node": reporter, "status": status}}}]}
        await callbacks.queue(engine, [Callback("service", SERVICE_SHARD, body)])
