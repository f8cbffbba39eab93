"""What one row of the conformance tables says, and how an answer is compared with it. Pure."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import jsonschema

Schema = Mapping[str, t.Any]


class Certainty(Enum):
    """How well a fact is known, as docs/product.md marks it."""

    SURE = "a primary source says so"
    LIKELY = "one secondary source, or a direct conclusion"
    WEAK = "old, third-hand or contradictory"
    CHOICE = "the sources are silent; what this project decided"


# Where facts are from.
RECORDED: t.Final = "recording of a client of v2.33.4"
REFERENCE: t.Final = "the vendor's reference pages"
COLLECTION: t.Final = "the vendor's collection of requests"
CHANGES: t.Final = "the vendor's list of changes"
TOOLS: t.Final = "the vendor's diagnostic tool"
PROJECT: t.Final = "this project"


@dataclass(frozen=True)
class Request:
    """What is sent. auth: admin, user, key, none, wrong (a token nobody issued) or basic:NAME:PASSWORD."""

    method: str
    path: str
    json: t.Any = None
    data: bytes | None = None
    type: str = ""
    auth: str = "admin"


EMPTY: t.Final = "nothing"
NULL: t.Final = "null"


@dataclass(frozen=True)
class Row:
    """One request to one endpoint, and its answer.

    shape: a JSON schema, EMPTY, NULL, or a regular expression for a body that is no JSON; None for anything. headers:
    regular expressions beside those of every answer; None for one that must not be there. node: a master or coreapp
    takes part, None where it may. first: requests before it. since, until: the versions, the second not included.
    changes: leaves something different behind. registered: the client is, when it is asked.
    """

    what: str
    request: Request
    status: int
    source: str
    shape: Schema | str | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    certainty: Certainty = Certainty.SURE
    node: bool | None = False
    first: tuple[Request, ...] = ()
    since: tuple[int, ...] = (0, 0)
    until: tuple[int, ...] | None = None
    changes: bool = False
    registered: bool = True

    def is_of(self, version: tuple[int, ...]) -> bool:
        """Whether a client of this version is meant."""
        return version >= self.since and (self.until is None or version < self.until)


@dataclass(frozen=True)
class Table:
    """All rows of one endpoint, as docs/product.md names it: C(POST /v1/users/login)."""

    endpoint: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


EVERY_ANSWER: t.Final[Mapping[str, str]] = {
    "X-Request-ID": r"[0-9a-f]{32}",
    "Cache-Control": r"no-cache, private",
    "Server": r"Server",
}
INTERNAL: t.Final = "X-Internal-Request-IDS"
INTERNAL_FORM: t.Final = r"[0-9a-f]{32}(\|[0-9A-F]{18})?"


def differences(row: Row, answer: Answer) -> list[str]:
    """How an answer differs from a row, each as a sentence; none where it does not."""
    found = []
    if answer.status != row.status:
        found.append(f"status {answer.status}, not {row.status}")
    for name, form in expected_headers(row).items():
        found += _header(name, form, answer.headers.get(name))
    return found + _body(row.shape, answer.body)


def expected_headers(row: Row) -> dict[str, str | None]:
    """Those of every answer, the one of nodes, and the row's own."""
    node: dict[str, str | None] = {} if row.node is None else {INTERNAL: INTERNAL_FORM if row.node else None}
    return {**EVERY_ANSWER, **node, **row.headers}


def _header(name: str, form: str | None, value: str | None) -> list[str]:
    if form is None:
        return [] if value is None else [f"header {name} is there: {value!r}"]
    if value is None:
        return [f"no header {name}"]
    return [] if re.fullmatch(form, value) else [f"header {name} is {value!r}, not of the form {form}"]


def _body(shape: Schema | str | None, body: bytes) -> list[str]:
    if shape is None:
        return []
    if shape == EMPTY:
        return [f"a body: {body[:200]!r}"] if body else []
    if isinstance(shape, str) and shape != NULL:
        text = body.decode(errors="replace")
        return [] if re.fullmatch(shape, text, re.DOTALL) else [f"body is {text[:200]!r}, not of the form {shape}"]
    try:
        found = json.loads(body)
    except ValueError:
        return [f"body is no JSON: {body[:200]!r}"]
    if shape == NULL:
        return [] if found is None else [f"body is {found!r}, not null"]
    validator = jsonschema.Draft202012Validator(t.cast(Schema, shape))
    return [f"body at {error.json_path}: {error.message}" for error in validator.iter_errors(found)]


# -- shapes ---------------------------------------------------------------------------------------------------------

STRING: t.Final[Schema] = {"type": "string"}
INTEGER: t.Final[Schema] = {"type": "integer"}
BOOLEAN: t.Final[Schema] = {"type": "boolean"}
ANY: t.Final[Schema] = {}
META: t.Final[Schema] = {
    "type": "object",
    "properties": {
        "version": {"type": "string", "pattern": r"^v\d+\.\d+\.\d+$"},
        "api_status": {"enum": ["stable", "deprecated", "experimental"]},
    },
    "required": ["version", "api_status"],
}


def closed(**properties: Schema) -> Schema:
    """An object with these members and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def items(schema: Schema, count: int | None = None) -> Schema:
    """A list, of so many."""
    exactly = {} if count is None else {"minItems": count, "maxItems": count}
    return {"type": "array", "items": schema, **exactly}


def text(pattern: str) -> Schema:
    """A string of this form."""
    return {"type": "string", "pattern": f"^({pattern})$"}


def const(value: t.Any) -> Schema:
    """Nothing but this."""
    return {"const": value}


def ok(**properties: Schema) -> Schema:
    """A success: these, and meta."""
    return closed(**properties, meta=META)


def refusal(code: int, *, named: str = "") -> Schema:
    """An error with this code, whose details hold a text."""
    details = {"details": {"type": "string", "pattern": re.escape(named)}} if named else {}
    return {
        "type": "object",
        "properties": {
            "errors": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "properties": {"code": {"const": code}, "title": {"type": "string", "minLength": 1}, **details},
                    "required": ["code", "title", *details],
                },
            },
            "meta": META,
        },
        "required": ["errors", "meta"],
    }
