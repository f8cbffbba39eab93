"""Sticker packs and groups (reference 4.7)."""

from __future__ import annotations

from tests.conformance.row import (
    COLLECTION,
    PROJECT,
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

PACKS, GROUPS = "/v1/stickerpacks", "/v1/groups"
UNKNOWN = f"{PACKS}/00000000-0000-4000-8000-000000000000"
NEW = Request("POST", PACKS, json={"publisher": "Shop", "name": "Smiles"})
WEAK, CHOICE = Certainty.WEAK, Certainty.CHOICE

TABLES = (
    Table(
        f"GET {PACKS}",
        (
            Row(
                "all",
                Request("GET", PACKS),
                200,
                COLLECTION,
                ok(stickerpacks=items({"type": "object"})),
                certainty=WEAK,
            ),
        ),
    ),
    Table(
        f"POST {PACKS}",
        (
            Row(
                "created",
                NEW,
                201,
                COLLECTION,
                ok(stickerpacks=items(closed(id=STRING), 1)),
                certainty=WEAK,
                changes=True,
            ),
        ),
    ),
    *(
        Table(
            f"{method} {PACKS}/{{id}}",
            (
                Row(
                    "unknown",
                    Request(method, UNKNOWN, json=None if method != "PATCH" else {"name": "x"}),
                    404,
                    PROJECT,
                    refusal(1006),
                    certainty=CHOICE,
                ),
            ),
        )
        for method in ("GET", "PATCH", "DELETE")
    ),
    Table(
        f"GET {GROUPS}",
        (Row("none", Request("GET", GROUPS), 200, COLLECTION, ok(groups=items({"type": "object"})), certainty=WEAK),),
    ),
    Table(
        f"GET {GROUPS}/{{id}}",
        (Row("unknown", Request("GET", f"{GROUPS}/1"), 404, PROJECT, refusal(1012), certainty=CHOICE),),
    ),
)
