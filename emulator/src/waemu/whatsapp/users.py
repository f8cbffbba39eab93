"""The people who have WhatsApp, as the gateway knows them: who has not, who may be written to freely, what fails.

Without I/O. Times are product seconds of any one clock.
"""

from __future__ import annotations

from typing import Any

import msgspec

from waemu import codes, versions
from waemu.protocol.gateway import Directory, Template
from waemu.whatsapp.directory import INCAPABLE, NOT_A_USER

WINDOW = 86400.0  # 5.2: 24 hours after a user wrote, the business may answer with anything
FREE_TYPES = ("template", "hsm")  # what may be sent at any time
REENGAGEMENT = 470
SINCE_UNCHECKED = (2, 43)  # 4.7: from here on nobody asks before sending, and the answer comes later


class Failure(msgspec.Struct):
    """The next messages to a user fail with a code of 5.2, or with any other."""

    wa_id: str
    code: int
    details: str = "asked for"
    times: int = 1


class Users:
    """Of one number."""

    def __init__(self) -> None:
        self.without: dict[str, int] = {}  # WhatsApp id to 1013 or 1026
        self.templates: dict[tuple[str, str, str], Template] = {}
        self.failures: list[Failure] = []
        self.window = False  # whether the 24 hours count
        self._wrote_at: dict[str, float] = {}

    def directory(self, version: str) -> Directory:
        """What a node of this client version has to know. From v2.43 it learns who has WhatsApp by sending."""
        unchecked = _parsed(version) >= SINCE_UNCHECKED
        users = {key: code for key, code in self.without.items() if not (unchecked and code == NOT_A_USER)}
        return Directory(users, tuple(self.templates.values()))

    def change(self, wa_id: str, code: int) -> None:
        """Say what is wrong with a user (1013, 1026), or with 0 that nothing is."""
        if code:
            self.without[wa_id] = code
        else:
            self.without.pop(wa_id, None)

    def wrote(self, wa_id: str, now: float) -> None:
        """A user wrote to the number."""
        self._wrote_at[wa_id] = now

    def failure(self, wa_id: str, kind: str, now: float) -> dict[str, Any] | None:
        """Why a message of this type does not reach a user, as an entry of C(errors); None when it does."""
        asked = next((failure for failure in self.failures if failure.wa_id == wa_id), None)
        if asked is not None:
            asked.times -= 1
            if asked.times <= 0:
                self.failures.remove(asked)
            return _error(asked.code, asked.details)
        free = kind in FREE_TYPES
        if self.without.get(wa_id) == NOT_A_USER:
            return _error(NOT_A_USER if free else REENGAGEMENT, "The recipient is not on WhatsApp")
        if self.without.get(wa_id) == INCAPABLE:
            return _error(INCAPABLE, "The client of the recipient is too old")
        if self.window and not free and now - self._wrote_at.get(wa_id, float("-inf")) > WINDOW:
            return _error(REENGAGEMENT, "More than 24 hours have passed since the recipient wrote")
        return None


def _error(code: int, details: str) -> dict[str, Any]:
    return {"code": code, "title": codes.message_title(code), "details": details}


def _parsed(version: str) -> tuple[int, int]:
    try:
        found = versions.parse(version)
    except ValueError:
        return (0, 0)
    return (found.major, found.minor)
