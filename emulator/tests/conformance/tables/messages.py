"""Messages (reference 4.7)."""

from __future__ import annotations

from tests.conformance.row import (
    INTERNAL,
    PROJECT,
    RECORDED,
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

MESSAGES = "/v1/messages"
ID = text(r"gBEFSRcAAAECC[Q-Za-f][\w-]{12}")  # 80 11 05 4917000001 02 09 and 9 bytes more
TEXT = {"to": "4917000001", "type": "text", "text": {"body": "Hello"}}

TABLES = (
    Table(
        f"POST {MESSAGES}",
        (
            Row(
                "queued",
                Request("POST", MESSAGES, json=TEXT),
                201,
                RECORDED,
                ok(messages=items(closed(id=ID), 1)),
                headers={INTERNAL: r"[0-9a-f]{32}\|[0-9A-F]{18}"},
                node=True,
                changes=True,
            ),
            Row(
                "a field that nobody knows",
                Request("POST", MESSAGES, json={**TEXT, "nobody_knows": 1}),
                201,
                RECORDED,
                certainty=Certainty.LIKELY,
                node=True,
                changes=True,
            ),
            Row(
                "an object of another type",
                Request("POST", MESSAGES, json={**TEXT, "image": {"id": "x"}}),
                400,
                REFERENCE,
                refusal(1010, named="image"),
            ),
            Row(
                "too long",
                Request("POST", MESSAGES, json={**TEXT, "text": {"body": "x" * 4097}}),
                400,
                REFERENCE,
                refusal(1001),
                certainty=Certainty.CHOICE,
            ),
            Row(
                "to the number itself",
                Request("POST", MESSAGES, json={**TEXT, "to": "15550100"}),
                400,
                REFERENCE,
                refusal(1021),
                certainty=Certainty.CHOICE,
                node=True,
                changes=True,
            ),
        ),
    ),
    Table(
        f"PUT {MESSAGES}/{{id}}",
        (
            Row(
                "unknown",
                Request("PUT", f"{MESSAGES}/gBEGkYiEB1VXAglK1ZEqA1YKPrU", json={"status": "read"}),
                404,
                PROJECT,
                refusal(1006),
                certainty=Certainty.CHOICE,
            ),
        ),
    ),
)
