"""Endpoints of media (reference 4.7): bytes on the shared volume, a row in the database."""

from __future__ import annotations

import asyncio

import msgspec

from waemu import mediavolume
from waemu.store import media
from waemu.web import mediafiles
from waemu.web.access import Access
from waemu.web.endpoint import BINARY_REPLY, META_ONLY, BodyKind, Call, Endpoints, Reply
from waemu.web.errors import Code, not_found
from waemu.web.webapp import Webapp

routes = Endpoints()


class MediaItem(msgspec.Struct):
    """The id messages name."""

    id: str


class MediaReply(msgspec.Struct):
    """What an upload answers."""

    media: list[MediaItem]


@routes.add(
    "POST",
    "/v1/media",
    access=Access.USER,
    body_kind=BodyKind.STREAM,
    ok={200: MediaReply},
    errors=(Code.PARAMETER_MISSING, Code.PARAMETER_INVALID, Code.ACCESS_DENIED, Code.INTERNAL),
)
async def upload(web: Webapp, call: Call[None]) -> Reply:
    """Upload media; the Content-Type says what it is."""
    saved = await mediafiles.receive(call.request, web.media_dir)
    item = media.Media(saved.id, saved.mime, saved.size)
    await media.add(web.engine, item, str(mediavolume.path(web.media_dir, saved.id)))
    return Reply(200, MediaReply([MediaItem(saved.id)]))


@routes.add(
    "GET",
    "/v1/media/{id}",
    access=Access.USER,
    ok={200: BINARY_REPLY},
    errors=(Code.NOT_FOUND, Code.ACCESS_DENIED, Code.NOT_PRIMARY_COREAPP),
)
async def download(web: Webapp, call: Call[None]) -> Reply:
    """Download media."""
    item = await media.use(web.engine, call.path["id"])
    if item is None:
        raise not_found("There is no such media")
    file = await asyncio.to_thread(mediavolume.find, web.media_dir, item.id)
    if file is None and item.incoming:  # of a type that is not downloaded by itself (4.4)
        await web.cores.at_shard(0, lambda node: web.cores.client.fetch_media(node, item.id))
        file = await asyncio.to_thread(mediavolume.find, web.media_dir, item.id)
    if file is None:
        raise not_found("The file of this media is gone")
    return Reply(200, file=file, content_type=item.mime)


@routes.add(
    "DELETE",
    "/v1/media/{id}",
    access=Access.USER,
    ok={200: META_ONLY},
    errors=(Code.NOT_FOUND, Code.ACCESS_DENIED),
)
async def delete(web: Webapp, call: Call[None]) -> Reply:
    """Delete media."""
    item = await media.use(web.engine, call.path["id"])
    if item is None:
        raise not_found("There is no such media")
    await asyncio.to_thread(mediafiles.remove, web.media_dir, item.id)
    await media.forget(web.engine, item.id)
    return Reply()
