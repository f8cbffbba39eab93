"""What contacts see of the business (reference 4.4)."""

from __future__ import annotations

from tests.conformance.row import (
    ANY,
    PROJECT,
    RECORDED,
    REFERENCE,
    STRING,
    Certainty,
    Request,
    Row,
    Table,
    closed,
    const,
    items,
    ok,
    refusal,
)

BUSINESS = "/v1/settings/business/profile"
COMPLIANCE = "/v1/settings/business/compliance_info"
ABOUT = "/v1/settings/profile/about"
PHOTO = "/v1/settings/profile/photo"
PNG = b"\x89PNG\r\n\x1a\n"
UNSET = {"address": "", "description": "", "email": "", "vertical": "", "websites": []}
FIVE = closed(address=STRING, description=STRING, email=STRING, vertical=STRING, websites=items(STRING))
SET_PHOTO = Request("POST", PHOTO, data=PNG, type="image/png")

TABLES = (
    Table(
        f"GET {BUSINESS}",
        (
            Row(
                "profile",
                Request("GET", BUSINESS),
                200,
                REFERENCE,
                ok(settings=closed(business=closed(profile=FIVE))),
            ),
            Row(
                "nothing set",
                Request("GET", BUSINESS),
                200,
                RECORDED,
                ok(settings=closed(business=closed(profile=const(UNSET)))),
                registered=False,
            ),
        ),
    ),
    Table(
        f"POST {BUSINESS}",
        (Row("one field", Request("POST", BUSINESS, json={"email": "a@example.com"}), 200, REFERENCE, changes=True),),
    ),
    Table(
        f"GET {COMPLIANCE}",
        (
            Row(
                "information",
                Request("GET", COMPLIANCE),
                200,
                REFERENCE,
                ok(settings=closed(business=closed(compliance_info=ANY))),
                certainty=Certainty.WEAK,
            ),
        ),
    ),
    Table(
        f"POST {COMPLIANCE}",
        (
            Row(
                "one field",
                Request("POST", COMPLIANCE, json={"entity_name": "Shop"}),
                200,
                REFERENCE,
                certainty=Certainty.WEAK,
                changes=True,
            ),
        ),
    ),
    Table(
        f"GET {ABOUT}",
        (
            Row(
                "text",
                Request("GET", ABOUT),
                200,
                REFERENCE,
                ok(settings=closed(profile=closed(about=closed(text=STRING)))),
            ),
        ),
    ),
    Table(f"PATCH {ABOUT}", (Row("text", Request("PATCH", ABOUT, json={"text": "Hi"}), 200, REFERENCE, changes=True),)),
    Table(
        f"GET {PHOTO}",
        (
            Row(
                "none",
                Request("GET", PHOTO),
                404,
                PROJECT,
                refusal(1006),
                certainty=Certainty.CHOICE,
                first=(Request("DELETE", PHOTO),),
                changes=True,
            ),
            Row(
                "picture",
                Request("GET", PHOTO),
                200,
                REFERENCE,
                headers={"Content-Type": "image/png"},
                first=(SET_PHOTO,),
                changes=True,
            ),
            Row(
                "link",
                Request("GET", f"{PHOTO}?format=link"),
                200,
                REFERENCE,
                ok(settings=closed(profile=closed(photo=closed(link=STRING)))),
                first=(SET_PHOTO,),
                changes=True,
            ),
        ),
    ),
    Table(f"POST {PHOTO}", (Row("picture", SET_PHOTO, 200, REFERENCE, changes=True),)),
    Table(f"DELETE {PHOTO}", (Row("removed", Request("DELETE", PHOTO), 200, REFERENCE, changes=True),)),
)
