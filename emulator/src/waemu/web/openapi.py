"""The OpenAPI 3.1 description, made from the same declarations the router and the checks are made from."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable

import msgspec

from waemu import codes
from waemu.web.access import Access
from waemu.web.endpoint import BINARY_REPLY, IMAGE_REPLY, META_ONLY, NULL, TEXT_REPLY, BodyKind, Endpoint
from waemu.web.errors import Code
from waemu.web.reply import EMPTY_TYPE

_REF: t.Final = "#/components/schemas/{name}"
_JSON: t.Final = "application/json"


class Meta(msgspec.Struct):
    """Which client answered."""

    version: str
    api_status: t.Literal["stable", "deprecated", "experimental"]


class ErrorItem(msgspec.Struct, omit_defaults=True):
    """One error."""

    code: int
    title: str
    details: str = ""
    href: str = ""


class Errors(msgspec.Struct):
    """What every answer that is not a success carries."""

    errors: list[ErrorItem]
    meta: Meta


_SECURITY: t.Final[dict[Access, list[dict[str, list[str]]]]] = {
    Access.OPEN: [],
    Access.BASIC: [{"basic": []}],
    Access.USER: [{"bearer": []}],
    Access.ADMIN: [{"bearer": []}],
    Access.PROBE: [{"bearer": []}, {"apikey": []}],
}

_EVERYWHERE: t.Final = (Code.TOO_MANY_REQUESTS, Code.NOT_READY, Code.DATABASE, Code.INTERNAL)
_WITH_BODY: t.Final = (
    Code.PARAMETER_MISSING,
    Code.PARAMETER_INVALID,
    Code.PARAMETER_NOT_REQUIRED,
    Code.INVALID_REQUEST,
)


def document(endpoints: Iterable[Endpoint], *, version: str) -> bytes:
    """The description as JSON."""
    endpoints = list(endpoints)
    bodies = [e.body for e in endpoints if e.body_kind in (BodyKind.JSON, BodyKind.OPTIONAL_JSON)]
    kinds = [one for e in endpoints for kind in e.ok.values() for one in _kinds(kind)]
    replies = [kind for kind in kinds if not isinstance(kind, str)]
    types = list(dict.fromkeys([*bodies, *replies, Meta, Errors]))
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    by_type = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, t.Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, by_type)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "WhatsApp Business On-Premises API (emulator)",
                "version": version,
                "description": "Written from the documented behaviour of the API.",
            },
            "servers": [{"url": "/"}],
            "paths": paths,
            "components": {"schemas": components, "securitySchemes": _schemes()},
        }
    )


def _operation(endpoint: Endpoint, by_type: dict[t.Any, t.Any]) -> dict[str, t.Any]:
    operation: dict[str, t.Any] = {
        "operationId": endpoint.metric + "".join("_" + name for name in _path_names(endpoint.path)),
        "summary": endpoint.summary,
        "security": _SECURITY[endpoint.access],
        "responses": _responses(endpoint, by_type),
    }
    if endpoint.deprecated:
        operation["deprecated"] = True
    parameters = [_path_parameter(name) for name in _path_names(endpoint.path)]
    parameters += [_query_parameter(name, values) for name, values in endpoint.query.items()]
    if parameters:
        operation["parameters"] = parameters
    body = _request_body(endpoint, by_type)
    if body:
        operation["requestBody"] = body
    if endpoint.access is Access.ADMIN:
        operation["description"] = "Needs the role ROLE_ADMIN."
    return operation


def _request_body(endpoint: Endpoint, by_type: dict[t.Any, t.Any]) -> dict[str, t.Any] | None:
    if endpoint.body_kind is BodyKind.NONE:
        return None
    if endpoint.body_kind is BodyKind.TEXT:
        return {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}
    if endpoint.body_kind is BodyKind.STREAM:
        return {"required": True, "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
    required = endpoint.body_kind is BodyKind.JSON
    return {"required": required, "content": {_JSON: {"schema": by_type[endpoint.body]}}}


def _responses(endpoint: Endpoint, by_type: dict[t.Any, t.Any]) -> dict[str, t.Any]:
    found = {str(status): _success(kind, by_type) for status, kind in endpoint.ok.items()}
    for status, possible in _errors(endpoint).items():
        titles = ", ".join(f"{int(code)} {codes.title(code)}" for code in sorted(possible))
        found[str(status)] = {
            "description": titles,
            "content": {_JSON: {"schema": by_type[Errors]}},
        }
    if endpoint.access is Access.BASIC:
        found["401"]["content"][EMPTY_TYPE] = {"schema": {"type": "string", "maxLength": 0}}
    return found


def _errors(endpoint: Endpoint) -> dict[int, set[int]]:
    """Status to codes: the endpoint's own, and those that its access and its body bring along."""
    possible = {*endpoint.errors, *_EVERYWHERE}
    if endpoint.body_kind in (BodyKind.JSON, BodyKind.OPTIONAL_JSON):
        possible |= set(_WITH_BODY)
    if endpoint.body_kind is BodyKind.TEXT or endpoint.query:
        possible |= {Code.PARAMETER_INVALID, Code.INVALID_REQUEST}
    found: dict[int, set[int]] = {}
    for code in possible:
        found.setdefault(codes.status(code), set()).add(code)
    if endpoint.access is not Access.OPEN:
        found.setdefault(401, set()).add(Code.ACCESS_DENIED)
    if endpoint.access is Access.ADMIN:
        found.setdefault(403, set()).add(Code.ACCESS_DENIED)
    if _path_names(endpoint.path):
        found.setdefault(404, set()).add(Code.NOT_FOUND)
    if endpoint.body_kind is not BodyKind.NONE:
        found.setdefault(413, set()).add(Code.INVALID_REQUEST)
    return found


def _success(kind: t.Any, by_type: dict[t.Any, t.Any]) -> dict[str, t.Any]:
    content = dict(_content(one, by_type) for one in _kinds(kind))
    return {"description": "Done", "content": content}


def _kinds(kind: t.Any) -> tuple[t.Any, ...]:
    return kind if isinstance(kind, tuple) else (kind,)


def _content(kind: t.Any, by_type: dict[t.Any, t.Any]) -> tuple[str, dict[str, t.Any]]:
    """Content type and schema of one kind of answer."""
    if kind == TEXT_REPLY:
        return TEXT_REPLY, {"schema": {"type": "string"}}
    if kind in (BINARY_REPLY, IMAGE_REPLY):
        return kind, {"schema": {"type": "string", "format": "binary"}}
    if kind == NULL:
        return _JSON, {"schema": {"type": "null"}}
    meta = {"type": "object", "properties": {"meta": by_type[Meta]}, "required": ["meta"]}
    return _JSON, {"schema": meta if kind == META_ONLY else {"allOf": [by_type[kind], meta]}}


def _path_parameter(name: str) -> dict[str, t.Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _query_parameter(name: str, values: tuple[str, ...]) -> dict[str, t.Any]:
    return {"name": name, "in": "query", "required": False, "schema": {"type": "string", "enum": list(values)}}


def _path_names(path: str) -> list[str]:
    return re.findall(r"{([^}]+)}", path)


def _schemes() -> dict[str, t.Any]:
    return {
        "basic": {"type": "http", "scheme": "basic"},
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "apikey": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "Apikey followed by the value of WA_API_KEY",
        },
    }
