"""Request bodies: bytes to typed structs, with the API's own errors for what does not fit (1008, 1009, 1010, 1025)."""

from __future__ import annotations

import re
import typing as t

import msgspec

from waemu.web.errors import ApiError, Code, invalid, missing, not_required

T = t.TypeVar("T")

_MISSING = re.compile(r"^Object missing required field `(?P<name>[^`]*)`")
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_PLACE = re.compile(r" - at `(?P<path>.*)`$", re.DOTALL)


class Body(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Base of most request bodies: a field nobody knows is an error (1010), not something to drop silently."""


class Tolerant(msgspec.Struct, omit_defaults=True):
    """Base of bodies whose unknown fields the product takes and ignores (reference 4.10)."""


class TolerantSparse(msgspec.Struct, omit_defaults=True):
    """Base of bodies that change a part, of what they know: a field that was not sent is C(msgspec.UNSET)."""


class Sparse(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Base of bodies that change a part: a field that was not sent is C(msgspec.UNSET)."""


def sent(struct: msgspec.Struct) -> dict[str, t.Any]:
    """What the client really sent, nested structs as dicts; fields it left out are absent."""
    built = msgspec.to_builtins(struct)
    assert isinstance(built, dict)
    return built


def decode(raw: bytes, struct: type[T]) -> T:
    """Body bytes as C(struct). Raises ApiError 1025 for what is no JSON, 1008/1009/1010 for what does not fit."""
    try:
        return msgspec.json.decode(raw, type=struct)
    except msgspec.ValidationError as error:
        raise from_validation(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ApiError(Code.INVALID_REQUEST, "The body is not valid JSON in UTF-8") from None
    except RecursionError:
        raise ApiError(Code.INVALID_REQUEST, "The body is nested too deeply") from None


def from_validation(message: str) -> ApiError:
    """The API error for a message of msgspec, which reads C(<what> - at `$.path`)."""
    place = _PLACE.search(message)
    path = _dotted(place.group("path")) if place else ""
    what = message[: place.start()] if place else message
    if found := _MISSING.match(what):
        return missing(_join(path, found.group("name")))
    if found := _UNKNOWN.match(what):
        return not_required(_join(path, found.group("name")))
    return invalid(path or "body", _sentence(what))


def _dotted(path: str) -> str:
    """C($.webhooks.url) as C(webhooks.url); C($[0].name) as C([0].name)."""
    return path.removeprefix("$").removeprefix(".")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _sentence(what: str) -> str:
    """msgspec's words as the rest of a sentence that starts with the parameter's name."""
    if what.startswith("Expected "):
        return "is not valid: expected " + what.removeprefix("Expected ").replace("`", "")
    if what.startswith("Invalid enum value"):
        return "is not one of the allowed values"
    return "is not valid: " + what.replace("`", "")
