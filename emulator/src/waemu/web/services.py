"""Endpoints of the cleanup services (reference 4.7). They answer at once; a callback reports the end."""

from __future__ import annotations

import asyncio
import logging
import typing as t

import msgspec

from waemu import mediagc, mediavolume
from waemu.protocol.nodes import CoreError
from waemu.protocol.nodes import Endpoints as NodeEndpoints
from waemu.store import media
from waemu.store.engine import DB_ERRORS
from waemu.web.access import Access
from waemu.web.endpoint import Call, Endpoints, Reply
from waemu.web.errors import ApiError, Code
from waemu.web.webapp import Webapp

routes = Endpoints()

log = logging.getLogger("waemu.web")


class GcReply(msgspec.Struct):
    """C(services.message.gc) or C(services.media.gc): the status, in a cluster by coreapp for messages."""

    services: dict[str, dict[str, dict[str, t.Any]]]


@routes.add("PUT", "/v1/services/message/gc", access=Access.USER, ok={200: GcReply}, errors=(Code.INTERNAL,))
async def message_gc(web: Webapp, _call: Call[None]) -> Reply:
    """Let every coreapp drop the messages that are done with."""
    coreapps = await web.cores.coreapps()
    answers = await asyncio.gather(*(_collect(web, node) for node in coreapps.values()))
    failures = [answer for answer in answers if isinstance(answer, CoreError)]
    if len(failures) == len(answers):
        raise failures[0] if failures else ApiError(Code.INTERNAL, "There is no coreapp that could be reached")
    if not web.cores.is_cluster:
        return _reply("message", answers[0])
    found = {
        key: {"errors": answer.errors} if isinstance(answer, CoreError) else answer
        for key, answer in zip(coreapps, answers, strict=True)
    }
    return _reply("message", found)


@routes.add("PUT", "/v1/services/media/gc", access=Access.USER, ok={200: GcReply}, errors=(Code.INTERNAL,))
async def media_gc(web: Webapp, _call: Call[None]) -> Reply:
    """Delete media that nobody used for 30 days; one cleanup runs at a time."""
    if not mediavolume.writable(web.media_dir):
        raise ApiError(Code.INTERNAL, "Could not delete media files")
    if await media.begin_gc(web.engine):
        web.in_background(_delete_unused(web))
    return _reply("media", {"status": "processing"})


async def _collect(web: Webapp, node: NodeEndpoints) -> dict[str, str] | CoreError:
    try:
        return {"status": (await web.cores.client.message_gc(node)).status}
    except CoreError as error:
        return error


async def _delete_unused(web: Webapp) -> None:
    try:
        await mediagc.run(web.engine, web.media_dir, web.clock, reporter=web.env.container)
    except DB_ERRORS as error:
        log.error("Could not end the media cleanup: %s", error)


def _reply(what: str, gc: t.Any) -> Reply:
    return Reply(200, {"services": {what: {"gc": gc}}})
