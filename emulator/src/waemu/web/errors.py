"""Errors as the client of the API sees them (reference 4.1 and 5.1); titles and statuses are in C(waemu.codes)."""

from __future__ import annotations

import typing as t
from enum import IntEnum

from waemu import codes


class Code(IntEnum):
    """The codes of reference 5.1 that something here can answer or pass on."""

    GENERIC = 1000
    MESSAGE_TOO_LONG = 1001
    INVALID_RECIPIENT_TYPE = 1002
    NOT_A_GROUP_PARTICIPANT = 1003
    ALREADY_EXISTS = 1004
    ACCESS_DENIED = 1005
    NOT_FOUND = 1006
    RECIPIENT_BLOCKED = 1007
    PARAMETER_MISSING = 1008
    PARAMETER_INVALID = 1009
    PARAMETER_NOT_REQUIRED = 1010
    NOT_READY = 1011
    GROUP_UNKNOWN = 1012
    USER_NOT_VALID = 1013
    INTERNAL = 1014
    TOO_MANY_REQUESTS = 1015
    OVERLOADED = 1016
    NOT_PRIMARY_MASTER = 1017
    NOT_PRIMARY_COREAPP = 1018
    BAD_USER = 1021
    WEBHOOK_NOT_CONFIGURED = 1022
    DATABASE = 1023
    PASSWORD_CHANGE_REQUIRED = 1024
    INVALID_REQUEST = 1025
    RECEIVER_INCAPABLE = 1026
    IDENTITY_CHANGED = 1028
    ACCOUNT_LOCKED = 1031


class ApiError(Exception):
    """An error the client sees: code, title, one sentence of details, and the HTTP status it travels with.

    status: only where the situation and not the code decides it (a missing token is 401 with code 1005).
    headers: sent along, for example C(WWW-Authenticate). empty: the answer has no body, only a status.
    """

    def __init__(
        self,
        code: int,
        details: str = "",
        *,
        status: int | None = None,
        headers: t.Mapping[str, str] | None = None,
        empty: bool = False,
    ) -> None:
        super().__init__(details or codes.title(code))
        self.code = int(code)
        self.details = details
        self.status = codes.status(code) if status is None else status
        self.title = codes.title(code)
        self.headers = dict(headers or {})
        self.empty = empty

    def as_item(self) -> dict[str, t.Any]:
        """One entry of C(errors): C({code, title, details?})."""
        item: dict[str, t.Any] = {"code": self.code, "title": self.title}
        if self.details:
            item["details"] = self.details
        return item


def not_found(details: str) -> ApiError:
    """1006 with status 404."""
    return ApiError(Code.NOT_FOUND, details)


def invalid(parameter: str, allowed: str) -> ApiError:
    """1009 that names the parameter and says what is allowed; never holds the value, which may be a secret."""
    return ApiError(Code.PARAMETER_INVALID, f"Parameter '{parameter}' {allowed}")


def missing(parameter: str) -> ApiError:
    """1008 that names the parameter."""
    return ApiError(Code.PARAMETER_MISSING, f"Parameter '{parameter}' is required")


def not_required(parameter: str) -> ApiError:
    """1010 that names the parameter."""
    return ApiError(Code.PARAMETER_NOT_REQUIRED, f"Parameter '{parameter}' is not known here")


def reason(error: BaseException) -> str:
    """Why the database refused: one line, without the statement and its values, which may hold secrets."""
    text = str(getattr(error, "orig", None) or error)
    return text.splitlines()[0] if text else type(error).__name__
