"""Media, and the cleanup of media and messages (reference 4.7)."""

from __future__ import annotations

from tests.conformance.row import (
    ANY,
    PROJECT,
    REFERENCE,
    Certainty,
    Request,
    Row,
    Table,
    closed,
    items,
    ok,
    refusal,
    text,
)

MEDIA = "/v1/media"
UUID = text(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
FORM = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n'
    b"Content-Type: image/png\r\n\r\ndata\r\n--x--\r\n"
)
UNKNOWN = f"{MEDIA}/00000000-0000-4000-8000-000000000000"

TABLES = (
    Table(
        f"POST {MEDIA}",
        (
            Row(
                "uploaded",
                Request("POST", MEDIA, data=b"data", type="image/png"),
                200,
                REFERENCE,
                ok(media=items(closed(id=UUID), 1)),
                changes=True,
            ),
            Row(
                "a form",
                Request("POST", MEDIA, data=FORM, type="multipart/form-data; boundary=x"),
                200,
                PROJECT,
                ok(media=items(closed(id=UUID), 1)),
                certainty=Certainty.WEAK,
                changes=True,
            ),
        ),
    ),
    *(
        Table(
            f"{method} {MEDIA}/{{id}}",
            (Row("unknown", Request(method, UNKNOWN), 404, PROJECT, refusal(1006), certainty=Certainty.CHOICE),),
        )
        for method in ("GET", "DELETE")
    ),
    Table(
        "PUT /v1/services/message/gc",
        (
            Row(
                "begun",
                Request("PUT", "/v1/services/message/gc"),
                200,
                REFERENCE,
                ok(services=closed(message=closed(gc=ANY))),
                node=True,
                changes=True,
            ),
        ),
    ),
    Table(
        "PUT /v1/services/media/gc",
        (
            Row(
                "begun",
                Request("PUT", "/v1/services/media/gc"),
                200,
                REFERENCE,
                ok(services=closed(media=closed(gc=ANY))),
                changes=True,
            ),
        ),
    ),
)
