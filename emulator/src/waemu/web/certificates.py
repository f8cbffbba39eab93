"""Endpoints of certificates (reference 4.6). A chain is served after a restart, whatever it is worth by then."""

from __future__ import annotations

import typing as t

from waemu.store import certificates
from waemu.web import tls
from waemu.web.access import Access
from waemu.web.endpoint import META_ONLY, NULL, TEXT_REPLY, BodyKind, Call, Endpoints, Reply
from waemu.web.errors import Code, invalid, not_found
from waemu.web.webapp import Webapp

routes = Endpoints()

PEM_TYPE: t.Final = "text/plain; charset=utf-8"
AS_FILE: t.Final = {"Content-Disposition": 'attachment; filename="ca.pem"'}
LONGEST_PEM: t.Final = 60_000
"""Characters; what a text column of the database holds."""


@routes.add("POST", "/v1/certificates/external", access=Access.ADMIN, body=str, body_kind=BodyKind.TEXT, ok={200: NULL})
async def upload_external(web: Webapp, call: Call[str]) -> Reply:
    """Store private key, certificate and intermediates for all webapps to serve after their next restart."""
    if not any(label.endswith("PRIVATE KEY") for label, _ in _blocks(call.body)):
        raise invalid("body", "must hold a private key and certificates in PEM")
    await certificates.write(web.engine, certificates.EXTERNAL, call.body)
    return Reply(null=True)


@routes.add(
    "GET",
    "/v1/certificates/external/ca",
    access=Access.ADMIN,
    ok={200: TEXT_REPLY},
)
async def read_external_ca(web: Webapp, _call: Call[None]) -> Reply:
    """Show the certificates above the uploaded one; when none was uploaded, the authority of the installation."""
    pem = await certificates.read(web.engine, certificates.EXTERNAL)
    if pem is None:
        own = await certificates.read(web.engine, certificates.AUTHORITY) or ""
        return Reply(200, raw=tls.certificates_of(own).encode(), content_type=PEM_TYPE, headers=AS_FILE)
    above = [text + "\n" for label, text in tls.blocks(pem) if label == "CERTIFICATE"][1:]
    return Reply(200, raw="".join(above).encode(), content_type=PEM_TYPE, headers=AS_FILE)


@routes.add(
    "POST",
    "/v1/certificates/webhooks/ca",
    access=Access.ADMIN,
    body=str,
    body_kind=BodyKind.TEXT,
    ok={200: META_ONLY},
)
async def upload_webhooks_ca(web: Webapp, call: Call[str]) -> Reply:
    """Store the CA of the webhook's certificate; coreapps use it after their next restart."""
    if {label for label, _ in _blocks(call.body)} != {"CERTIFICATE"}:
        raise invalid("body", "must hold certificates in PEM and nothing else")
    await certificates.write(web.engine, certificates.WEBHOOKS, call.body)
    return Reply()


@routes.add(
    "GET",
    "/v1/certificates/webhooks/ca",
    access=Access.ADMIN,
    ok={200: TEXT_REPLY},
    errors=(Code.NOT_FOUND,),
)
async def read_webhooks_ca(web: Webapp, _call: Call[None]) -> Reply:
    """Show the CA of the webhook's certificate."""
    pem = await certificates.read(web.engine, certificates.WEBHOOKS)
    if pem is None:
        raise not_found("No CA certificate was uploaded for webhooks")
    return Reply(200, raw=pem.encode(), content_type=PEM_TYPE)


@routes.add(
    "DELETE",
    "/v1/certificates/webhooks/ca",
    access=Access.ADMIN,
    ok={200: META_ONLY},
    errors=(Code.NOT_FOUND,),
)
async def delete_webhooks_ca(web: Webapp, _call: Call[None]) -> Reply:
    """Forget the CA of the webhook's certificate."""
    if not await certificates.delete(web.engine, certificates.WEBHOOKS):
        raise not_found("No CA certificate was uploaded for webhooks")
    return Reply()


def _blocks(pem: str) -> list[tuple[str, str]]:
    """PEM blocks of a text that the database can hold."""
    if len(pem) > LONGEST_PEM or not pem.isascii() or "\x00" in pem:
        raise invalid("body", f"must be PEM of at most {LONGEST_PEM} characters")
    return tls.blocks(pem)
