"""The comparison itself: what differs is found, and named."""

from __future__ import annotations

import json
import typing as t

import pytest

from tests.conformance.row import (
    EMPTY,
    EVERY_ANSWER,
    INTERNAL,
    NULL,
    PROJECT,
    STRING,
    Answer,
    Request,
    Row,
    Schema,
    differences,
    ok,
    refusal,
)

ID = "0" * 32
HEADERS = {"X-Request-ID": ID, "Cache-Control": "no-cache, private", "Server": "Server"}
META = {"version": "v2.33.4", "api_status": "stable"}


def row(shape: Schema | str | None = None, **more: t.Any) -> Row:
    return Row("row", Request("GET", "/"), 200, PROJECT, shape, **more)


def answer(body: t.Any = b"", status: int = 200, **headers: str) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {**HEADERS, **headers}, raw)


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        (None, b"anything"),
        (EMPTY, b""),
        (NULL, None),
        ("PEM.*", b"PEM and more"),
        (ok(id=STRING), {"id": "x", "meta": META}),
        (refusal(1009, named="code"), {"errors": [{"code": 1009, "title": "x", "details": "the code"}], "meta": META}),
    ],
)
def test_what_fits(shape: Schema | str | None, body: t.Any) -> None:
    assert differences(row(shape), answer(body)) == []


@pytest.mark.parametrize(
    ("shape", "body", "said"),
    [
        (EMPTY, b"x", "a body"),
        (NULL, {}, "not null"),
        (NULL, b"", "no JSON"),
        ("PEM.*", b"DER", "not of the form"),
        (ok(id=STRING), {"id": 1, "meta": META}, "body at $.id"),
        (ok(id=STRING), {"id": "x", "more": 1, "meta": META}, "more"),
        (ok(id=STRING), {"id": "x"}, "meta"),
        (ok(), {"meta": {"version": "2.33.4", "api_status": "stable"}}, "$.meta.version"),
        (refusal(1009), {"errors": [{"code": 1010, "title": "x"}], "meta": META}, "1009"),
        (refusal(1009), {"errors": [], "meta": META}, "$.errors"),
        (refusal(1009, named="pin"), {"errors": [{"code": 1009, "title": "x", "details": ""}], "meta": META}, "pin"),
    ],
)
def test_another_body_is_found(shape: Schema | str, body: t.Any, said: str) -> None:
    [found] = differences(row(shape), answer(body))
    assert said in found


def test_another_status_is_found() -> None:
    assert differences(row(), answer(status=500)) == ["status 500, not 200"]


@pytest.mark.parametrize("name", EVERY_ANSWER)
def test_a_header_that_is_missing_or_another_is_found(name: str) -> None:
    without = {key: value for key, value in HEADERS.items() if key != name}
    assert differences(row(), Answer(200, without, b"")) == [f"no header {name}"]
    [found] = differences(row(), Answer(200, {**HEADERS, name: "other"}, b""))
    assert name in found


def test_whether_a_node_took_part_is_compared() -> None:
    with_node = answer(**{INTERNAL: ID + "|0123456789ABCDEF01"})
    assert differences(row(node=True), with_node) == []
    assert differences(row(node=None), with_node) == []
    assert differences(row(node=None), answer()) == []
    assert differences(row(node=True), answer()) == [f"no header {INTERNAL}"]
    assert len(differences(row(node=False), with_node)) == 1
    assert len(differences(row(node=True), answer(**{INTERNAL: ID + "|0123456789abcdef01"}))) == 1
