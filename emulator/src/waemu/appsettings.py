"""The application settings (reference 4.4): defaults, and how the API's nested form maps to leaves.

A leaf is stored under its dotted name (C(webhooks.url)); what is not stored has its default.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from waemu.clock import HEARTBEAT_INTERVAL, UNHEALTHY_INTERVAL

DEFAULTS: dict[str, Any] = {
    "callback_backoff_delay_ms": 3000,
    "max_callback_backoff_delay_ms": 900000,
    "callback_persist": True,
    "media": {"auto_download": []},
    "webhooks": {
        "url": "",
        "max_concurrent_requests": 6,
        "message": {"sent": False, "delivered": True, "read": True},
    },
    "heartbeat_interval": int(HEARTBEAT_INTERVAL),
    "unhealthy_interval": int(UNHEALTHY_INTERVAL),
    "garbagecollector_enable": {"media": False, "messages": True},
    "notify_user_change_number": True,
    "show_security_notifications": False,
    "pass_through": True,
    "sent_status": False,
    "verbose_logging": False,
    "log_level": "info",
    "on_call_pager": "",
    "axolotl_context_striping_disabled": False,
    "webhook_payload_conversation_pricingmodel_disabled": False,
}

PASS_THROUGH_UNTIL = (2, 35)  # 4.4: from this version on it cannot be enabled
STATUSES_SINCE = (2, 41, 2)  # 4.4: webhooks.message
AT_BOOT = (  # 4.4: these take effect when a coreapp starts, the others at once
    "callback_persist",
    "webhooks.max_concurrent_requests",
    "garbagecollector_enable.media",
    "garbagecollector_enable.messages",
    "pass_through",
)


def leaves(nested: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted name and value of everything that is not itself a mapping."""
    for name, value in nested.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def of_version(settings: dict[str, Any], version: tuple[int, ...]) -> dict[str, Any]:
    """All settings as a client of this version heeds them, whatever an older one has stored."""
    return {**settings, "pass_through": False} if version >= PASS_THROUGH_UNTIL else settings


def shown(settings: dict[str, Any], version: tuple[int, ...]) -> dict[str, Any]:
    """All settings as a client of this version shows them."""
    found = of_version(settings, version)
    if version >= STATUSES_SINCE:
        return found
    webhooks = {name: value for name, value in found["webhooks"].items() if name != "message"}
    return {**found, "webhooks": webhooks}


def nested(stored: Mapping[str, Any]) -> dict[str, Any]:
    """All settings as the API shows them: the defaults with the stored leaves on top."""
    settings = copy.deepcopy(DEFAULTS)
    for dotted, value in stored.items():
        *path, last = dotted.split(".")
        place = settings
        for name in path:
            place = place.setdefault(name, {})
        place[last] = value
    return settings
