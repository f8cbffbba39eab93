"""Certificates (reference 4.6)."""

from __future__ import annotations

from tests.conformance.row import PROJECT, RECORDED, REFERENCE, TOOLS, Certainty, Request, Row, Table, refusal

EXTERNAL, WEBHOOKS = "/v1/certificates/external", "/v1/certificates/webhooks/ca"
PEM = r"-----BEGIN CERTIFICATE-----\n.*-----END CERTIFICATE-----\n"
CA = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
UPLOAD = Request("POST", WEBHOOKS, data=CA, type="text/plain")

TABLES = (
    Table(
        f"POST {EXTERNAL}",
        (
            Row(
                "no key",
                Request("POST", EXTERNAL, data=CA, type="text/plain"),
                400,
                PROJECT,
                refusal(1009, named="body"),
                certainty=Certainty.CHOICE,
            ),
        ),
    ),
    Table(
        f"GET {EXTERNAL}/ca",
        (
            Row(
                "authority of the installation",
                Request("GET", f"{EXTERNAL}/ca"),
                200,
                RECORDED,
                PEM,
                headers={"Content-Disposition": r'attachment; ?filename="?ca\.pem"?'},
            ),
        ),
    ),
    Table(f"POST {WEBHOOKS}", (Row("stored", UPLOAD, 200, REFERENCE, changes=True),)),
    Table(
        f"GET {WEBHOOKS}",
        (
            Row("shown", Request("GET", WEBHOOKS), 200, REFERENCE, PEM, first=(UPLOAD,), changes=True),
            Row(
                "none",
                Request("GET", WEBHOOKS),
                404,
                TOOLS,
                refusal(1006),
                first=(Request("DELETE", WEBHOOKS),),
                changes=True,
            ),
        ),
    ),
    Table(
        f"DELETE {WEBHOOKS}",
        (Row("forgotten", Request("DELETE", WEBHOOKS), 200, REFERENCE, first=(UPLOAD,), changes=True),),
    ),
)
