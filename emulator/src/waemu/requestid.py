"""The id of one request to the API: in the log of all nodes that take part, and in the answer (reference 2.3, 4.10)."""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass

HEADER = "X-Request-ID"
NONE = "-"  # what is logged outside of any request

_FORM = re.compile(r"[0-9a-f]{32}")


@dataclass
class Trace:
    """One request on its way. reached_node: a master or coreapp has answered. message: the id of the one it sends."""

    id: str
    reached_node: bool = False
    message: str = ""


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def new() -> str:
    """An id no request had before."""
    return secrets.token_hex(16)


def current() -> Trace | None:
    """The request that is being worked on here, None outside of any."""
    return _current.get()


def logged() -> str:
    """What log lines say now."""
    trace = _current.get()
    return NONE if trace is None else trace.id


@contextlib.contextmanager
def following(request_id: str) -> Iterator[Trace]:
    """Within this, everything belongs to a request; tasks that are started here as well."""
    trace = Trace(request_id)
    token = _current.set(trace)
    try:
        yield trace
    finally:
        _current.reset(token)


def given(text: str | None) -> str | None:
    """An id that another node has sent along; None for anything that is none, which must not get into a log."""
    return text if text is not None and _FORM.fullmatch(text) else None
