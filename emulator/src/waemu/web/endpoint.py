"""What an endpoint is: one declaration that the router, the checks and the OpenAPI description are all made from."""

from __future__ import annotations

import typing as t
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

import msgspec
from aiohttp import web as aiohttp_web

from waemu.web.access import Access, Caller

if t.TYPE_CHECKING:
    from waemu.web.webapp import Webapp

T = t.TypeVar("T")


class BodyKind(Enum):
    """What the request carries."""

    NONE = "none"
    """Nothing; what a client sends nevertheless is ignored."""
    JSON = "json"
    OPTIONAL_JSON = "optional_json"
    """JSON, where nothing at all means C({})."""
    TEXT = "text"
    """Plain text, handed on as str."""
    STREAM = "stream"
    """Bytes that the handler reads itself from the request."""


@dataclass(frozen=True)
class Call(t.Generic[T]):
    """One request, checked: who calls, and a body of the declared type (None when the endpoint takes none)."""

    body: T
    caller: Caller | None
    path: Mapping[str, str]
    query: Mapping[str, str]
    request: aiohttp_web.Request

    @property
    def user(self) -> Caller:
        """The caller of an endpoint that needs a token."""
        if self.caller is None:
            raise TypeError("the endpoint declares no access that yields a caller")
        return self.caller


@dataclass(frozen=True)
class Reply:
    """One success. C(data) gets C(meta) beside it; C(raw) is sent as it is; C(null) is the literal JSON null."""

    status: int = 200
    data: msgspec.Struct | Mapping[str, t.Any] | None = None
    raw: bytes | None = None
    content_type: str = "application/json"
    null: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    file: t.Any = None
    """A path to send as the body, for media that should not pass through memory."""


META_ONLY: t.Final = "meta only"
NULL: t.Final = "literal null"
TEXT_REPLY: t.Final = "text/plain"
BINARY_REPLY: t.Final = "*/*"
IMAGE_REPLY: t.Final = "image/*"

Handler = Callable[["Webapp", Call[t.Any]], Awaitable[Reply]]


@dataclass(frozen=True)
class Endpoint:
    """One method on one path.

    ok: success status to what is answered: a msgspec struct, META_ONLY, NULL, TEXT_REPLY,
        IMAGE_REPLY or BINARY_REPLY; a tuple where the request decides.
    errors: codes beside the ones every endpoint can answer.
    before_ready: answered also while the database's schema is not there yet.
    query: parameters and the values they may have.
    since: the first major.minor that has it; older ones answer as for any unknown path.
    deprecated: C(meta.api_status) says so.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    access: Access
    body: t.Any = None
    body_kind: BodyKind = BodyKind.NONE
    ok: Mapping[int, t.Any] = field(default_factory=dict)
    errors: tuple[int, ...] = ()
    query: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    before_ready: bool = False
    since: tuple[int, int] = (0, 0)
    deprecated: bool = False

    @property
    def metric(self) -> str:
        """The name the metrics use: C(GET_v1_users) for C(GET /v1/users/{name}) (reference 8)."""
        words = [w for w in self.path.split("/") if w and not w.startswith("{")]
        return "_".join([self.method, *words])


class Endpoints:
    """The endpoints of one file, in the order they are written."""

    def __init__(self) -> None:
        self.all: list[Endpoint] = []

    def add(
        self,
        method: str,
        path: str,
        *,
        access: Access,
        ok: Mapping[int, t.Any],
        body: t.Any = None,
        body_kind: BodyKind | None = None,
        errors: tuple[int, ...] = (),
        query: Mapping[str, tuple[str, ...]] | None = None,
        before_ready: bool = False,
        since: tuple[int, int] = (0, 0),
        deprecated: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Declare the decorated coroutine as the endpoint; its docstring's first line is the summary."""
        kind = body_kind or (BodyKind.JSON if body is not None else BodyKind.NONE)

        def declare(handler: Handler) -> Handler:
            summary = (handler.__doc__ or "").strip().splitlines()[0]
            self.all.append(
                Endpoint(
                    method=method,
                    path=path,
                    handler=handler,
                    summary=summary,
                    access=access,
                    body=body,
                    body_kind=kind,
                    ok=ok,
                    errors=errors,
                    query=query or {},
                    before_ready=before_ready,
                    since=since,
                    deprecated=deprecated,
                )
            )
            return handler

        return declare
