"""The certificate authority that an installation makes for itself, and what it signs (reference 4.6, 4.10).

All webapps of an installation serve a certificate of the one authority in the database, so that a client that trusts
what C(GET /v1/certificates/external/ca) shows can verify every one of them.
"""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

from waemu.web import tls

if t.TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

ORGANISATION: t.Final = "WhatsApp Inc"
UNIT: t.Final = "Enterprise Client - AutoGen CA"
LIFE: t.Final = timedelta(days=365)
EARLIER: t.Final = timedelta(hours=1)
"""How far the clock of a client may be behind."""


def make(now: datetime) -> str:
    """A new authority: its key and its certificate, as one PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, UNIT),
        ]
    )
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = _builder(name, name, key, key, now, now - EARLIER + LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return _signed(builder.add_extension(usage, critical=True), key, key)


def issue(authority: str, names: t.Sequence[str], now: datetime) -> str:
    """A new key and certificate for these names, signed by the authority, as one PEM. The first name is the subject."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    signer, above = _read(authority)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    builder = _builder(subject, above.subject, key, signer, now, above.not_valid_after_utc)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    alternatives = x509.SubjectAlternativeName([tls.general_name(name) for name in names])
    return _signed(builder.add_extension(alternatives, critical=False), key, signer)


def expired(authority: str, now: datetime) -> bool:
    """Whether the authority's year is over."""
    return _read(authority)[1].not_valid_after_utc <= now


def fits(pem: str, authority: str, names: t.Sequence[str]) -> bool:
    """Whether a certificate that was kept is this authority's, and for these names."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    try:
        kept = x509.load_pem_x509_certificate(tls.certificates_of(pem).encode())
        kept.verify_directly_issued_by(_read(authority)[1])
        found = kept.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    return list(found) == [tls.general_name(name) for name in names]


def _read(authority: str) -> tuple[EllipticCurvePrivateKey, x509.Certificate]:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(authority.encode(), password=None)
    certificate = x509.load_pem_x509_certificate(tls.certificates_of(authority).encode())
    return t.cast("EllipticCurvePrivateKey", key), certificate


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: EllipticCurvePrivateKey,
    signer: EllipticCurvePrivateKey,
    now: datetime,
    until: datetime,
) -> x509.CertificateBuilder:
    """Authorities of two installations have the same name: their identifiers differ."""
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - EARLIER)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )


def _signed(builder: x509.CertificateBuilder, key: EllipticCurvePrivateKey, signer: EllipticCurvePrivateKey) -> str:
    """The key and the certificate, as one PEM."""
    from cryptography.hazmat.primitives import hashes, serialization

    certificate = builder.sign(signer, hashes.SHA256())
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (secret + certificate.public_bytes(serialization.Encoding.PEM)).decode()
