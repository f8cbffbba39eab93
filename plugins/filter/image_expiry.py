# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: image_expiry
short_description: Which images of the client have expired or will soon
version_added: 0.1.0
author: waent.fleet contributors (@waent)
description:
  - A build of the client works until the date in its image's label C(EXPIRES_ON), or 180 days from the day the image
    was made where it has no such label. After that it refuses to work.

extends_documentation_fragment:
  - waent.fleet.attributes.internal
options:
  _input:
    description: Images as C(docker inspect) describes them.
    type: list
    elements: dict
    required: true
  days:
    description: How many days ahead an image is reported.
    type: int
    default: 30
  today:
    description: The day to compare with, C(YYYY-MM-DD); today where it is left out.
    type: str
"""

EXAMPLES = r"""
- name: Show which images expire within 30 days
  ansible.builtin.debug:
    msg: "{{ images.images | waent.fleet.image_expiry | map(attribute='sentence') }}"
"""

RETURN = r"""
_value:
  description: One entry for each image that has expired, or will within the days; empty when all is well.
  type: list
  elements: dict
  contains:
    image:
      description: The image.
      type: str
    expires_on:
      description: Its last day, C(YYYY-MM-DD).
      type: str
    expired:
      description: Whether that is over.
      type: bool
    sentence:
      description: The same in words.
      type: str
    works_until:
      description: Its last day in words, without a warning.
      type: str
"""

import datetime
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.image_life import life_of


def image_expiry(
    images: t.Iterable[t.Mapping[str, t.Any]], days: int = 30, today: str | None = None
) -> list[dict[str, t.Any]]:
    """The images that do not work any more, or not for long."""
    day = datetime.date.fromisoformat(today) if today else datetime.datetime.now(datetime.timezone.utc).date()
    found = []
    for image in images:
        label = ((image.get("Config") or {}).get("Labels") or {}).get("EXPIRES_ON")
        life = life_of((image.get("RepoTags") or [image.get("Id")])[0], image.get("Created"), label)
        if life is None or not life.ends_within(int(days), day):
            continue
        found.append({
            "image": life.image, "expires_on": life.last.isoformat(), "expired": life.expired(day),
            "sentence": life.warning(day), "works_until": life.works_until,
        })  # fmt: skip
    return found


class FilterModule:
    """Filters that check images."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"image_expiry": image_expiry}
