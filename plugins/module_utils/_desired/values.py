# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single values as users write them, read or refused. Internal to waent.fleet: may change in any release. Pure."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common import addresses
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem

Raw = t.Mapping[str, t.Any]
"""Variables or options by name, before anything has checked them."""


def whole_number(value: t.Any) -> int | None:
    """A whole number from 0 up, or one as text (C(-e shards=16)); None for all else, even booleans.

    A leading zero is refused: 04 is text here and an octal number in YAML, so it does not say what is meant.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value >= 0 else None
    if isinstance(value, str) and re.fullmatch(r"0|[1-9][0-9]{0,8}", value):
        return int(value)
    return None


def names_in(value: t.Any) -> list[str]:
    """Names as a command gives them: C(a,b), or a list."""
    parts = value if isinstance(value, (list, tuple)) else str(value).split(",")
    return list(dict.fromkeys(str(part).strip() for part in parts if str(part).strip()))


def bad_number(text: str) -> bool:
    """Whether C(text) has the look of an IP address and is none."""
    return addresses.looks_numeric(text) and addresses.ip_of(text) is None


def invalid_address(address: str) -> Problem:
    """The refusal of an address that is none. It names no host, as many may have it from one place."""
    message = (
        "The address {0} (wa_address, wa_api_address, ansible_host, wa_publish_address or wa_extra_hosts) is not valid;"
        " allowed are an IPv4 or IPv6 address, or a DNS name."
    )
    return Problem("WA_ADDRESS_INVALID", message.format(address), "wa_address", address)


def blank_problems(values: Raw, host: str | None = None) -> list[Problem]:
    """One problem for each text in C(values), keyed by variable name, that begins or ends with white space.

    A trailing blank from a command's output breaks the names that nodes advertise.
    """
    return [
        Problem(
            "WA_VALUE_BLANKS",
            "{0} is {1!r}; it must not begin or end with white space.".format(variable, value),
            variable,
            value,
            host,
        )
        for variable, value in sorted(values.items())
        if isinstance(value, str) and value != value.strip()
    ]
