# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what webapps count about their requests. Internal to waent.fleet: may change in any release."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.module_utils._check.error_rate import Counts, counts
from ansible_collections.waent.fleet.plugins.module_utils._common.api_codes import NOT_FOUND
from ansible_collections.waent.fleet.plugins.module_utils._io.client import ApiError, Client


def read_counters(client: Client) -> dict[str, Counts]:
    """Counters by webapp, of those that have metrics. Raises a ClientError."""
    found = {}
    for url in sorted(client.urls):
        try:
            found[url] = counts(client.at(url).metrics())
        except ApiError as error:
            if not unknown_path(error):
                raise
    return found


def unknown_path(error: ApiError) -> bool:
    """Whether the webapp has no metrics; older ones say so in several ways (reference 4.1)."""
    text = (error.title + " " + error.api_details).lower()
    return error.status == 404 or error.code == NOT_FOUND or "not found" in text
