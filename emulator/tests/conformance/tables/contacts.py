"""Contacts (reference 4.7)."""

from __future__ import annotations

from tests.conformance.row import (
    BOOLEAN,
    CHANGES,
    INTEGER,
    PROJECT,
    RECORDED,
    REFERENCE,
    STRING,
    Certainty,
    Request,
    Row,
    Schema,
    Table,
    closed,
    const,
    items,
    ok,
    refusal,
)

CONTACTS = "/v1/contacts"


def _check(*contacts: str) -> Request:
    return Request("POST", CONTACTS, json={"blocking": "wait", "contacts": list(contacts)})


def _valid(given: str, wa_id: str) -> Schema:
    return ok(contacts=items(closed(input=const(given), status=const("valid"), wa_id=const(wa_id)), 1))


IDENTITY = ok(identity=closed(hash=STRING, acknowledged=BOOLEAN, created_timestamp=INTEGER))

TABLES = (
    Table(
        f"POST {CONTACTS}",
        (
            Row("with a plus", _check("+4917000001"), 200, REFERENCE, _valid("+4917000001", "4917000001"), node=None),
            Row("bare digits", _check("4917000005"), 200, RECORDED, _valid("4917000005", "4917000005"), node=None),
            Row(
                "no number",
                _check("nobody"),
                200,
                REFERENCE,
                ok(contacts=items(closed(input=const("nobody"), status=const("invalid")), 1)),
                node=None,
                until=(2, 43),
            ),
            Row(
                "always valid",
                _check("+1 555 0101"),
                200,
                CHANGES,
                _valid("+1 555 0101", "15550101"),
                since=(2, 43),
            ),
        ),
    ),
    Table(
        f"GET {CONTACTS}/{{wa_id}}/identity",
        (
            Row(
                "identity",
                Request("GET", f"{CONTACTS}/4917000002/identity"),
                200,
                REFERENCE,
                IDENTITY,
                first=(_check("+4917000002"),),
            ),
            Row(
                "identity after another form was asked about",
                Request("GET", f"{CONTACTS}/4917000006/identity"),
                200,
                RECORDED,
                IDENTITY,
                first=(_check("+4917000006"), _check("4917000006"), _check("+49 170 00006")),
            ),
            Row(
                "nobody checked",
                Request("GET", f"{CONTACTS}/4917000003/identity"),
                404,
                PROJECT,
                refusal(1006),
                certainty=Certainty.CHOICE,
            ),
        ),
    ),
    Table(
        f"PUT {CONTACTS}/{{wa_id}}/identity",
        (
            Row(
                "another hash",
                Request("PUT", f"{CONTACTS}/4917000002/identity", json={"hash": "x"}),
                400,
                REFERENCE,
                refusal(1028),
                certainty=Certainty.CHOICE,
                first=(_check("+4917000002"),),
            ),
        ),
    ),
    *(
        Table(
            f"{method} {CONTACTS}/{{phone}}/block",
            (
                Row(
                    what,
                    Request(method, f"{CONTACTS}/4917000004/block"),
                    200,
                    CHANGES,
                    first=(_check("+4917000004"),),
                    since=(2, 43),
                    changes=True,
                ),
            ),
        )
        for method, what in (("POST", "blocked"), ("DELETE", "unblocked"))
    ),
)
