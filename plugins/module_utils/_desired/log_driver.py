# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where nodes log to: Docker's log driver and its options. Internal to waent.fleet: may change in any release. Pure.

The options are those of Docker's documentation. One that a driver does not know makes Docker refuse the new container
when the old one is gone already, so it is refused before.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.nearest import nearest
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.text import enumerate_all

Options = t.Mapping[str, t.Any]

DEFAULT = "json-file"
ROTATION = {"max-size": "50m", "max-file": "7"}
"""Of json-file, which without it fills the disk of the host."""

_OF_ALL = ("mode", "max-buffer-size", "cache-disabled", "cache-max-size", "cache-max-file", "cache-compress")
_ABOUT = ("tag", "labels", "labels-regex")


def _begin(prefix: str, *names: str) -> tuple[str, ...]:
    return tuple("{0}-{1}".format(prefix, name) for name in names)


DRIVERS: dict[str, tuple[str, ...]] = {
    DEFAULT: ("max-size", "max-file", "compress", *_ABOUT),
    "local": ("max-size", "max-file", "compress"),
    "journald": _ABOUT,
    "syslog": (
        *_begin("syslog", "address", "facility", "format"),
        *_begin("syslog-tls", "ca-cert", "cert", "key", "skip-verify"),
        *_ABOUT,
    ),
    "awslogs": (
        *_begin("awslogs", "region", "endpoint", "group", "stream", "create-group", "create-stream", "format"),
        *_begin("awslogs", "datetime-format", "multiline-pattern", "credentials-endpoint"),
        *_begin("awslogs", "force-flush-interval-seconds", "max-buffered-events"),
        "tag",
    ),
    "gelf": (
        *_begin("gelf", "address", "compression-type", "compression-level", "tcp-max-reconnect", "tcp-reconnect-delay"),
        *_ABOUT,
    ),
    "fluentd": (
        *_begin("fluentd", "address", "async", "async-connect", "async-reconnect-interval", "buffer-limit"),
        *_begin("fluentd", "max-retries", "retry-wait", "request-ack", "sub-second-precision", "write-timeout"),
        *_ABOUT,
    ),
    "gcplogs": (*_begin("gcp", "project", "log-cmd", "meta-zone", "meta-name", "meta-id"), *_ABOUT),
}
"""Drivers, and the options that only they have.

Not among them: none, since then nobody could say why a node has ended; splunk, whose token would stand in the clear in
every description of a container; env and env-regex, which send the environment of a node along, with its secrets."""

REQUIRED = {"awslogs": ("awslogs-group",), "gelf": ("gelf-address",)}
"""Options without which Docker refuses a driver."""


READABLE = (DEFAULT, "local", "journald")
"""Drivers whose logs every engine reads itself. Of others it is a copy that newer engines keep, where nobody forbids
it."""


def unreadable(driver: str) -> str:
    """Why docker logs has failed, the end of a sentence; empty for a driver of which it can always read."""
    if driver in READABLE or not driver:
        return ""
    return "its log driver is {0}, of which this engine keeps no copy: the log is where that driver sends it".format(
        driver
    )


def log_options(driver: str, options: Options, host: str, node: str) -> dict[str, str]:
    """Options of a node's log driver. Each node has a stream of its own in CloudWatch, whoever forgets to say so."""
    given = {str(name): str(value) for name, value in (options or {}).items()}
    if driver == DEFAULT:
        return {**ROTATION, **given}
    if driver == "awslogs" and not {"awslogs-stream", "tag"} & set(given):
        return {**given, "awslogs-stream": "{0}/{1}".format(host, node)}
    return given


def log_problems(driver: t.Any, options: t.Any) -> list[Problem]:
    """What of the options a driver does not know or lacks. What is no map, and no driver, is refused elsewhere."""
    if not isinstance(driver, str) or driver not in DRIVERS or not isinstance(options, t.Mapping):
        return []
    known = DRIVERS[driver] + _OF_ALL
    problems = []
    for name in options:
        if name in known:
            continue
        meant = nearest(str(name), known)
        hint = " (did you mean {0}?)".format(meant) if meant else ""
        message = "wa_log_options has {0!r}{1}, which the log driver {2} does not know; allowed are {3}."
        text = message.format(name, hint, driver, enumerate_all(sorted(known)))
        problems.append(Problem("WA_LOG_OPTION_UNKNOWN", text, "wa_log_options", name))
    missing = [name for name in REQUIRED.get(driver, ()) if not options.get(name)]
    if missing:
        message = "wa_log_driver is {0!r}, which needs {1} in wa_log_options."
        text = message.format(driver, enumerate_all(missing))
        problems.append(Problem("WA_LOG_OPTION_MISSING", text, "wa_log_options", missing))
    return problems
