"""Messages made from templates against the templates they name (reference 5.1)."""

from __future__ import annotations

import typing as t

import pytest

from waemu.protocol.gateway import Template, TemplateButton
from waemu.whatsapp.templates import check, parameter_problem

LANGUAGE = {"policy": "deterministic", "code": "en"}
PLAIN = Template("shop", "plain", "en", "Hello")
ORDER = Template(
    "shop",
    "order",
    "en",
    "Dear {{1}}, your order {{2}} is on its way, {{1}}",
    header="image",
    buttons=(TemplateButton("quick_reply"), TemplateButton("url", "https://shop.example/{{1}}")),
)
TITLED = Template("shop", "titled", "en", "Bye", header="text", header_text="For {{1}}")
PAUSED = Template("shop", "paused", "en", "Hello", status="paused")
ALL = (PLAIN, ORDER, TITLED, PAUSED)


def text(value: str) -> dict[str, t.Any]:
    """A text parameter."""
    return {"type": "text", "text": value}


IMAGE = {"type": "header", "parameters": [{"type": "image", "image": {"id": "1"}}]}
BODY = {"type": "body", "parameters": [text("Anna"), text("17")]}
LINK = {"type": "button", "sub_type": "url", "index": "1", "parameters": [text("orders/17")]}


def message(name: str, *components: dict[str, t.Any], namespace: str = "shop", code: str = "en") -> dict[str, t.Any]:
    """The object C(template)."""
    return {"namespace": namespace, "name": name, "language": {**LANGUAGE, "code": code}, "components": components}


def code(body: dict[str, t.Any], templates: tuple[Template, ...] = ALL) -> int | None:
    """The error, None for a good message."""
    problem = check(body, templates)
    return problem[0] if problem else None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (message("plain"), None),
        (message("plain", {"type": "body"}), None),
        (message("order", IMAGE, BODY, LINK), None),
        (message("order", IMAGE, BODY, LINK, {"type": "button", "sub_type": "quick_reply", "index": 0}), None),
        (message("titled", {"type": "header", "parameters": [text("Anna")]}), None),
        (message("plain", namespace="other"), 2003),
        (message("plain", code="de"), 2001),
        (message("nothing"), 2001),
        (message("paused"), 2061),
        (message("plain", BODY), 2000),
        (message("order", IMAGE, {**BODY, "parameters": [text("Anna")]}, LINK), 2000),
        (message("order", BODY, LINK), 2009),
        (message("order", IMAGE, LINK), 2009),
        (message("order", IMAGE, BODY), 2009),
        (message("titled"), 2009),
        (message("order", {**IMAGE, "parameters": IMAGE["parameters"] * 2}, BODY, LINK), 2000),
        (message("order", {"type": "header", "parameters": [text("x")]}, BODY, LINK), 2012),
        (message("order", {"type": "header", "parameters": [{"type": "video", "video": {}}]}, BODY, LINK), 2008),
        (message("order", IMAGE, {**BODY, "parameters": [text("Anna"), {"type": "image"}]}, LINK), 2012),
        (
            message("order", IMAGE, {**BODY, "parameters": [text("A"), {"type": "currency", "currency": {}}]}, LINK),
            2012,
        ),
        (message("order", IMAGE, {**BODY, "parameters": [text("A"), text("b" * 4080)]}, LINK), 2005),
        (message("order", IMAGE, BODY, {**LINK, "parameters": [text("or ders")]}), 2010),
        (message("order", IMAGE, BODY, {**LINK, "parameters": []}), 2000),
        (message("order", IMAGE, BODY, {**LINK, "index": 2}), 2013),
        (message("order", IMAGE, BODY, {**LINK, "index": 0}), 2013),
        (message("plain", LINK), 2013),
    ],
)
def test_messages(body: dict[str, t.Any], expected: int | None) -> None:
    assert code(body) == expected


def test_without_templates_nothing_is_checked() -> None:
    assert code(message("nothing"), ()) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Anna", None),
        ("a    b", None),
        ("\U0001f469\u200d\U0001f4bb", None),  # one picture of several characters
        ("x" * 1024, None),
        ("x" * 1025, 2004),
        ("a\nb", 2006),
        ("a\tb", 2006),
        ("a     b", 2006),
        (" ", 2006),
        ("a\x07b", 2007),
        ("a\u202eb", 2007),
    ],
)
def test_parameters(value: str, expected: int | None) -> None:
    problem = parameter_problem(value)
    assert (problem[0] if problem else None) == expected
