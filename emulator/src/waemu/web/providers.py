"""Endpoints of media providers: credentials for fetching media by link (reference 4.4)."""

from __future__ import annotations

import typing as t

import msgspec

from waemu.store import profile
from waemu.web.access import Access
from waemu.web.bodies import Body
from waemu.web.endpoint import META_ONLY, Call, Endpoints, Reply
from waemu.web.errors import Code, invalid, missing, not_found, not_required
from waemu.web.webapp import Webapp

routes = Endpoints()

PATH = "/v1/settings/application/media/providers"


class BasicConfig(Body):
    """User name and password."""

    username: str
    password: str


class ProviderConfig(Body):
    """One of the two."""

    bearer: str | None = None
    basic: BasicConfig | None = None


class NewProvider(Body):
    """A provider to add or replace."""

    name: t.Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f/]+$")]
    type: t.Literal["www"]
    config: ProviderConfig


class ProviderItem(msgspec.Struct):
    """A provider as it is stored."""

    name: str
    type: str
    config: dict[str, t.Any]


class ProvidersItem(msgspec.Struct):
    """All of them."""

    providers: list[ProviderItem]


class MediaItem(msgspec.Struct):
    """Where the API shows them."""

    media: ProvidersItem


class ApplicationMedia(msgspec.Struct):
    """Where the API shows them."""

    application: MediaItem


class ProvidersReply(msgspec.Struct):
    """What reading the providers answers."""

    settings: ApplicationMedia


@routes.add("GET", PATH, access=Access.ADMIN, ok={200: ProvidersReply})
async def read(web: Webapp, _call: Call[None]) -> Reply:
    """Read all media providers."""
    items = await profile.providers(web.engine)
    return Reply(200, {"settings": {"application": {"media": {"providers": items}}}})


@routes.add("POST", PATH, access=Access.ADMIN, body=list[NewProvider], ok={200: META_ONLY})
async def write(web: Webapp, call: Call[list[NewProvider]]) -> Reply:
    """Add media providers, or replace those of the same name."""
    for index, item in enumerate(call.body):
        _check(item, f"[{index}]")
    if len({item.name for item in call.body}) != len(call.body):
        raise invalid("name", "must differ between the providers of one request")
    await profile.write_providers(web.engine, [msgspec.to_builtins(item) for item in call.body])
    return Reply()


@routes.add("DELETE", PATH + "/{name}", access=Access.ADMIN, ok={200: META_ONLY}, errors=(Code.NOT_FOUND,))
async def delete(web: Webapp, call: Call[None]) -> Reply:
    """Delete a media provider."""
    name = call.path["name"]
    if not name.isprintable() or not await profile.delete_provider(web.engine, name):
        raise not_found("There is no such media provider")
    return Reply()


def _check(item: NewProvider, where: str) -> None:
    if item.config.bearer is None and item.config.basic is None:
        raise missing(f"{where}.config.bearer or {where}.config.basic")
    if item.config.bearer is not None and item.config.basic is not None:
        raise not_required(f"{where}.config.basic")
