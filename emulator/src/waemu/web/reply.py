"""Bodies of answers: the envelope with C(meta), and errors (reference 4.1)."""

from __future__ import annotations

import typing as t

import msgspec
from aiohttp import web as aiohttp_web

from waemu import codes
from waemu.protocol.nodes import CoreError
from waemu.web.endpoint import Reply
from waemu.web.errors import ApiError

EMPTY_TYPE: t.Final = "text/html; charset=UTF-8"
"""What an answer without a body says it is."""


class Envelope:
    """Wraps results for one client version: C(meta) is C({"version": "v2.19.4", "api_status": "stable"})."""

    def __init__(self, version: str, statuses: t.Mapping[int, int]) -> None:
        """statuses: HTTP status by error code, where it is another one than the usual."""
        self._statuses = statuses
        self.meta: t.Final = {"version": version, "api_status": "stable"}
        self.old: t.Final = {"version": version, "api_status": "deprecated"}

    def success(self, reply: Reply, *, deprecated: bool = False) -> aiohttp_web.StreamResponse:
        """The HTTP answer of a success."""
        if reply.file is not None:
            headers = {**reply.headers, "Content-Type": reply.content_type}
            return aiohttp_web.FileResponse(reply.file, status=reply.status, headers=headers)
        if reply.raw is not None:
            return _response(reply.status, reply.raw, reply.content_type, reply.headers)
        if reply.null:
            return _response(reply.status, b"null", "application/json", reply.headers)
        data = msgspec.to_builtins(reply.data) if reply.data is not None else {}
        return self._json(reply.status, {**data, "meta": self.old if deprecated else self.meta}, reply.headers)

    def error(self, error: ApiError) -> aiohttp_web.Response:
        """The HTTP answer of an error found here."""
        if error.empty:
            return _response(error.status, b"", EMPTY_TYPE, error.headers)
        return self._json(
            self._status(error.code, error.status), {"errors": [error.as_item()], "meta": self.meta}, error.headers
        )

    def core_error(self, error: CoreError) -> aiohttp_web.Response:
        """A core's error, passed on as it is."""
        status = self._status(error.code, error.http_status)
        return self._json(status, {"errors": msgspec.to_builtins(error.errors), "meta": self.meta}, {})

    def _status(self, code: int, usual: int) -> int:
        """Only where the code decides the status: a missing token stays 401, set-shards to be repeated 403."""
        return self._statuses.get(code, usual) if usual == codes.status(code) else usual

    def _json(self, status: int, data: t.Any, headers: t.Mapping[str, str]) -> aiohttp_web.Response:
        return _response(status, msgspec.json.encode(data), "application/json", headers)


def _response(status: int, body: bytes, content_type: str, headers: t.Mapping[str, str]) -> aiohttp_web.Response:
    return aiohttp_web.Response(
        status=status, body=body, headers={**headers, "Content-Type": _with_charset(content_type)}
    )


def _with_charset(content_type: str) -> str:
    return f"{content_type}; charset=utf-8" if content_type in ("text/plain",) else content_type
