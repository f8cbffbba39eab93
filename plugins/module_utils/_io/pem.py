# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What certificates and keys in PEM say. Internal to waent.fleet: may change in any release.

Reads no file and talks to nobody; it is here because it takes the package cryptography, which is where ansible-core is
and not on every host. No error holds a part of a key.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.authority import fingerprint
from ansible_collections.waent.fleet.plugins.module_utils._check.certificates import (
    CHAIN,
    KEY,
    Certificate,
    Chain,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import serialization
except ImportError:
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


def certificate_blocks(pem: str) -> list[str]:
    """The certificates of a text, each as PEM and with a newline in the end."""
    return [found.group(0) + "\n" for found in _BLOCK.finditer(pem) if found.group(1) == "CERTIFICATE"]


def read_chain(pem: str, key: str | None = None, authorities: str | None = None) -> Chain:
    """The certificates of a text, whether a key fits the first, and an authority of another text has signed the last.

    Raises Refusal for what is no certificate or key.
    """
    found = _certificates(pem, CHAIN)
    facts = [_facts(one, found[number + 1] if number + 1 < len(found) else None) for number, one in enumerate(found)]
    fits = _fits(key, found[0]) if key is not None and found else None
    anchors = _certificates(authorities, "wa_api_ca_path") if authorities is not None else None
    anchored = any(_signed(found[-1], one) or found[-1] == one for one in anchors) if anchors and found else None
    return Chain(tuple(facts), fits, anchored if anchors is None else bool(anchored))


def read_bytes(der: bytes) -> Certificate | None:
    """A certificate that was met on the wire; None where it cannot be read."""
    try:
        return _facts(x509.load_der_x509_certificate(der), None)
    except ValueError:
        return None


def fingerprints(pem: str) -> list[str]:
    """SHA-256 of the certificates of a text that the API answered; one that cannot be read is left out."""
    try:
        return [fingerprint(one.public_bytes(serialization.Encoding.DER)) for one in _certificates(pem, "")]
    except Refusal:
        return []


def _certificates(pem: str, variable: str) -> list[t.Any]:
    try:
        return [x509.load_pem_x509_certificate(block.encode()) for block in certificate_blocks(pem)]
    except ValueError as error:
        text = "{0} holds a certificate that cannot be read.".format(variable)
        raise Refusal("WA_CERTIFICATE_UNREADABLE", text) from error


def _facts(certificate: t.Any, signer: t.Any) -> Certificate:
    return Certificate(
        sha256=fingerprint(certificate.public_bytes(serialization.Encoding.DER)),
        subject=certificate.subject.rfc4514_string() or "a certificate without a subject",
        names=_names(certificate),
        begins=_seconds(certificate, "not_valid_before"),
        ends=_seconds(certificate, "not_valid_after"),
        authority=_is_authority(certificate),
        signed_by_next=None if signer is None else _signed(certificate, signer),
    )


def _seconds(certificate: t.Any, name: str) -> int:
    """Newer releases of cryptography have the time zone in the name, and older ones do not know it."""
    found = getattr(certificate, name + "_utc", None)
    if found is None:
        import datetime

        found = getattr(certificate, name).replace(tzinfo=datetime.timezone.utc)
    return int(found.timestamp())


def _names(certificate: t.Any) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = [str(address) for address in found.get_values_for_type(x509.IPAddress)]
    return (*found.get_values_for_type(x509.DNSName), *addresses)


def _is_authority(certificate: t.Any) -> bool:
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False


def _signed(certificate: t.Any, signer: t.Any) -> bool:
    try:
        certificate.verify_directly_issued_by(signer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return _is_authority(signer)


def _fits(key: str, certificate: t.Any) -> bool:
    try:
        private = serialization.load_pem_private_key(key.encode(), password=None)
    except TypeError as error:
        text = "{0} is encrypted with a passphrase; allowed is a private key without one, from a vault.".format(KEY)
        raise Refusal("WA_CERTIFICATE_KEY", text) from error
    except ValueError as error:
        raise Refusal("WA_CERTIFICATE_KEY", "{0} is no private key in PEM.".format(KEY)) from error
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return bool(private.public_key().public_bytes(*form) == certificate.public_key().public_bytes(*form))
