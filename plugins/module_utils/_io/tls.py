# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authorities in files, certificates that are served, and what verifies them. Internal to waent.fleet: may change."""

from __future__ import annotations

import socket
import ssl
import typing as t
from urllib.parse import urlsplit

from ansible_collections.waent.fleet.plugins.module_utils._check.authority import (
    Authority,
    fingerprint,
    is_generated,
    names_count,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.whole_file import write_whole


class NotTrusted(OSError):
    """The other side serves another certificate than those that are trusted. sha256: of the one it serves."""

    def __init__(self, sha256: str) -> None:
        super().__init__("another certificate")
        self.sha256 = sha256


class _Trusting(ssl.SSLContext):
    """Takes certificates by their fingerprint, whoever has signed them; nothing is sent to who serves another one."""

    trusted: t.FrozenSet[str] = frozenset()

    def wrap_socket(self, *args: t.Any, **options: t.Any) -> ssl.SSLSocket:
        made = super().wrap_socket(*args, **options)
        served = fingerprint(made.getpeercert(True) or b"")
        if served not in self.trusted:
            made.close()
            raise NotTrusted(served)
        return made


Context = t.TypeVar("Context", bound=ssl.SSLContext)


def of_anybody(kind: t.Type[Context]) -> Context:
    """For certificates whoever has signed them, with whatever names."""
    context = kind(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def trusting(certificates: t.Iterable[str]) -> ssl.SSLContext:
    """Of a client that trusts certificates with these fingerprints."""
    context = of_anybody(_Trusting)
    context.trusted = frozenset(certificates)
    return context


def verifying(path: str, authorities: t.Sequence[Authority], others: int) -> ssl.SSLContext | None:
    """Of a client that verifies with the authorities of a file whatever their names are; None where names count."""
    if names_count(authorities, others):
        return None
    context = ssl.create_default_context(cafile=path)
    context.check_hostname = False
    # Python 3.13 refuses authorities that lack what no older one asks for; who made this one asks nobody.
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    return context


def read_authorities(path: str) -> tuple[list[Authority], int]:
    """The authorities of a file of PEM certificates, and how many of the others are none. Raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=path)
    found = _authorities_of(context)
    return found, context.cert_store_stats()["x509"] - len(found)


def authorities_in(pem: str) -> list[Authority]:
    """The authorities of a text with PEM certificates; none where it holds none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError):
        return []
    return _authorities_of(context)


def _authorities_of(context: ssl.SSLContext) -> list[Authority]:
    return [
        Authority(
            sha256=fingerprint(der),
            begins=int(ssl.cert_time_to_seconds(str(shown["notBefore"]))),
            ends=int(ssl.cert_time_to_seconds(str(shown["notAfter"]))),
            generated=is_generated(t.cast("t.Any", shown.get("subject", ()))),
            pem=ssl.DER_cert_to_PEM_cert(der),
        )
        for der, shown in zip(context.get_ca_certs(binary_form=True), context.get_ca_certs())
    ]


def served_certificate(url: str, timeout: float) -> str:
    """The fingerprint of the certificate that is served there, whoever has signed it. Raises OSError."""
    return fingerprint(served_bytes(url, timeout))


def served_bytes(url: str, timeout: float) -> bytes:
    """The certificate that is served there in DER, whoever has signed it. Raises OSError."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    context = of_anybody(ssl.SSLContext)
    address = (name, parts.port or 443)
    with socket.create_connection(address, timeout) as plain, context.wrap_socket(plain, server_hostname=name) as made:
        return made.getpeercert(True) or b""


def write_pin(path: str, authority: Authority) -> None:
    """The authority, as a file with a line that says what it is. Raises OSError."""
    write_whole(path, "Authority of the API, SHA-256 {0}\n{1}".format(authority.sha256, authority.pem))
