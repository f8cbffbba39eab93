"""The verified-name certificate that registration and set-shards take (reference 4.3).

The real one is opaque. Here any base64 is a valid certificate; one that decodes to a JSON object can say more,
for tests: C({"vname": "Shop", "expires": "2024-01-31", "phone_number": "15550100"}).
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from typing import NamedTuple

import msgspec

from waemu.clock import CERT_GRACE

DEFAULT_NAME = "Verified Business"


class BadCertificate(Exception):
    """Not a certificate at all."""


class Certificate(msgspec.Struct, frozen=True):
    """phone_number: with country code, None when the certificate fits any. expires: last day it is good."""

    vname: str = DEFAULT_NAME
    phone_number: str | None = None
    expires: dt.date | None = None

    def fits(self, phone_number: str) -> bool:
        """Whether it was made for this number, country code included."""
        return self.phone_number in (None, phone_number)

    def expired(self, today: dt.date) -> bool:
        """Whether its last day is over."""
        return self.expires is not None and today > self.expires


def parse(text: str) -> Certificate:
    """Read a certificate. Raises BadCertificate with the reason."""
    try:
        raw = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadCertificate("the certificate is not base64") from error
    if not raw:
        raise BadCertificate("the certificate is empty")
    if not raw.lstrip().startswith(b"{"):
        return Certificate()
    try:
        return msgspec.json.decode(raw, type=Certificate)
    except msgspec.MsgspecError as error:
        raise BadCertificate("the certificate cannot be read") from error


# What set-shards makes of a certificate (4.3).
OK, REFUSED, BANNED, LOGGED_OFF, DISCONNECTED = "ok", "refused", "banned", "logged_off", "disconnected"


class Result(NamedTuple):
    """outcome: one of the five above; details: one sentence for the caller, empty when all is well."""

    outcome: str
    details: str = ""


_EXPIRED = Result(BANNED, "Certificate error: the certificate has expired; the account is banned")
_WRONG = "Certificate error: {}; the client setup was logged off, call again with the right certificate"
_OVERDUE = Result(DISCONNECTED, "no certificate later than 7 days after the registration")
_AS_IF = {
    "refused": Result(REFUSED, "Server is temporarily unavailable. Please retry"),
    "expired": _EXPIRED,
    "wrong": Result(LOGGED_OFF, _WRONG.format("it is not the number's")),
    "overdue": _OVERDUE,
}


def check(text: str | None, phone_number: str, registered_age: float, today: dt.date) -> Result:
    """The certificate of a set-shards call; registered_age: product seconds since the registration."""
    if text is None:
        return Result(OK) if registered_age <= CERT_GRACE else _OVERDUE
    try:
        certificate = parse(text)
    except BadCertificate as error:
        return Result(LOGGED_OFF, _WRONG.format(error))
    if not certificate.fits(phone_number):
        return _AS_IF["wrong"]
    return _EXPIRED if certificate.expired(today) else Result(OK)


def as_if(fault: str) -> Result:
    """The result a test asks for: refused, expired, wrong or overdue."""
    return _AS_IF[fault]
