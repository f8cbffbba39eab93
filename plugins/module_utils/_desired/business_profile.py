# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: what contacts see of the business, and what is wrong with the desired one (reference 4.4).

Internal to waent.fleet: may change in any release.
"""

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem

LONGEST = {"address": 256, "description": 256, "email": 128, "vertical": 128}
"""Characters that the fields of the business profile may have."""

MOST_WEBSITES, LONGEST_WEBSITE = 2, 256
LONGEST_ABOUT = 139
BUSINESS = (*sorted(LONGEST), "websites")
"""The fields of the business profile; the about text and the photo are kept elsewhere."""

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"


class Photo(t.NamedTuple):
    """A file as it is sent."""

    content: bytes
    mime: str


def profile_problems(desired: t.Mapping[str, t.Any]) -> list[Problem]:
    """What cannot be meant; a field that is None is not asked for."""
    found = [
        _too_long(name, desired[name], most)
        for name, most in sorted(LONGEST.items())
        if len(desired.get(name) or "") > most
    ]
    websites = desired.get("websites") or []
    if len(websites) > MOST_WEBSITES:
        text = "websites has {0} entries; {1} at most are allowed."
        found.append(_problem(text.format(len(websites), MOST_WEBSITES), "websites", websites))
    found += [_too_long("websites", one, LONGEST_WEBSITE) for one in websites if len(one) > LONGEST_WEBSITE]
    about = desired.get("about")
    if about is not None and not about.strip():
        found.append(_problem("about is empty; 1 to {0} characters are allowed.".format(LONGEST_ABOUT), "about", about))
    elif len(about or "") > LONGEST_ABOUT:
        found.append(_too_long("about", about, LONGEST_ABOUT))
    return found


def _too_long(name: str, value: t.Any, most: int) -> Problem:
    text = "{0} has {1} characters; {2} at most are allowed."
    return _problem(text.format(name, len(value), most), name, value)


def _problem(text: str, name: str, value: t.Any) -> Problem:
    return Problem("PROFILE_INVALID", text, name, value)


def photo_of(path: str, content: bytes) -> Photo | Problem:
    """The photo in a file's content, or what is wrong with it."""
    for begin, mime in ((PNG, "image/png"), (JPEG, "image/jpeg")):
        if content.startswith(begin):
            return Photo(content, mime)
    return _problem("photo is {0}, which is neither a PNG nor a JPEG image.".format(path), "photo", path)


def business_changes(desired: t.Mapping[str, t.Any], actual: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The fields of the business profile that differ, with their desired values."""
    return {
        name: desired[name]
        for name in BUSINESS
        if desired.get(name) is not None and desired[name] != (actual.get(name) or type(desired[name])())
    }


def digest(content: bytes | None) -> str:
    """A photo as it is shown in a difference; empty where there is none."""
    return "SHA-256 " + hashlib.sha256(content).hexdigest() if content else ""
