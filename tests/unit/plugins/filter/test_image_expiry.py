# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long an image's build works."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.filter.image_expiry import FilterModule, image_expiry


def image(label=None, created="2026-01-01T10:00:00.123Z"):
    labels = {"EXPIRES_ON": label} if label else None
    return {"RepoTags": ["r/core:v1.2.3"], "Id": "sha256:1", "Created": created, "Config": {"Labels": labels}}


@pytest.mark.parametrize(
    ("today", "reported", "expired"),
    [
        ("2026-05-01", False, False),
        ("2026-05-02", True, False),
        ("2026-06-01", True, False),
        ("2026-06-02", True, True),
    ],
)
def test_the_label_is_the_last_day(today, reported, expired):
    found = image_expiry([image("2026-06-01")], 30, today)
    assert [entry["expired"] for entry in found] == ([expired] if reported else [])
    assert all(entry["expires_on"] == "2026-06-01" and "r/core:v1.2.3" in entry["sentence"] for entry in found)


def test_without_a_label_it_is_180_days_from_the_day_it_was_made():
    assert image_expiry([image()], 0, "2026-06-30")[0]["expires_on"] == "2026-06-30"
    assert image_expiry([image()], 0, "2026-06-29") == []


@pytest.mark.parametrize("unreadable", [image("soon"), {"Id": "sha256:1"}, image(created="")])
def test_what_shows_no_day_is_left_alone(unreadable):
    assert image_expiry([unreadable], 9999, "2026-06-30") == []


def test_without_a_day_it_is_today():
    assert FilterModule().filters()["image_expiry"]([image("2020-01-01"), image("2199-01-01")])[0]["expired"]
