"""The verified-name certificate that registration and set-shards take (reference 4.3).

The real one is opaque. Here any base64 is a valid certificate; one that decodes to a JSON object can say more,
for tests: C({"vname": "Shop", "expires": "2024-01-31", "phone_number": "15550100"}).
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt

import msgspec

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
