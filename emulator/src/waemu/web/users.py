"""Endpoints of users, login and logout (reference 4.2)."""

from __future__ import annotations

import asyncio
import typing as t

import msgspec

from waemu import passwords
from waemu.store import users
from waemu.store.users import User
from waemu.web.access import Access
from waemu.web.auth import ROLE_USER, login_refused, parse_basic, unauthorized
from waemu.web.bodies import Body, Tolerant
from waemu.web.endpoint import META_ONLY, BodyKind, Call, Endpoints, Reply
from waemu.web.errors import ApiError, Code, invalid, missing, not_found
from waemu.web.webapp import Webapp

routes = Endpoints()

Username = t.Annotated[str, msgspec.Meta(min_length=4, max_length=32)]


class Login(Tolerant):
    """Empty, but for the first login of the default account."""

    new_password: str | None = None


class NewUser(Body):
    """A user to create; the password is checked by the policy."""

    username: Username
    password: str


class NewPassword(Body):
    """Another password of a user."""

    password: str


class TokenItem(msgspec.Struct):
    """A token and the UTC time it expires at, C(2021-09-14 15:29:26+00:00)."""

    token: str
    expires_after: str


class TokensReply(msgspec.Struct):
    """What login answers."""

    users: list[TokenItem]


class UserItem(msgspec.Struct):
    """A user by name."""

    username: str


class UsersReply(msgspec.Struct):
    """What creating, changing and deleting answer."""

    users: list[UserItem]


class UserWithRole(msgspec.Struct):
    """A user and its role; the field is upper case in the product."""

    username: str
    roles: t.Literal["ROLE_ADMIN", "ROLE_USER"] = msgspec.field(name="ROLES")


class UsersWithRolesReply(msgspec.Struct):
    """What reading a user answers."""

    users: list[UserWithRole]


@routes.add(
    "POST",
    "/v1/users/login",
    access=Access.BASIC,
    body=Login,
    body_kind=BodyKind.OPTIONAL_JSON,
    ok={200: TokensReply},
    errors=(Code.PASSWORD_CHANGE_REQUIRED, Code.PARAMETER_INVALID),
)
async def login(web: Webapp, call: Call[Login]) -> Reply:
    """Log in; the first login of the default account must bring a new password."""
    name, password = parse_basic(call.request.headers.get("Authorization"))
    user = await users.get(web.engine, name)
    if user is None or not await asyncio.to_thread(passwords.matches, password, user.password_hash):
        raise login_refused("User name or password is wrong")
    if call.body.new_password is not None:
        await _change_password(web, user, call.body.new_password, parameter="new_password")
    elif user.must_change:
        raise ApiError(Code.PASSWORD_CHANGE_REQUIRED, "The default password must be changed: send 'new_password'")
    token, expires_after = web.auth.issue(user.username, user.epoch)
    return Reply(200, TokensReply([TokenItem(token, expires_after)]))


@routes.add("POST", "/v1/users/logout", access=Access.USER, ok={200: META_ONLY})
async def logout(web: Webapp, call: Call[None]) -> Reply:
    """Make the presented token void; other tokens of the user stay valid."""
    claims = call.user.claims
    if claims is None:
        raise unauthorized("A bearer token is required")
    await users.revoke(web.engine, claims.random, claims.expires)
    web.auth.forget(claims.random)
    return Reply()


@routes.add(
    "POST",
    "/v1/users",
    access=Access.ADMIN,
    body=NewUser,
    ok={201: UsersReply},
    errors=(Code.INTERNAL,),
)
async def create(web: Webapp, call: Call[NewUser]) -> Reply:
    """Create a user of the role ROLE_USER."""
    name = call.body.username
    if ":" in name or not name.isprintable() or name != name.strip():
        # A colon ends the user name in Basic credentials: such a user could never log in.
        raise ApiError(Code.PARAMETER_INVALID, "Parameter 'username' must be printable text without a colon")
    _check_policy(call.body.password, parameter="password")
    hashed = await asyncio.to_thread(passwords.hash_password, call.body.password)
    if not await users.add(web.engine, name, hashed, ROLE_USER):
        # The status is not documented; it is the request that cannot be served, not the server that failed.
        raise ApiError(Code.INTERNAL, "Unable to create user. Already exist?", status=400)
    return Reply(201, UsersReply([UserItem(name)]))


@routes.add("GET", "/v1/users/{name}", access=Access.ADMIN, ok={200: UsersWithRolesReply}, errors=(Code.NOT_FOUND,))
async def read(web: Webapp, call: Call[None]) -> Reply:
    """Read a user's role."""
    user = await _existing(web, call.path["name"])
    return Reply(200, {"users": [{"username": user.username, "ROLES": user.role}]})


@routes.add(
    "PUT",
    "/v1/users/{name}",
    access=Access.ADMIN,
    body=NewPassword,
    ok={200: UsersReply},
    errors=(Code.NOT_FOUND,),
)
async def change(web: Webapp, call: Call[NewPassword]) -> Reply:
    """Give a user another password."""
    user = await _existing(web, call.path["name"])
    await _change_password(web, user, call.body.password, parameter="password")
    return Reply(200, UsersReply([UserItem(user.username)]))


@routes.add(
    "DELETE",
    "/v1/users/{name}",
    access=Access.ADMIN,
    ok={200: UsersReply},
    errors=(Code.NOT_FOUND, Code.ACCESS_DENIED),
)
async def delete(web: Webapp, call: Call[None]) -> Reply:
    """Delete a user; its tokens die with it."""
    user = await _existing(web, call.path["name"])
    if user.username == passwords.DEFAULT_ADMIN:
        raise ApiError(Code.ACCESS_DENIED, "The user admin cannot be deleted")
    await users.delete(web.engine, user.username)
    web.auth.forget_all()
    return Reply(200, UsersReply([UserItem(user.username)]))


async def _existing(web: Webapp, name: str) -> User:
    if not name:
        raise missing("name")
    user = await users.get(web.engine, name)
    if user is None:
        raise not_found("There is no such user")
    return user


async def _change_password(web: Webapp, user: User, password: str, *, parameter: str) -> None:
    _check_policy(password, parameter=parameter)
    hashed = await asyncio.to_thread(passwords.hash_password, password)
    await users.set_password(web.engine, user.username, hashed)


def _check_policy(password: str, *, parameter: str) -> None:
    """Raises ApiError 1009 naming the parameter when the password is too weak."""
    lacking = passwords.weakness(password)
    if lacking:
        raise invalid(parameter, lacking)
