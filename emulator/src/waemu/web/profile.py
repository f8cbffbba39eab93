"""Endpoints of what contacts see of the business: profile, about, photo, compliance (reference 4.4)."""

from __future__ import annotations

import asyncio
import typing as t

import msgspec
from msgspec import UNSET, UnsetType

from waemu import mediavolume
from waemu.store import profile
from waemu.web import mediafiles
from waemu.web.access import Access
from waemu.web.bodies import Body, Sparse, sent
from waemu.web.endpoint import IMAGE_REPLY, META_ONLY, BodyKind, Call, Endpoints, Reply
from waemu.web.errors import Code, invalid, not_found
from waemu.web.webapp import Webapp

routes = Endpoints()

BUSINESS = "business"
COMPLIANCE = "compliance_info"
ABOUT = "about"
PHOTO = "photo"
EMPTY_PROFILE: t.Final = {"address": "", "description": "", "email": "", "vertical": "", "websites": []}

Up256 = t.Annotated[str, msgspec.Meta(max_length=256)]
Up128 = t.Annotated[str, msgspec.Meta(max_length=128)]


class BusinessProfile(Sparse):
    """What the business says about itself; fields that were not sent stay as they are."""

    address: Up256 | UnsetType = UNSET
    description: Up256 | UnsetType = UNSET
    email: Up128 | UnsetType = UNSET
    vertical: Up128 | UnsetType = UNSET
    websites: t.Annotated[list[Up256], msgspec.Meta(max_length=2)] | UnsetType = UNSET


class ContactDetails(Sparse):
    """How somebody is reached."""

    name: Up256 | UnsetType = UNSET
    email: Up128 | UnsetType = UNSET
    landline_number: Up128 | UnsetType = UNSET
    mobile_number: Up128 | UnsetType = UNSET


class Compliance(Sparse):
    """What businesses in India have to show."""

    entity_name: Up128 | UnsetType = UNSET
    entity_type: Up128 | UnsetType = UNSET
    entity_type_custom: Up128 | UnsetType = UNSET
    is_registered: bool | UnsetType = UNSET
    customer_care_details: ContactDetails | UnsetType = UNSET
    grievance_officer_details: ContactDetails | UnsetType = UNSET


class About(Body):
    """The line below the business's name."""

    text: t.Annotated[str, msgspec.Meta(min_length=1, max_length=139)]


class BusinessReply(msgspec.Struct):
    """C(settings.business), with C(profile) or C(compliance_info) in it."""

    settings: dict[str, dict[str, dict[str, t.Any]]]


class ProfileReply(msgspec.Struct):
    """C(settings.profile), with C(about) or C(photo) in it."""

    settings: dict[str, dict[str, dict[str, str]]]


@routes.add("GET", "/v1/settings/business/profile", access=Access.ADMIN, ok={200: BusinessReply})
async def read_business(web: Webapp, _call: Call[None]) -> Reply:
    """Read the business profile."""
    found = await profile.read(web.engine, BUSINESS) or {}
    return Reply(200, {"settings": {"business": {"profile": {**EMPTY_PROFILE, **found}}}})


@routes.add("POST", "/v1/settings/business/profile", access=Access.ADMIN, body=BusinessProfile, ok={200: META_ONLY})
async def write_business(web: Webapp, call: Call[BusinessProfile]) -> Reply:
    """Change the business profile."""
    return await _merge(web, BUSINESS, call.body)


@routes.add("GET", "/v1/settings/business/compliance_info", access=Access.ADMIN, ok={200: BusinessReply})
async def read_compliance(web: Webapp, _call: Call[None]) -> Reply:
    """Read the compliance information."""
    found = await profile.read(web.engine, COMPLIANCE) or {}
    return Reply(200, {"settings": {"business": {"compliance_info": found}}})


@routes.add("POST", "/v1/settings/business/compliance_info", access=Access.ADMIN, body=Compliance, ok={200: META_ONLY})
async def write_compliance(web: Webapp, call: Call[Compliance]) -> Reply:
    """Change the compliance information."""
    return await _merge(web, COMPLIANCE, call.body)


@routes.add("GET", "/v1/settings/profile/about", access=Access.ADMIN, ok={200: ProfileReply})
async def read_about(web: Webapp, _call: Call[None]) -> Reply:
    """Read the about text."""
    text = await profile.read(web.engine, ABOUT) or ""
    return Reply(200, {"settings": {"profile": {"about": {"text": text}}}})


@routes.add("PATCH", "/v1/settings/profile/about", access=Access.ADMIN, body=About, ok={200: META_ONLY})
async def write_about(web: Webapp, call: Call[About]) -> Reply:
    """Change the about text."""
    await profile.write(web.engine, ABOUT, call.body.text)
    return Reply()


@routes.add(
    "GET",
    "/v1/settings/profile/photo",
    access=Access.ADMIN,
    ok={200: (ProfileReply, IMAGE_REPLY)},
    errors=(Code.NOT_FOUND,),
    query={"format": ("link",)},
)
async def read_photo(web: Webapp, call: Call[None]) -> Reply:
    """Read the photo, or with C(format=link) where it is."""
    kept = await profile.read(web.engine, PHOTO)
    if kept is None:
        raise not_found("There is no photo")
    photo_format = call.query.get("format")
    if photo_format == "link":
        link = str(call.request.url.with_query(None))
        return Reply(200, {"settings": {"profile": {"photo": {"link": link}}}})
    if photo_format is not None:
        raise invalid("format", "must be link or left out")
    file = mediavolume.path(web.media_dir, kept["id"])
    if not file.is_file():
        raise not_found("The file of the photo is gone")
    return Reply(200, file=file, content_type=kept["mime"])


@routes.add(
    "POST",
    "/v1/settings/profile/photo",
    access=Access.ADMIN,
    body_kind=BodyKind.STREAM,
    ok={200: META_ONLY},
    errors=(Code.PARAMETER_INVALID, Code.ACCESS_DENIED),
)
async def write_photo(web: Webapp, call: Call[None]) -> Reply:
    """Replace the photo."""
    saved = await mediafiles.receive(call.request, web.media_dir, allowed=("image/jpeg", "image/png"))
    before = await profile.read(web.engine, PHOTO)
    await profile.write(web.engine, PHOTO, {"id": saved.id, "mime": saved.mime})
    if before is not None:
        await asyncio.to_thread(mediafiles.remove, web.media_dir, before["id"])
    return Reply()


@routes.add("DELETE", "/v1/settings/profile/photo", access=Access.ADMIN, ok={200: META_ONLY})
async def delete_photo(web: Webapp, _call: Call[None]) -> Reply:
    """Remove the photo; nothing to do when there is none."""
    kept = await profile.read(web.engine, PHOTO)
    if kept is not None:
        await profile.delete(web.engine, PHOTO)
        await asyncio.to_thread(mediafiles.remove, web.media_dir, kept["id"])
    return Reply()


async def _merge(web: Webapp, name: str, change: msgspec.Struct) -> Reply:
    before = await profile.read(web.engine, name) or {}
    await profile.write(web.engine, name, {**before, **sent(change)})
    return Reply()
