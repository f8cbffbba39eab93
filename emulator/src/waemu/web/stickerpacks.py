"""Endpoints of sticker packs and the stickers in them (reference 4.7, 4.10)."""

from __future__ import annotations

import typing as t
import uuid

import msgspec
from msgspec import UNSET, UnsetType

from waemu.store import profile
from waemu.web.access import Access
from waemu.web.bodies import Body, Sparse, sent
from waemu.web.endpoint import META_ONLY, Call, Endpoints, Reply
from waemu.web.errors import Code, not_found
from waemu.web.webapp import Webapp

routes = Endpoints()

PACK: t.Final = "stickerpack:"
STICKERS: t.Final = "stickers:"
PATH: t.Final = "/v1/stickerpacks"
ONE: t.Final = PATH + "/{id}"
ITS_STICKERS: t.Final = ONE + "/stickers"
STICKER: t.Final = ITS_STICKERS + "/{index}"

Text = t.Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Emojis = t.Annotated[list[Text], msgspec.Meta(max_length=3)]


class NewPack(Body):
    """A sticker pack without its stickers."""

    publisher: Text
    name: Text
    ios_app_store_link: Text | None = None
    android_app_store_link: Text | None = None


class PackChange(Sparse):
    """What is to be different about a sticker pack."""

    publisher: Text | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    ios_app_store_link: Text | UnsetType = UNSET
    android_app_store_link: Text | UnsetType = UNSET


class NewSticker(Body):
    """An uploaded picture as a sticker."""

    image_data_id: Text
    emojis: Emojis = []


class StickerChange(Sparse):
    """What is to be different about a sticker."""

    image_data_id: Text | UnsetType = UNSET
    emojis: Emojis | UnsetType = UNSET


class PacksReply(msgspec.Struct):
    """Sticker packs; when one was created only its id."""

    stickerpacks: list[dict[str, t.Any]]


class StickersReply(msgspec.Struct):
    """Stickers of a pack, each with its place; when one was added only that."""

    stickers: list[dict[str, t.Any]]


@routes.add("GET", PATH, access=Access.USER, ok={200: PacksReply})
async def read_packs(web: Webapp, _call: Call[None]) -> Reply:
    """Read all sticker packs."""
    packs = await profile.read_all(web.engine, PACK)
    return Reply(200, {"stickerpacks": [{"id": key, **pack} for key, pack in packs.items()]})


@routes.add("POST", PATH, access=Access.USER, body=NewPack, ok={201: PacksReply})
async def create_pack(web: Webapp, call: Call[NewPack]) -> Reply:
    """Create a sticker pack."""
    key = str(uuid.uuid4())
    await profile.write(web.engine, PACK + key, sent(call.body))
    return Reply(201, {"stickerpacks": [{"id": key}]})


@routes.add("GET", ONE, access=Access.USER, ok={200: PacksReply}, errors=(Code.NOT_FOUND,))
async def read_pack(web: Webapp, call: Call[None]) -> Reply:
    """Read a sticker pack."""
    key, pack = await _pack(web, call)
    return Reply(200, {"stickerpacks": [{"id": key, **pack}]})


@routes.add("PATCH", ONE, access=Access.USER, body=PackChange, ok={200: META_ONLY}, errors=(Code.NOT_FOUND,))
async def change_pack(web: Webapp, call: Call[PackChange]) -> Reply:
    """Change a sticker pack."""
    key, pack = await _pack(web, call)
    await profile.write(web.engine, PACK + key, {**pack, **sent(call.body)})
    return Reply()


@routes.add("DELETE", ONE, access=Access.USER, ok={200: META_ONLY}, errors=(Code.NOT_FOUND,))
async def delete_pack(web: Webapp, call: Call[None]) -> Reply:
    """Delete a sticker pack with its stickers."""
    key, _ = await _pack(web, call)
    await profile.delete(web.engine, STICKERS + key)
    await profile.delete(web.engine, PACK + key)
    return Reply()


@routes.add("GET", ITS_STICKERS, access=Access.USER, ok={200: StickersReply}, errors=(Code.NOT_FOUND,))
async def read_stickers(web: Webapp, call: Call[None]) -> Reply:
    """Read the stickers of a pack."""
    _, stickers = await _stickers(web, call)
    return Reply(200, {"stickers": [{"index": index, **sticker} for index, sticker in enumerate(stickers)]})


@routes.add(
    "POST", ITS_STICKERS, access=Access.USER, body=NewSticker, ok={201: StickersReply}, errors=(Code.NOT_FOUND,)
)
async def add_sticker(web: Webapp, call: Call[NewSticker]) -> Reply:
    """Add a sticker at the end of a pack."""
    key, stickers = await _stickers(web, call)
    await profile.write(web.engine, STICKERS + key, [*stickers, sent(call.body)])
    return Reply(201, {"stickers": [{"index": len(stickers)}]})


@routes.add("GET", STICKER, access=Access.USER, ok={200: StickersReply}, errors=(Code.NOT_FOUND,))
async def read_sticker(web: Webapp, call: Call[None]) -> Reply:
    """Read a sticker of a pack."""
    _, stickers = await _stickers(web, call)
    index = _index(stickers, call)
    return Reply(200, {"stickers": [{"index": index, **stickers[index]}]})


@routes.add("PATCH", STICKER, access=Access.USER, body=StickerChange, ok={200: META_ONLY}, errors=(Code.NOT_FOUND,))
async def change_sticker(web: Webapp, call: Call[StickerChange]) -> Reply:
    """Change a sticker of a pack."""
    key, stickers = await _stickers(web, call)
    index = _index(stickers, call)
    stickers[index] = {**stickers[index], **sent(call.body)}
    await profile.write(web.engine, STICKERS + key, stickers)
    return Reply()


@routes.add("DELETE", STICKER, access=Access.USER, ok={200: META_ONLY}, errors=(Code.NOT_FOUND,))
async def delete_sticker(web: Webapp, call: Call[None]) -> Reply:
    """Take a sticker out of a pack; those behind it move up."""
    key, stickers = await _stickers(web, call)
    del stickers[_index(stickers, call)]
    await profile.write(web.engine, STICKERS + key, stickers)
    return Reply()


async def _pack(web: Webapp, call: Call[t.Any]) -> tuple[str, dict[str, t.Any]]:
    key = call.path["id"]
    pack = await profile.read(web.engine, PACK + key) if key.isprintable() and len(key) <= 36 else None
    if pack is None:
        raise not_found("There is no such sticker pack")
    return key, pack


async def _stickers(web: Webapp, call: Call[t.Any]) -> tuple[str, list[dict[str, t.Any]]]:
    key, _ = await _pack(web, call)
    return key, await profile.read(web.engine, STICKERS + key) or []


def _index(stickers: list[dict[str, t.Any]], call: Call[t.Any]) -> int:
    text = call.path["index"]
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and int(text) < len(stickers)):
        raise not_found("There is no such sticker in this pack")
    return int(text)
