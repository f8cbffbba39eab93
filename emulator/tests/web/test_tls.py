"""The TLS side: self-signed out of the box, and which uploaded chains can be served (reference 4.6)."""

from __future__ import annotations

import datetime as dt
import ssl
import typing as t
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from waemu.web import authority, tls


class Issued(t.NamedTuple):
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        """The private key."""
        form = serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def issue(name: str, signer: Issued | None = None) -> Issued:
    """A certificate signed by another, or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.certificate.subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(signer.key if signer else key, hashes.SHA256())
    )
    return Issued(certificate, key)


@pytest.fixture(scope="module")
def chain() -> tuple[Issued, Issued, Issued]:
    """Root, intermediate, leaf."""
    root = issue("root")
    intermediate = issue("intermediate", root)
    return root, intermediate, issue("leaf", intermediate)


def test_a_good_chain_can_be_served(chain: tuple[Issued, Issued, Issued]) -> None:
    root, intermediate, leaf = chain
    context = tls.server_context()
    tls.load_uploaded(context, leaf.key_pem + leaf.pem + intermediate.pem)
    tls.load_uploaded(context, leaf.key_pem + leaf.pem + intermediate.pem + root.pem)


def test_broken_chains_say_what_is_wrong(chain: tuple[Issued, Issued, Issued]) -> None:
    root, intermediate, leaf = chain
    broken = {
        "": "must start with a private key",
        "nonsense": "must start with a private key",
        leaf.pem + leaf.key_pem + intermediate.pem: "must start with a private key",
        leaf.key_pem + leaf.pem: "at least one intermediate",
        leaf.key_pem + leaf.pem + leaf.key_pem: "at least one intermediate",
        root.key_pem + leaf.pem + intermediate.pem: "does not belong to the private key",
        leaf.key_pem + leaf.pem + root.pem: "not signed by",
        leaf.key_pem + leaf.pem + _corrupt(intermediate.pem): "cannot be read",
    }
    for pem, reason in broken.items():
        with pytest.raises(tls.BrokenChain, match=reason) as refused:
            tls.load_uploaded(tls.server_context(), pem)
        assert "PRIVATE" not in str(refused.value)


def _corrupt(pem: str) -> str:
    """The same block with its first bytes lost."""
    first, rest = pem.split("\n", 1)
    return f"{first}\n{rest[8:]}"


def test_certificates_are_shown_without_the_key(chain: tuple[Issued, Issued, Issued]) -> None:
    _, intermediate, leaf = chain
    shown = tls.certificates_of(leaf.key_pem + leaf.pem + intermediate.pem)
    assert "PRIVATE KEY" not in shown
    assert [label for label, _ in tls.blocks(shown)] == ["CERTIFICATE"] * 2


def test_what_is_kept_is_for_nobody_else(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "webapp.pem"
    assert tls.kept(file) is None
    pem = tls.self_signed(["web"])
    tls.keep(file, pem)
    assert tls.kept(file) == pem
    assert file.stat().st_mode & 0o777 == 0o600
    tls.load_kept(tls.server_context(), ["web"], file)
    tls.keep(tmp_path / "deep" / "webapp.pem" / "below a file", pem)  # cannot be, and stops nobody


def test_the_self_signed_certificate_has_all_names() -> None:
    certificate = x509.load_pem_x509_certificate(tls.certificates_of(tls.self_signed(["web", "127.0.0.1"])).encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["web"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_nothing_below_tls_1_2_unless_asked_for() -> None:
    assert tls.server_context().minimum_version == ssl.TLSVersion.TLSv1_2
    assert tls.server_context("MODERN").minimum_version == ssl.TLSVersion.TLSv1_2
    assert tls.server_context("OLD").minimum_version == ssl.TLSVersion.TLSv1
    names = {cipher["name"] for cipher in tls.server_context("MODERN").get_ciphers()}
    assert not any("CBC" in name or "SHA1" in name for name in names)


def test_the_authority_of_an_installation() -> None:
    now = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
    made = authority.make(now)
    certificate = x509.load_pem_x509_certificate(tls.certificates_of(made).encode())
    assert certificate.subject.rfc4514_string() == "OU=Enterprise Client - AutoGen CA,O=WhatsApp Inc"
    assert certificate.issuer == certificate.subject
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == dt.timedelta(days=365)
    assert not authority.expired(made, now + dt.timedelta(days=364))
    assert authority.expired(made, now + dt.timedelta(days=365))
    assert authority.make(now) != made


def test_what_an_authority_issues_fits_it_and_its_names_alone() -> None:
    now = dt.datetime.now(dt.UTC)
    made, other = authority.make(now), authority.make(now)
    names = ["web", "127.0.0.1"]
    pem = authority.issue(made, names, now)
    tls.load(tls.server_context(), pem)
    assert authority.fits(pem, made, names)
    assert not authority.fits(pem, other, names)
    assert not authority.fits(pem, made, ["web"])
    assert not authority.fits(tls.self_signed(names), made, names)
    assert not authority.fits("nothing", made, names)
