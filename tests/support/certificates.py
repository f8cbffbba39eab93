# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates for tests: an authority, and what it signs. Written as PEM files, keys for their owner alone."""

from __future__ import annotations

import datetime
import ipaddress
import typing as t
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


GENERATED = x509.Name(
    [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "WhatsApp Inc"),
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Enterprise Client - AutoGen CA"),
    ]
)
"""The subject of the authority that an installation of the client makes for itself."""


class Authority:
    """Signs certificates. ca: path of its own. subject: where it is not its name. days: how long it is valid still.

    signer: who has signed its own, itself where that is left out.
    """

    def __init__(
        self,
        home: Path,
        name: str = "ca",
        subject: x509.Name | None = None,
        days: int = 30,
        signer: Authority | None = None,
    ) -> None:
        self.home, self.name = home, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = subject or _name(name)
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        by = signer or self
        made = _begun(self._subject, by._subject, self._key, days).add_extension(constraints, critical=True)
        self.ca = home / (name + ".pem")
        self.ca.write_bytes(made.sign(by._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    @property
    def sha256(self) -> str:
        """Its fingerprint, as openssl shows it."""
        made = x509.load_pem_x509_certificate(self.ca.read_bytes())
        return made.fingerprint(hashes.SHA256()).hex(":").upper()

    @property
    def with_key(self) -> str:
        """Its key and its certificate, as one PEM."""
        pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        key = self._key.private_bytes(pem, form, serialization.NoEncryption())
        return key.decode() + self.ca.read_text()

    def sign(self, name: str, *also: str, days: int = 30) -> tuple[Path, Path]:
        """Certificate and key for a name, and for further names and addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([_general(one) for one in (name, *also)])
        made = _begun(_name(name), self._subject, key, days).add_extension(names, critical=False)
        cert, private = (self.home / "{0}-{1}.{2}".format(self.name, name, end) for end in ("pem", "key"))
        cert.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        private.touch(mode=0o600)
        plain = serialization.NoEncryption()
        pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        private.write_bytes(key.private_bytes(pem, form, plain))
        return cert, private


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int = 30
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 30 * DAY)
        .not_valid_after(now + days * DAY)
    )


class Bundle(t.NamedTuple):
    """A chain for the webapps, its key, and the file of its authority."""

    chain: str
    key: str
    root: Path

    def variables(self) -> dict[str, str]:
        """As the inventory has them."""
        names = {"wa_api_certificate": self.chain, "wa_api_certificate_key": self.key}
        return {**names, "wa_api_ca_path": str(self.root)}


def bundle(home: Path, *names: str) -> Bundle:
    """Of an authority of its own, with an intermediate."""
    home.mkdir()
    root = Authority(home, "root")
    middle = Authority(home, "middle", signer=root)
    certificate, key = middle.sign(*names)
    return Bundle(certificate.read_text() + middle.ca.read_text(), key.read_text(), root.ca)
