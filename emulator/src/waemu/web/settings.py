"""Endpoints of the application settings (reference 4.4). The primary master reads and writes them."""

from __future__ import annotations

import typing as t

import msgspec
from msgspec import UNSET, UnsetType

from waemu.appsettings import PASS_THROUGH_UNTIL, STATUSES_SINCE
from waemu.web.access import Access
from waemu.web.bodies import TolerantSparse, sent
from waemu.web.endpoint import META_ONLY, Call, Endpoints, Reply
from waemu.web.errors import Code, invalid, not_required
from waemu.web.webapp import Webapp

routes = Endpoints()

MOST: t.Final = 2**31 - 1
MOST_SECONDS: t.Final = 86400


NumberText = t.Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,10}$", description="A whole number as text")]
"""Numbers are answered as ints, and taken as ints or as text (reference 4.4)."""

Flag = bool | UnsetType
Milliseconds = t.Annotated[int, msgspec.Meta(ge=0, le=MOST)] | NumberText | UnsetType
Seconds = t.Annotated[int, msgspec.Meta(ge=1, le=MOST_SECONDS)] | NumberText | UnsetType
LogLevel = t.Literal["debug", "info", "warning", "error", "none"]
MediaType = t.Literal["audio", "document", "image", "sticker", "video", "voice"]


class MediaSettings(TolerantSparse):
    """Which types of media are fetched without being asked for."""

    auto_download: list[MediaType] | UnsetType = UNSET


class WebhookStatuses(TolerantSparse):
    """Which status callbacks are sent."""

    sent: Flag = UNSET
    delivered: Flag = UNSET
    read: Flag = UNSET


class WebhookSettings(TolerantSparse):
    """Where callbacks go; an empty url means nowhere."""

    url: t.Annotated[str, msgspec.Meta(max_length=2048, pattern=r"^(https://[^\s/]+\S*)?$")] | UnsetType = UNSET
    max_concurrent_requests: t.Literal[6, 12, 18, 24, "6", "12", "18", "24"] | UnsetType = UNSET
    message: WebhookStatuses | UnsetType = UNSET


class GarbageCollector(TolerantSparse):
    """Periodic cleanup."""

    media: Flag = UNSET
    messages: Flag = UNSET


class ApplicationSettings(TolerantSparse):
    """Any subset of the application settings."""

    callback_backoff_delay_ms: Milliseconds = UNSET
    max_callback_backoff_delay_ms: Milliseconds = UNSET
    callback_persist: Flag = UNSET
    media: MediaSettings | UnsetType = UNSET
    webhooks: WebhookSettings | UnsetType = UNSET
    heartbeat_interval: Seconds = UNSET
    unhealthy_interval: Seconds = UNSET
    garbagecollector_enable: GarbageCollector | UnsetType = UNSET
    db_garbagecollector_enable: Flag = UNSET
    notify_user_change_number: Flag = UNSET
    show_security_notifications: Flag = UNSET
    pass_through: Flag = UNSET
    sent_status: Flag = UNSET
    verbose_logging: Flag = UNSET
    log_level: LogLevel | UnsetType = UNSET
    on_call_pager: t.Annotated[str, msgspec.Meta(max_length=128)] | UnsetType = UNSET
    axolotl_context_striping_disabled: Flag = UNSET
    webhook_payload_conversation_pricingmodel_disabled: Flag = UNSET


_RANGES: t.Final = {
    "callback_backoff_delay_ms": (0, MOST),
    "max_callback_backoff_delay_ms": (0, MOST),
    "heartbeat_interval": (1, MOST_SECONDS),
    "unhealthy_interval": (1, MOST_SECONDS),
}


class ApplicationItem(msgspec.Struct):
    """All application settings, numbers as ints."""

    application: dict[str, t.Any]


class SettingsReply(msgspec.Struct):
    """What reading the application settings answers."""

    settings: ApplicationItem


def desired_change(body: ApplicationSettings, version: tuple[int, ...]) -> dict[str, t.Any]:
    """What is to be stored: numbers as ints, the older name of the cleanup switch as the newer one.

    Raises ApiError 1009 or 1010. Pure.
    """
    change = sent(body)
    for name, (low, high) in _RANGES.items():
        if name in change:
            change[name] = _whole(name, change[name], low, high)
    webhooks = change.get("webhooks", {})
    if version < STATUSES_SINCE:  # known by name, and not heeded yet
        webhooks.pop("message", None)
        if not webhooks:
            change.pop("webhooks", None)
    if "max_concurrent_requests" in webhooks:
        webhooks["max_concurrent_requests"] = int(webhooks["max_concurrent_requests"])
    if "db_garbagecollector_enable" in change:
        _rename_garbage_collector(change)
    if change.get("pass_through") and version >= PASS_THROUGH_UNTIL:
        raise invalid("pass_through", "cannot be enabled from v2.35 on")
    return change


def _rename_garbage_collector(change: dict[str, t.Any]) -> None:
    enabled = change.pop("db_garbagecollector_enable")
    if "messages" in change.get("garbagecollector_enable", {}):
        raise not_required("db_garbagecollector_enable")
    change.setdefault("garbagecollector_enable", {})["messages"] = enabled


def _whole(name: str, value: int | str, low: int, high: int) -> int:
    number = int(value)
    if not low <= number <= high:
        raise invalid(name, f"must be a whole number from {low} to {high}")
    return number


@routes.add(
    "GET",
    "/v1/settings/application",
    access=Access.ADMIN,
    ok={200: SettingsReply},
    errors=(Code.NOT_PRIMARY_MASTER,),
)
async def read(web: Webapp, _call: Call[None]) -> Reply:
    """Read the application settings."""
    answer = await web.cores.on_primary(web.cores.client.settings)
    return Reply(200, SettingsReply(ApplicationItem(answer.application)))


@routes.add(
    "PATCH",
    "/v1/settings/application",
    access=Access.ADMIN,
    body=ApplicationSettings,
    ok={200: META_ONLY},
    errors=(Code.NOT_PRIMARY_MASTER,),
)
async def change(web: Webapp, call: Call[ApplicationSettings]) -> Reply:
    """Change the given application settings, leave the others."""
    desired = desired_change(call.body, web.env.version)
    await web.cores.on_primary(lambda node: web.cores.client.change_settings(node, desired))
    return Reply()


@routes.add(
    "DELETE",
    "/v1/settings/application",
    access=Access.ADMIN,
    ok={200: META_ONLY},
    errors=(Code.NOT_PRIMARY_MASTER,),
)
async def reset(web: Webapp, _call: Call[None]) -> Reply:
    """Set all application settings back to their defaults."""
    await web.cores.on_primary(web.cores.client.reset_settings)
    return Reply()
