# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether containers have the desired environment, without showing a value. Internal to waent.fleet. Pure.

The desired values go to the host as keyed hashes, with a key made for that one call; the host, where the environment of
a container can be read anyway, hashes what it finds in the same way and answers with names of variables only. In clear
they could not go: a module blots out secret options wherever they occur in its result, and a password that is a word,
such as the product's name, would take names of images and containers with it.
"""

from __future__ import annotations

import hashlib
import hmac
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.product import advertised

Environment = t.Mapping[str, t.Any]


def fingerprint(key: str, name: str, value: t.Any) -> str:
    """Hash of a variable's value, the same for the same key, name and value only."""
    return hmac.new(key.encode(), "{0}={1}".format(name, value).encode(), hashlib.sha256).hexdigest()


def sealed(environments: t.Mapping[str, Environment], key: str) -> dict[str, t.Any]:
    """The desired environments by kind of node, without a value: C({key, kinds: {kind: {name: hash}}})."""
    return {
        "key": key,
        "kinds": {
            kind: {name: fingerprint(key, name, value) for name, value in environment.items()}
            for kind, environment in environments.items()
        },
    }


def differing(
    desired: t.Mapping[str, t.Any], kind: str | None, entries: t.Iterable[str], of_image: t.Collection[str] | None
) -> list[str]:
    """Names of the variables of a container, C(NAME=value) each, that are not as desired; sorted.

    What a node advertises is left out: each has its own, and C(_desired/container.py) compares it in clear.

    desired: what C(sealed) returned, or empty. of_image: what the container's image brings along, None where that
    cannot be read: then nothing is said about variables nobody asked for.
    """
    fingerprints = (desired.get("kinds") or {}).get(kind)
    if fingerprints is None:
        return []
    entries = list(entries)
    found = {name: value for name, equals, value in (entry.partition("=") for entry in entries) if equals}
    names = {
        name
        for name, value in fingerprints.items()
        if name not in found or not hmac.compare_digest(fingerprint(desired["key"], name, found[name]), value)
    }
    if of_image is not None:
        own = {entry.partition("=")[0] for entry in entries if entry not in of_image}
        names |= own - set(fingerprints)
    return sorted(names - set(advertised(kind)))
