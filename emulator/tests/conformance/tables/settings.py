"""Application settings, media providers, two-step verification (reference 4.4)."""

from __future__ import annotations

from tests.conformance.row import (
    ANY,
    BOOLEAN,
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
    items,
    ok,
    refusal,
)

APPLICATION = "/v1/settings/application"
PROVIDERS = "/v1/settings/application/media/providers"
PROVIDER = {"name": "provider-1", "type": "www", "config": {"bearer": "x"}}
ADD = Request("POST", PROVIDERS, json=[PROVIDER])
TWO_STEP = "/v1/settings/account/two-step"

STATUSES = (2, 41, 2)
WEBHOOKS = closed(url=STRING, max_concurrent_requests={"enum": [6, 12, 18, 24]})
WITH_STATUSES = closed(
    url=STRING,
    max_concurrent_requests={"enum": [6, 12, 18, 24]},
    message=closed(sent=BOOLEAN, delivered=BOOLEAN, read=BOOLEAN),
)


def _settings(webhooks: Schema) -> Schema:
    """All application settings; a client may have more."""
    complete = closed(
        callback_backoff_delay_ms=INTEGER,
        max_callback_backoff_delay_ms=INTEGER,
        callback_persist=BOOLEAN,
        media=closed(auto_download=items(STRING)),
        webhooks=webhooks,
        heartbeat_interval=INTEGER,
        unhealthy_interval=INTEGER,
        garbagecollector_enable=closed(media=BOOLEAN, messages=BOOLEAN),
        notify_user_change_number=BOOLEAN,
        show_security_notifications=BOOLEAN,
        pass_through=BOOLEAN,
        sent_status=BOOLEAN,
        verbose_logging=BOOLEAN,
        log_level=STRING,
        on_call_pager=STRING,
        axolotl_context_striping_disabled=BOOLEAN,
        webhook_payload_conversation_pricingmodel_disabled=BOOLEAN,
        wa_id=STRING,
    )
    return {**complete, "additionalProperties": True}


TABLES = (
    Table(
        f"GET {APPLICATION}",
        (
            *(
                Row(
                    "all",
                    Request("GET", APPLICATION),
                    200,
                    REFERENCE,
                    ok(settings=closed(application=_settings(webhooks))),
                    node=True,
                    since=since,
                    until=until,
                )
                for webhooks, since, until in ((WEBHOOKS, (0, 0), STATUSES), (WITH_STATUSES, STATUSES, None))
            ),
            Row("role too low", Request("GET", APPLICATION, auth="user"), 403, REFERENCE, refusal(1005)),
        ),
    ),
    Table(
        f"PATCH {APPLICATION}",
        (
            Row(
                "one",
                Request("PATCH", APPLICATION, json={"heartbeat_interval": 5}),
                200,
                REFERENCE,
                node=True,
                changes=True,
            ),
            Row(
                "a setting that nobody knows",
                Request("PATCH", APPLICATION, json={"nobody_knows": 1}),
                200,
                RECORDED,
                node=True,
                changes=True,
            ),
            Row(
                "a setting of other versions",
                Request("PATCH", APPLICATION, json={"webhooks": {"message": {"read": True}}}),
                200,
                RECORDED,
                node=True,
                changes=True,
            ),
            Row(
                "a value that is none",
                Request("PATCH", APPLICATION, json={"heartbeat_interval": "soon"}),
                400,
                PROJECT,
                refusal(1009, named="heartbeat_interval"),
                certainty=Certainty.CHOICE,
            ),
        ),
    ),
    Table(
        f"DELETE {APPLICATION}",
        (Row("back to the defaults", Request("DELETE", APPLICATION), 200, REFERENCE, node=True, changes=True),),
    ),
    Table(
        f"GET {PROVIDERS}",
        (
            Row(
                "all",
                Request("GET", PROVIDERS),
                200,
                REFERENCE,
                ok(
                    settings=closed(
                        application=closed(media=closed(providers=items(closed(name=STRING, type=STRING, config=ANY))))
                    )
                ),
                first=(ADD,),
                changes=True,
            ),
        ),
    ),
    Table(f"POST {PROVIDERS}", (Row("added", ADD, 200, REFERENCE, changes=True),)),
    Table(
        f"DELETE {PROVIDERS}/{{name}}",
        (
            Row(
                "deleted",
                Request("DELETE", f"{PROVIDERS}/provider-1"),
                200,
                REFERENCE,
                first=(ADD,),
                changes=True,
            ),
        ),
    ),
    Table(
        f"POST {TWO_STEP}",
        (Row("on", Request("POST", TWO_STEP, json={"pin": "123456"}), 200, REFERENCE, node=True, changes=True),),
    ),
    Table(f"DELETE {TWO_STEP}", (Row("off", Request("DELETE", TWO_STEP), 200, REFERENCE, node=True, changes=True),)),
)
