# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: the application settings, what is wrong with the desired ones, and how they differ from the actual ones.

Internal to waent.fleet: may change in any release. Facts: reference 4.4.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.nearest import misspelt
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem

#: Settings that take effect when the coreapps restart (reference 4.4).
NEED_RESTART = (
    "callback_persist",
    "db_garbagecollector_enable",
    "garbagecollector_enable",
    "pass_through",
    "webhooks.max_concurrent_requests",
)
#: Settings that only the server sets.
READ_ONLY = ("wa_id",)
CONCURRENT_REQUESTS = (6, 12, 18, 24)
MEDIA_KINDS = ("audio", "document", "image", "sticker", "video", "voice")
_WHOLE_NUMBERS = (
    "callback_backoff_delay_ms",
    "heartbeat_interval",
    "max_callback_backoff_delay_ms",
    "unhealthy_interval",
)
_SWITCHES = (
    "axolotl_context_striping_disabled",
    "callback_persist",
    "db_garbagecollector_enable",
    "garbagecollector_enable.media",
    "garbagecollector_enable.messages",
    "notify_user_change_number",
    "pass_through",
    "sent_status",
    "show_security_notifications",
    "verbose_logging",
    "webhook_payload_conversation_pricingmodel_disabled",
    "webhooks.message.delivered",
    "webhooks.message.read",
    "webhooks.message.sent",
)
_TEXTS = ("log_level", "on_call_pager")
_OTHERS = ("media.auto_download", "webhooks.max_concurrent_requests", "webhooks.url")
KNOWN = frozenset((*READ_ONLY, *_WHOLE_NUMBERS, *_SWITCHES, *_TEXTS, *_OTHERS))
"""All settings that the product is known to have, by dotted name (reference 4.4)."""

DEFAULTS: dict[str, t.Any] = {
    "callback_backoff_delay_ms": 3000,
    "callback_persist": True,
    "garbagecollector_enable.media": False,
    "garbagecollector_enable.messages": True,
    "heartbeat_interval": 5,
    "max_callback_backoff_delay_ms": 900000,
    "unhealthy_interval": 30,
    "webhooks.max_concurrent_requests": 6,
    "webhooks.url": "",
}
"""Defaults that are documented for certain, by dotted name (reference 4.4); nobody can predict those of others."""

_GROUPS = frozenset(name.rpartition(".")[0] for name in KNOWN if "." in name)
_MISSING = object()


def setting_problems(desired: t.Mapping[str, t.Any]) -> list[Problem]:
    """What cannot be meant in C(desired). Names that are not known are left to the server, unless one is misspelt."""
    problems = []
    dotted = [name for name in desired if "." in str(name)]
    for name, value in flat(desired).items():
        sentence = "write it as a map, a dot is no part of a name" if name in dotted else _wrong(name, value)
        if sentence:
            text = "Setting {0} is {1!r}; {2}.".format(name, shown(value), sentence)
            problems.append(Problem("SETTING_INVALID", text, "settings." + name, shown(value)))
    return problems


def _wrong_name(name: str, value: t.Any) -> str | None:
    """What is wrong with the name, or with its place among the others."""
    if name in READ_ONLY:
        return "it is read-only"
    if name in _GROUPS and not (isinstance(value, t.Mapping) and not value):
        inner = ", ".join(sorted(known[len(name) + 1 :] for known in KNOWN if known.startswith(name + ".")))
        return "a map of {0} is allowed".format(inner)
    if name in KNOWN or name in _GROUPS:
        return None
    meant = misspelt(name, KNOWN | _GROUPS)
    return "the API has no such setting, but it has {0}".format(meant) if meant else None


def _wrong(name: str, value: t.Any) -> str | None:
    wrong = _wrong_name(name, value)
    if wrong:
        return wrong
    if name in _WHOLE_NUMBERS and (not _is_number(value) or int(value) < 0):
        return "a whole number is allowed"
    if name in ("heartbeat_interval", "unhealthy_interval") and int(value) < 1:
        return "at least 1 second is allowed"
    if name in _SWITCHES and not isinstance(value, bool):
        return "true or false is allowed"
    if name in _TEXTS and not isinstance(value, str):
        return "a text is allowed"
    if name == "webhooks.max_concurrent_requests" and (not _is_number(value) or int(value) not in CONCURRENT_REQUESTS):
        return "6, 12, 18 or 24 is allowed"
    if name == "webhooks.url" and value != "" and not _is_webhook(value):
        return "an https:// address, or nothing, is allowed"
    if name == "media.auto_download" and not (isinstance(value, list) and set(map(str, value)) <= set(MEDIA_KINDS)):
        return "a list of {0} is allowed".format(", ".join(MEDIA_KINDS))
    return None


def _is_webhook(value: t.Any) -> bool:
    """An address with TLS, and a host in it."""
    return (
        isinstance(value, str)
        and re.match(r"https://([^/?#@\s]*@)?[^/?#@:\s][^/?#@\s]*([/?#]\S*)?\Z", value) is not None
    )


def flat(settings: t.Mapping[str, t.Any], prefix: str = "") -> dict[str, t.Any]:
    """Nested settings by dotted names; lists are values."""
    found: dict[str, t.Any] = {}
    for name, value in settings.items():
        if isinstance(value, t.Mapping) and value:
            found.update(flat(value, "{0}{1}.".format(prefix, name)))
        else:
            found["{0}{1}".format(prefix, name)] = value
    return found


def differences(desired: t.Mapping[str, t.Any], actual: t.Mapping[str, t.Any]) -> list[tuple[str, t.Any, t.Any]]:
    """C((dotted name, actual, desired)) of every setting that differs; actual is None where it is not set."""
    is_now = flat(actual)
    return [
        (name, is_now.get(name), value)
        for name, value in sorted(flat(desired).items())
        if not same(value, is_now.get(name, _MISSING))
    ]


class Reset(t.NamedTuple):
    """What a reset would change: C((dotted name, actual, afterwards)), and the names of which nobody can predict it."""

    changes: list[tuple[str, t.Any, t.Any]]
    unknown: list[str]


def reset(desired: t.Mapping[str, t.Any], actual: t.Mapping[str, t.Any]) -> Reset:
    """Every setting back to its default, but those in C(desired)."""
    is_now, asked = flat(actual), flat(desired)
    # A version that does not show a setting has none to reset.
    expected = {**{name: value for name, value in DEFAULTS.items() if name in is_now}, **asked}
    unknown = sorted(name for name in is_now if name not in expected and name not in (*READ_ONLY, *_GROUPS))
    return Reset([one for one in between(actual, expected) if one[0] in expected], unknown)


def between(before: t.Mapping[str, t.Any], after: t.Mapping[str, t.Any]) -> list[tuple[str, t.Any, t.Any]]:
    """C((dotted name, before, after)) of every setting that differs; None where it is not set."""
    was, now = flat(before), flat(after)
    return [
        (name, was.get(name), now.get(name))
        for name in sorted({*was, *now})
        if not same(now.get(name, _MISSING), was.get(name, _MISSING))
    ]


def same(desired: t.Any, actual: t.Any) -> bool:
    """Equal for the server: numbers may be written as text, the order of a list says nothing."""
    if isinstance(desired, list) and isinstance(actual, list):
        return sorted(map(str, desired)) == sorted(map(str, actual))
    if isinstance(desired, bool) or isinstance(actual, bool):
        return desired is actual
    if _is_number(desired) and _is_number(actual):
        return int(desired) == int(actual)
    return bool(desired == actual)


def patch_body(desired: t.Mapping[str, t.Any], actual: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The smallest PATCH: the top-level fields that differ, and no others.

    A field that is an object is sent whole, with the actual values of what is not to change: whether the server
    merges inside of objects is not documented, and this is right either way.
    """
    changed = {name.split(".", 1)[0] for name, _actual, _desired in differences(desired, actual)}
    return {name: _merged(value, actual.get(name)) for name, value in desired.items() if name in changed}


def _merged(desired: t.Any, actual: t.Any) -> t.Any:
    if not isinstance(desired, t.Mapping) or not isinstance(actual, t.Mapping):
        return desired
    return {
        name: _merged(desired[name], actual.get(name)) if name in desired else actual[name]
        for name in list(actual) + [name for name in desired if name not in actual]
    }


def restart_needed(names: t.Iterable[str]) -> list[str]:
    """Those of the changed settings, by dotted name, that need a restart of the coreapps."""
    return [
        name for name in names if name in NEED_RESTART or any(name.startswith(parent + ".") for parent in NEED_RESTART)
    ]


def shown(value: t.Any) -> t.Any:
    """A value as it may be shown: user and password inside of an address are hidden."""
    if isinstance(value, str):
        return re.sub(r"^(\w+://)[^/@]+@", r"\1***@", value)
    return value


def hidden(value: t.Any) -> t.Any:
    """All settings as they may be shown."""
    return {name: hidden(inner) for name, inner in value.items()} if isinstance(value, dict) else shown(value)


def _is_number(value: t.Any) -> bool:
    return not isinstance(value, bool) and re.match(r"^-?\d{1,12}\Z", str(value)) is not None
