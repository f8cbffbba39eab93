"""The TLS side of the API: the installation's own certificate, or the chain that was uploaded (reference 4.6)."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import ssl
import tempfile
import typing as t
from datetime import UTC, datetime, timedelta
from pathlib import Path

SELF_SIGNED_DAYS: t.Final = 3650

_BLOCK: t.Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)

_AEAD_ONLY: t.Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
_ANYTHING: t.Final = "ALL:!aNULL:!eNULL@SECLEVEL=0"


class BrokenChain(Exception):
    """An uploaded chain that no web server can serve; the text is one sentence that says why."""


def server_context(security_level: str = "") -> ssl.SSLContext:
    """A server context without a certificate yet. Levels are those of C(WA_WEB_SECURITY_LEVEL)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if security_level == "MODERN":
        context.set_ciphers(_AEAD_ONLY)
    elif security_level == "OLD":
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.set_ciphers(_ANYTHING)
    return context


def load(context: ssl.SSLContext, pem: str) -> None:
    """Serve a PEM of key and certificates from now on, also on a context that is serving already.

    Raises BrokenChain. The PEM touches the disk only in a file that nobody else can read, and only for the load.
    """
    descriptor, name = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(pem)
        context.load_cert_chain(name)
    except ssl.SSLError as error:
        raise BrokenChain(f"The web server cannot use the certificate: {error.reason or 'no PEM'}.") from None
    finally:
        Path(name).unlink()


def load_uploaded(context: ssl.SSLContext, pem: str) -> None:
    """Serve an uploaded chain. Raises BrokenChain when its order, its key or a signature is wrong."""
    check_chain(pem)
    load(context, pem)


def load_kept(context: ssl.SSLContext, names: t.Sequence[str], file: Path) -> None:
    """Serve what this container served last; before the database was ever read, a self-signed certificate."""
    load(context, kept(file) or self_signed(names))


def self_signed(names: t.Sequence[str]) -> str:
    """A new key and a certificate signed with it, as one PEM. The first name is the subject."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=SELF_SIGNED_DAYS))
        .add_extension(x509.SubjectAlternativeName([general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (secret + certificate.public_bytes(serialization.Encoding.PEM)).decode()


def blocks(pem: str) -> list[tuple[str, str]]:
    """The PEM blocks of a text in order: label (C(CERTIFICATE) and so on) and text."""
    return [(found.group(1), found.group(0)) for found in _BLOCK.finditer(pem)]


def certificates_of(pem: str) -> str:
    """Only the certificates of a PEM text: what may be shown."""
    return "".join(text + "\n" for label, text in blocks(pem) if label == "CERTIFICATE")


def check_chain(pem: str) -> None:
    """Raises BrokenChain unless the text is key, certificate, at least one intermediate, each signed by the next."""
    labels = [label for label, _ in blocks(pem)]
    if not labels or not labels[0].endswith("PRIVATE KEY"):
        raise BrokenChain("The uploaded certificate must start with a private key.")
    if labels[1:] != ["CERTIFICATE"] * len(labels[1:]) or len(labels) < 3:
        raise BrokenChain("After the private key a certificate and at least one intermediate must follow.")
    _check_signatures([text for _, text in blocks(pem)])


def _check_signatures(parts: list[str]) -> None:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import serialization

    try:
        key = serialization.load_pem_private_key(parts[0].encode(), password=None)
        chain = [x509.load_pem_x509_certificate(part.encode()) for part in parts[1:]]
    except (ValueError, TypeError) as error:
        raise BrokenChain(f"The uploaded certificate cannot be read: {str(error).splitlines()[0]}.") from None
    if key.public_key() != chain[0].public_key():
        raise BrokenChain("The uploaded certificate does not belong to the private key.")
    for signed, signer in itertools.pairwise(chain):
        try:
            signed.verify_directly_issued_by(signer)
        except (InvalidSignature, ValueError, TypeError):
            raise BrokenChain("A certificate of the uploaded chain is not signed by the one after it.") from None


def general_name(name: str) -> t.Any:
    import ipaddress

    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def kept(file: Path) -> str | None:
    """What C(keep) has written, None where it has not."""
    try:
        return file.read_text()
    except OSError:
        return None


def keep(file: Path, pem: str) -> None:
    """Keep it for the next start. A read-only file system only means another certificate then."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.write(pem)
