"""Message templates: whether the parameters of a message fit the text they go into (reference 5.1: 2000-2062). Pure.

Which limit has which number is this emulator's own choice where the documentation names only the error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from waemu.protocol.gateway import Template, TemplateButton

LONGEST_PARAMETER: Final = 1024
LONGEST_TEXT: Final = 4096
PLACEHOLDER: Final = re.compile(r"\{\{(\d+)\}\}")
_URL: Final = re.compile(r"https?://[^\s/{}]+(/[^\s{}]*)?")
_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_BREAKS: Final = re.compile(r"[\n\t]| {5,}")
MEDIA: Final = ("image", "document", "video")
STATES: Final = {"rejected": 2060, "paused": 2061, "disabled": 2062, "unfetchable": 2002}
"""States of a template that is not approved, and the error of a message made from it."""

Problem = tuple[int, str]
"""Code of reference 5.1 and one sentence."""


def parameter_problem(text: str) -> Problem | None:
    """What is wrong with the text of a parameter, whatever template it is for."""
    if len(text) > LONGEST_PARAMETER:
        return 2004, f"a parameter has at most {LONGEST_PARAMETER} characters"
    if _BREAKS.search(text) or not text.strip():
        return 2006, "a parameter must not be blank, nor hold new lines, tabs or more than four spaces in a row"
    if _CONTROLS.search(text):
        return 2007, "a parameter must not hold control characters nor such that change the direction of writing"
    return None


def check(body: Mapping[str, Any], templates: Sequence[Template]) -> Problem | None:
    """What is wrong with the object C(template) of a message; without any template to compare with, nothing."""
    if not templates:
        return None
    mine = [template for template in templates if template.namespace == body["namespace"]]
    if not mine:
        return 2003, f"there is no template pack {body['namespace']}"
    key = body["name"], body["language"]["code"]
    template = next((one for one in mine if (one.name, one.language) == key), None)
    if template is None:
        return 2001, f"there is no template {key[0]} in {key[1]}"
    if template.status in STATES:
        return STATES[template.status], f"the template {template.name} is {template.status}"
    return next(_problems(template, body.get("components") or ()), None)


def check_hsm(body: Mapping[str, Any], templates: Sequence[Template]) -> Problem | None:
    """The same for the object C(hsm) of before 2.39, whose parameters are all of the body."""
    language = body.get("language") or {"code": next((t.language for t in templates), "")}
    parameters = [{"type": "text", "text": str(one.get("default", ""))} for one in body.get("localizable_params", ())]
    component = {"type": "body", "parameters": parameters}
    whole = {"namespace": body["namespace"], "name": body["element_name"], "language": language}
    return check({**whole, "components": [component] if parameters else []}, templates)


def _problems(template: Template, components: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    by_type = {component["type"]: component for component in components if component["type"] != "button"}
    yield from _header(template, by_type.get("header"))
    yield from _text("body", template.body, by_type.get("body"))
    yield from _buttons(template, [component for component in components if component["type"] == "button"])


def _header(template: Template, component: Mapping[str, Any] | None) -> Iterator[Problem]:
    if template.header not in MEDIA:
        yield from _text("header", template.header_text, component)
        return
    parameters = _parameters(component)
    if not parameters:
        yield 2009, f"the header of the template needs a parameter of type {template.header}"
    elif len(parameters) != 1:
        yield 2000, f"the header takes 1 parameter, not {len(parameters)}"
    elif parameters[0]["type"] not in MEDIA:
        yield 2012, f"the header takes a parameter of type {template.header}, not {parameters[0]['type']}"
    elif parameters[0]["type"] != template.header:
        yield 2008, f"the header of the template is of type {template.header}, not {parameters[0]['type']}"


def _text(where: str, text: str, component: Mapping[str, Any] | None) -> Iterator[Problem]:
    expected = len(set(PLACEHOLDER.findall(text)))
    parameters = _parameters(component)
    if component is None and expected:
        yield 2009, f"the {where} of the template needs {expected} parameters"
        return
    if len(parameters) != expected:
        yield 2000, f"the {where} takes {expected} parameters, not {len(parameters)}"
        return
    values = []
    for parameter in parameters:
        value = _value(parameter)
        if value is None:
            yield 2012, f"the {where} takes text, currency or date_time with a fallback, not {parameter['type']}"
            return
        values.append(value)
    if len(_hydrated(text, values)) > LONGEST_TEXT:
        yield 2005, f"the {where} with its parameters has at most {LONGEST_TEXT} characters"


def _buttons(template: Template, components: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    given = {int(component["index"]): component for component in components}
    for index, component in given.items():
        if index >= len(template.buttons) or template.buttons[index].type != component["sub_type"]:
            yield 2013, f"the template has no button {index} of type {component['sub_type']}"
            return
    for index, button in enumerate(template.buttons):
        if button.type == "url":
            yield from _url_button(index, button, given.get(index))


def _url_button(index: int, button: TemplateButton, component: Mapping[str, Any] | None) -> Iterator[Problem]:
    expected = len(set(PLACEHOLDER.findall(button.url)))
    parameters = _parameters(component)
    if expected and component is None:
        yield 2009, f"button {index} of the template needs {expected} parameter"
    elif len(parameters) != expected:
        yield 2000, f"button {index} takes {expected} parameters, not {len(parameters)}"
    else:
        values = [_value(parameter) or "" for parameter in parameters]
        if not _URL.fullmatch(_hydrated(button.url, values)):
            yield 2010, f"button {index} leads to no valid URL with its parameter"


def _parameters(component: Mapping[str, Any] | None) -> Sequence[Mapping[str, Any]]:
    return (component or {}).get("parameters") or ()


def _value(parameter: Mapping[str, Any]) -> str | None:
    """The text a parameter puts in, None for one that is no text."""
    if parameter["type"] in ("currency", "date_time"):
        value = (parameter.get(parameter["type"]) or {}).get("fallback_value")
    else:
        value = parameter.get("text")
    return value if isinstance(value, str) else None


def _hydrated(text: str, values: Sequence[str]) -> str:
    numbers = sorted({int(number) for number in PLACEHOLDER.findall(text)})
    by_number = dict(zip(numbers, values, strict=True))
    return PLACEHOLDER.sub(lambda found: by_number[int(found.group(1))], text)
