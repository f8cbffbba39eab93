"""Endpoints of groups (reference 4.7): deprecated, so there are none, and none can be created."""

from __future__ import annotations

import typing as t

import msgspec

from waemu.web.access import Access
from waemu.web.endpoint import BodyKind, Call, Endpoints, Reply
from waemu.web.errors import ApiError, Code
from waemu.web.webapp import Webapp

routes = Endpoints()

OF_ONE: t.Final = (
    *(("GET", ""), ("PUT", "")),
    *(("GET", "/icon"), ("POST", "/icon"), ("DELETE", "/icon")),
    *(("GET", "/invite"), ("DELETE", "/invite")),
    *(("PATCH", "/admins"), ("DELETE", "/admins")),
    *(("DELETE", "/participants"), ("POST", "/leave")),
)
"""Method and rest of the path of all that can be done with one group."""


class GroupsReply(msgspec.Struct):
    """Groups: none, since the client no longer creates any."""

    groups: list[dict[str, t.Any]]


@routes.add("GET", "/v1/groups", access=Access.USER, ok={200: GroupsReply}, deprecated=True)
async def read_all(_web: Webapp, _call: Call[None]) -> Reply:
    """Read all groups."""
    return Reply(200, {"groups": []})


@routes.add(
    "POST",
    "/v1/groups",
    access=Access.USER,
    body_kind=BodyKind.NONE,
    ok={201: GroupsReply},
    errors=(Code.ACCESS_DENIED,),
    deprecated=True,
)
async def create(_web: Webapp, _call: Call[None]) -> Reply:
    """Create a group, which nobody can any more."""
    raise ApiError(Code.ACCESS_DENIED, "Groups are deprecated: none can be created")


async def unknown(_web: Webapp, _call: Call[None]) -> Reply:
    """Answer about a group, of which there is none."""
    raise ApiError(Code.GROUP_UNKNOWN, "There is no such group")


for _method, _rest in OF_ONE:
    routes.add(
        _method,
        "/v1/groups/{id}" + _rest,
        access=Access.USER,
        ok={200: GroupsReply},
        errors=(Code.GROUP_UNKNOWN,),
        deprecated=True,
    )(unknown)
