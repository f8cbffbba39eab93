"""Sticker packs and their stickers (reference 4.7, 4.10)."""

from __future__ import annotations

import typing as t

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

PACKS = "/v1/stickerpacks"
UNKNOWN = f"{PACKS}/00000000-0000-4000-8000-000000000000"
PACK = {"publisher": "Shop", "name": "Smiles"}
STICKER = {"image_data_id": "00000000-0000-4000-8000-000000000001", "emojis": ["\N{SLIGHTLY SMILING FACE}"]}
WEAK, CHOICE = Certainty.WEAK, Certainty.CHOICE


def _unknown(method: str, rest: str, body: t.Any = None) -> Row:
    request = Request(method, UNKNOWN + rest, json=body)
    return Row("unknown pack", request, 404, PROJECT, refusal(1006), certainty=CHOICE)


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
                Request("POST", PACKS, json=PACK),
                201,
                COLLECTION,
                ok(stickerpacks=items(closed(id=STRING), 1)),
                certainty=WEAK,
                changes=True,
            ),
        ),
    ),
    Table(f"GET {PACKS}/{{id}}", (_unknown("GET", ""),)),
    Table(f"PATCH {PACKS}/{{id}}", (_unknown("PATCH", "", {"name": "x"}),)),
    Table(f"DELETE {PACKS}/{{id}}", (_unknown("DELETE", ""),)),
    Table(f"GET {PACKS}/{{id}}/stickers", (_unknown("GET", "/stickers"),)),
    Table(f"POST {PACKS}/{{id}}/stickers", (_unknown("POST", "/stickers", STICKER),)),
    Table(f"GET {PACKS}/{{id}}/stickers/{{index}}", (_unknown("GET", "/stickers/0"),)),
    Table(f"PATCH {PACKS}/{{id}}/stickers/{{index}}", (_unknown("PATCH", "/stickers/0", {"emojis": []}),)),
    Table(f"DELETE {PACKS}/{{id}}/stickers/{{index}}", (_unknown("DELETE", "/stickers/0"),)),
)
