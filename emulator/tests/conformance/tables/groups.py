"""Groups, which are deprecated (reference 4.7, 4.10)."""

from __future__ import annotations

from tests.conformance.row import COLLECTION, PROJECT, Certainty, Request, Row, Table, items, ok, refusal

GROUPS = "/v1/groups"
OF_ONE = (
    *(("GET", ""), ("PUT", "")),
    *(("GET", "/icon"), ("POST", "/icon"), ("DELETE", "/icon")),
    *(("GET", "/invite"), ("DELETE", "/invite")),
    *(("PATCH", "/admins"), ("DELETE", "/admins")),
    *(("DELETE", "/participants"), ("POST", "/leave")),
)

TABLES = (
    Table(
        f"GET {GROUPS}",
        (
            Row(
                "none",
                Request("GET", GROUPS),
                200,
                COLLECTION,
                ok(groups=items({"type": "object"})),
                certainty=Certainty.WEAK,
            ),
        ),
    ),
    Table(
        f"POST {GROUPS}",
        (
            Row(
                "refused",
                Request("POST", GROUPS, json={"subject": "x"}),
                403,
                PROJECT,
                refusal(1005),
                certainty=Certainty.CHOICE,
                changes=True,
            ),
        ),
    ),
    *(
        Table(
            f"{method} {GROUPS}/{{id}}{rest}",
            (
                Row(
                    "unknown group",
                    Request(method, f"{GROUPS}/15550101-1500000000{rest}"),
                    404,
                    PROJECT,
                    refusal(1012),
                    certainty=Certainty.CHOICE,
                ),
            ),
        )
        for method, rest in OF_ONE
    ),
)
