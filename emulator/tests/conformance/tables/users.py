"""Users, login and logout (reference 4.2)."""

from __future__ import annotations

from tests.conformance.row import (
    COLLECTION,
    EMPTY,
    PROJECT,
    RECORDED,
    REFERENCE,
    TOOLS,
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
    text,
)

PASSWORD = "Correct-Horse-1"  # of the users that these requests create
EXPIRES = text(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00")
TOKEN = text(r"[\w-]+\.[\w-]+\.[\w-]+")


def _user(name: str) -> dict[str, str]:
    return {"username": name, "password": PASSWORD}


def _create(name: str) -> Request:
    return Request("POST", "/v1/users", json=_user(name))


def _named(name: str) -> Schema:
    return ok(users=items(closed(username=const(name)), 1))


TABLES = (
    Table(
        "POST /v1/users/login",
        (
            Row(
                "token",
                Request("POST", "/v1/users/login", auth=f"basic:login-1:{PASSWORD}"),
                200,
                REFERENCE,
                ok(users=items(closed(token=TOKEN, expires_after=EXPIRES), 1)),
                first=(_create("login-1"),),
                changes=True,
            ),
            Row(
                "a field that nobody knows",
                Request("POST", "/v1/users/login", json={"nobody_knows": 1}, auth=f"basic:login-2:{PASSWORD}"),
                200,
                RECORDED,
                certainty=Certainty.LIKELY,
                first=(_create("login-2"),),
                changes=True,
            ),
            Row("wrong password", Request("POST", "/v1/users/login", auth="basic:admin:wrong"), 401, RECORDED, EMPTY),
            Row(
                "unknown user",
                Request("POST", "/v1/users/login", auth="basic:nobody:wrong"),
                401,
                RECORDED,
                EMPTY,
                certainty=Certainty.LIKELY,
            ),
            Row(
                "no credentials",
                Request("POST", "/v1/users/login", auth="none"),
                401,
                RECORDED,
                EMPTY,
                certainty=Certainty.LIKELY,
            ),
        ),
    ),
    Table(
        "POST /v1/users/logout",
        (
            Row("no token", Request("POST", "/v1/users/logout", auth="none"), 401, TOOLS),
            Row("unknown token", Request("POST", "/v1/users/logout", auth="wrong"), 401, TOOLS),
        ),
    ),
    Table(
        "POST /v1/users",
        (
            Row(
                "created",
                _create("user-1"),
                201,
                REFERENCE,
                _named("user-1"),
                first=(Request("DELETE", "/v1/users/user-1"),),
                changes=True,
            ),
            Row(
                "created already",
                _create("user-2"),
                400,
                REFERENCE,
                refusal(1014, named="Unable to create user. Already exist?"),
                certainty=Certainty.CHOICE,
                first=(_create("user-2"),),
                changes=True,
            ),
            Row(
                "role too low",
                Request("POST", "/v1/users", json=_user("user-3"), auth="user"),
                403,
                TOOLS,
                refusal(1005),
            ),
            Row(
                "weak password",
                Request("POST", "/v1/users", json={"username": "user-4", "password": "weak"}),
                400,
                PROJECT,
                refusal(1009, named="password"),
                certainty=Certainty.CHOICE,
            ),
        ),
    ),
    Table(
        "GET /v1/users/{name}",
        (
            Row(
                "administrator",
                Request("GET", "/v1/users/admin"),
                200,
                COLLECTION,
                ok(users=items(closed(username=const("admin"), ROLES=const("ROLE_ADMIN")), 1)),
                certainty=Certainty.LIKELY,
            ),
            Row("unknown", Request("GET", "/v1/users/nobody"), 404, PROJECT, refusal(1006), certainty=Certainty.CHOICE),
        ),
    ),
    Table(
        "PUT /v1/users/{name}",
        (
            Row(
                "other password",
                Request("PUT", "/v1/users/user-5", json={"password": PASSWORD + "x"}),
                200,
                REFERENCE,
                _named("user-5"),
                first=(_create("user-5"),),
                changes=True,
            ),
        ),
    ),
    Table(
        "DELETE /v1/users/{name}",
        (
            Row(
                "deleted",
                Request("DELETE", "/v1/users/user-6"),
                200,
                REFERENCE,
                _named("user-6"),
                first=(_create("user-6"),),
                changes=True,
            ),
            Row(
                "administrator",
                Request("DELETE", "/v1/users/admin"),
                403,
                REFERENCE,
                refusal(1005),
                certainty=Certainty.CHOICE,
                changes=True,
            ),
        ),
    ),
)
