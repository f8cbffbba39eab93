"""Endpoints that are old or rarely used (reference 4.7): sticker packs, and groups, of which there are none."""

from __future__ import annotations

import typing as t
import uuid

import msgspec
from msgspec import UNSET, UnsetType

from waemu.store import profile
from waemu.web.access import Access
from waemu.web.bodies import Body, Sparse, sent
from waemu.web.endpoint import META_ONLY, Call, Endpoints, Reply
from waemu.web.errors import ApiError, Code, not_found
from waemu.web.webapp import Webapp

routes = Endpoints()

PACK: t.Final = "stickerpack:"

Text = t.Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


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


class PacksReply(msgspec.Struct):
    """Sticker packs; when one was created only its id."""

    stickerpacks: list[dict[str, t.Any]]


class GroupsReply(msgspec.Struct):
    """Groups: none, since the client no longer creates any."""

    groups: list[dict[str, t.Any]]


@routes.add("GET", "/v1/stickerpacks", access=Access.USER, ok={200: PacksReply})
async def read_packs(web: Webapp, _call: Call[None]) -> Reply:
    """Read all sticker packs."""
    packs = await profile.read_all(web.engine, PACK)
    return Reply(200, {"stickerpacks": [{"id": key, **pack} for key, pack in packs.items()]})


@routes.add("POST", "/v1/stickerpacks", access=Access.USER, body=NewPack, ok={201: PacksReply})
async def create_pack(web: Webapp, call: Call[NewPack]) -> Reply:
    """Create a sticker pack."""
    key = str(uuid.uuid4())
    await profile.write(web.engine, PACK + key, sent(call.body))
    return Reply(201, {"stickerpacks": [{"id": key}]})


@routes.add("GET", "/v1/stickerpacks/{id}", access=Access.USER, ok={200: PacksReply}, errors=(Code.NOT_FOUND,))
async def read_pack(web: Webapp, call: Call[None]) -> Reply:
    """Read a sticker pack."""
    key, pack = await _pack(web, call)
    return Reply(200, {"stickerpacks": [{"id": key, **pack}]})


@routes.add(
    "PATCH",
    "/v1/stickerpacks/{id}",
    access=Access.USER,
    body=PackChange,
    ok={200: META_ONLY},
    errors=(Code.NOT_FOUND,),
)
async def change_pack(web: Webapp, call: Call[PackChange]) -> Reply:
    """Change a sticker pack."""
    key, pack = await _pack(web, call)
    await profile.write(web.engine, PACK + key, {**pack, **sent(call.body)})
    return Reply()


@routes.add("DELETE", "/v1/stickerpacks/{id}", access=Access.USER, ok={200: META_ONLY}, errors=(Code.NOT_FOUND,))
async def delete_pack(web: Webapp, call: Call[None]) -> Reply:
    """Delete a sticker pack."""
    key, _ = await _pack(web, call)
    await profile.delete(web.engine, PACK + key)
    return Reply()


@routes.add("GET", "/v1/groups", access=Access.USER, ok={200: GroupsReply}, deprecated=True)
async def read_groups(_web: Webapp, _call: Call[None]) -> Reply:
    """Read all groups."""
    return Reply(200, {"groups": []})


@routes.add("GET", "/v1/groups/{id}", access=Access.USER, ok={200: GroupsReply}, errors=(Code.GROUP_UNKNOWN,))
async def read_group(_web: Webapp, _call: Call[None]) -> Reply:
    """Read a group."""
    raise ApiError(Code.GROUP_UNKNOWN, "There is no such group")


async def _pack(web: Webapp, call: Call[t.Any]) -> tuple[str, dict[str, t.Any]]:
    key = call.path["id"]
    pack = await profile.read(web.engine, PACK + key) if key.isprintable() and len(key) <= 36 else None
    if pack is None:
        raise not_found("There is no such sticker pack")
    return key, pack
