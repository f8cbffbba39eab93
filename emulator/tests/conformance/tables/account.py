"""Registration and the number of shards (reference 4.3)."""

from __future__ import annotations

import base64

from tests.conformance.row import (
    INTEGER,
    PROJECT,
    RECORDED,
    REFERENCE,
    STRING,
    Certainty,
    Request,
    Row,
    Table,
    closed,
    items,
    ok,
    refusal,
)

CERTIFICATE = base64.b64encode(b"Shop").decode()
REGISTER = Request(
    "POST", "/v1/account", json={"cc": "1", "phone_number": "5550100", "method": "sms", "cert": CERTIFICATE}
)
NAME = ok(account=items(closed(vname=STRING), 1))


def _verify(code: str) -> Request:
    return Request("POST", "/v1/account/verify", json={"code": code})


TABLES = (
    Table(
        "POST /v1/account",
        (
            Row("code sent", REGISTER, 202, REFERENCE, NAME, node=True, changes=True, registered=False),
            Row("registered already", REGISTER, 201, REFERENCE, NAME, node=True, changes=True),
            Row(
                "no certificate",
                Request("POST", "/v1/account", json={"cc": "1", "phone_number": "5550100", "method": "sms"}),
                400,
                PROJECT,
                refusal(1008, named="cert"),
                certainty=Certainty.CHOICE,
            ),
        ),
    ),
    Table(
        "POST /v1/account/verify",
        (
            Row(
                "right code",
                _verify("123456"),
                201,
                REFERENCE,
                ok(),
                first=(REGISTER,),
                node=True,
                changes=True,
                registered=False,
            ),
            Row(
                "right code with its dash",
                _verify("123-456"),
                201,
                RECORDED,
                ok(),
                first=(REGISTER,),
                node=True,
                changes=True,
                registered=False,
            ),
            Row("wrong code", _verify("000000"), 403, RECORDED, refusal(1005), node=True, changes=True),
            Row("wrong code with its dash", _verify("000-000"), 403, RECORDED, refusal(1005), node=True, changes=True),
            Row("no code", _verify("abc"), 400, PROJECT, refusal(1009, named="code"), certainty=Certainty.CHOICE),
        ),
    ),
    Table(
        "GET /v1/account/shards",
        (Row("number", Request("GET", "/v1/account/shards"), 200, REFERENCE, ok(account=closed(shards=INTEGER))),),
    ),
    Table(
        "POST /v1/account/shards",
        (
            Row(
                "a number that is none",
                Request(
                    "POST",
                    "/v1/account/shards",
                    json={"cc": "1", "phone_number": "5550100", "shards": 3, "cert": CERTIFICATE},
                ),
                400,
                PROJECT,
                refusal(1009, named="shards"),
                certainty=Certainty.CHOICE,
            ),
        ),
    ),
)
