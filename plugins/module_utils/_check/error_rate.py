# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The error rate of the API, from what webapps count about themselves. Internal to waent.fleet. Pure.

The counter C(api_requests_duration_ms_count) has the labels C(method) and C(result) (reference 8). Nobody documents the
values of C(result): numbers are taken for HTTP statuses, of which 500 and above are errors; of other values nothing is
said, and such requests are left out.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

SAMPLE = re.compile(r"^api_requests_duration_ms_count\{(?P<labels>.*)\}\s+(?P<value>[0-9.eE+]+)", re.MULTILINE)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

WATCHERS = re.compile(r"^(GET_(v1_)?(metrics|health|support|stats.*)|POST_v1_users_log(in|out))$")
"""What monitoring, balancers and this collection ask; it says nothing about the requests of users."""

Counts = t.Dict[t.Tuple[str, int], float]
Counters = t.Dict[str, Counts]
"""By the URL of each webapp."""


@dataclass(frozen=True)
class ErrorRate:
    """Requests of users between two readings, and those of them that the server failed to serve."""

    requests: int
    errors: int

    @property
    def percent(self) -> float:
        """Errors in a hundred requests, 0 of none."""
        return round(100.0 * self.errors / self.requests, 1) if self.requests else 0.0


def counts(text: str) -> Counts:
    """The requests of users in a webapp's metrics: (method, HTTP status) to how many since it started."""
    found: Counts = {}
    for sample in SAMPLE.finditer(text):
        labels = dict(LABEL.findall(sample.group("labels")))
        method, result = labels.get("method", ""), labels.get("result", "")
        if result.isdigit() and not WATCHERS.match(method):
            key = (method, int(result))
            found[key] = found.get(key, 0.0) + float(sample.group("value"))
    return found


def between(before: Counts, after: Counts) -> ErrorRate:
    """What one webapp served from one reading to the next. One that was restarted in between counts from zero."""
    restarted = any(after.get(key, 0.0) < value for key, value in before.items())
    grown = {key: value - (0.0 if restarted else before.get(key, 0.0)) for key, value in after.items()}
    errors = sum(value for (_method, status), value in grown.items() if status >= 500)
    return ErrorRate(int(sum(grown.values())), int(errors))


def together(rates: t.Iterable[ErrorRate]) -> ErrorRate:
    """All webapps as one."""
    rates = list(rates)
    return ErrorRate(sum(rate.requests for rate in rates), sum(rate.errors for rate in rates))


def counters_as_dict(counters: Counters, clock: float) -> dict[str, t.Any]:
    """In the shape modules return, where keys are text: C({clock, webapps}). clock: when they were read, monotonic."""
    return {
        "clock": clock,
        "webapps": {
            url: [[method, status, value] for (method, status), value in sorted(found.items())]
            for url, found in counters.items()
        },
    }


def counters_from(read: t.Mapping[str, t.Any]) -> tuple[Counters, float]:
    """What C(counters_as_dict) was made from; nothing of nothing."""
    webapps = read.get("webapps") or {}
    return {
        url: {(str(method), int(status)): float(value) for method, status, value in found}
        for url, found in webapps.items()
    }, float(read.get("clock") or 0.0)
