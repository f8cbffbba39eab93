# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Until when an image of the client works. Internal to waent.fleet: may change in any release. Pure."""

from __future__ import annotations

import datetime
import typing as t

LIFE_DAYS = 180
"""A public build lives so long from the creation of its image (reference 6.4)."""


class Life(t.NamedTuple):
    """The last day of an image."""

    image: str
    last: datetime.date

    @property
    def works_until(self) -> str:
        """In words, without a warning."""
        return "{0} works until {1}".format(self.image, self.last.isoformat())

    def expired(self, day: datetime.date) -> bool:
        """Whether that is over on a day."""
        return self.last < day

    def ends_within(self, days: int, day: datetime.date) -> bool:
        """Whether that is over so many days after a day."""
        return self.last <= day + datetime.timedelta(days=days)

    def warning(self, day: datetime.date) -> str:
        """What is to be done about it, seen on a day."""
        expired = self.expired(day)
        return "[{0}] The image {1} {2} on {3}: {4}.".format(
            "BUILD_EXPIRED" if expired else "BUILD_EXPIRES_SOON",
            self.image,
            "expired" if expired else "expires",
            self.last.isoformat(),
            "it does not work any more, take a newer version" if expired else "upgrade to a newer version before",
        )


def life_of(image: str, created: t.Any, label: t.Any) -> Life | None:
    """By the day in the label EXPIRES_ON, else 180 days after it was made; None where neither can be read."""
    try:
        if label:
            return Life(image, datetime.date.fromisoformat(str(label)))
        made = datetime.date.fromisoformat(str(created or "")[:10])
    except ValueError:
        return None
    return Life(image, made + datetime.timedelta(days=LIFE_DAYS))


def lives_of(hosts: t.Iterable[t.Mapping[str, t.Any]], others: t.Collection[str]) -> list[Life]:
    """Of all images that hosts were found to have, each once. others: images that are not the client's."""
    found = {
        life_of(image["image"], image.get("created"), image.get("expires_on"))
        for host in hosts
        for image in host["images"]
        if image.get("id") and image["image"] not in others
    }
    return sorted(life for life in found if life is not None)
