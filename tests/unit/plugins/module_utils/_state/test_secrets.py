# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments are compared, and no value can be seen in what is sent or answered."""

from __future__ import annotations

import json

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._state.secrets import differing, fingerprint, sealed

DESIRED = {"WA_DB_PASSWORD": "canary-db=", "WA_DB_PORT": "3306"}
SEALED = sealed({"coreapp": DESIRED, "webapp": {**DESIRED, "WA_API_KEY": "canary-api-1"}}, "key")
IMAGE = ["PATH=/bin", "WA_DB_PORT=1"]
AS_DESIRED = ["PATH=/bin", "WA_DB_PASSWORD=canary-db=", "WA_DB_PORT=3306", "COREAPP_HOSTNAME=h1"]


@pytest.mark.parametrize(
    ("kind", "entries", "of_image", "names"),
    [
        ("coreapp", AS_DESIRED, IMAGE, []),
        # What a webapp does not advertise is to it as any other variable, and so it is to the engine.
        ("webapp", AS_DESIRED, IMAGE, ["COREAPP_HOSTNAME", "WA_API_KEY"]),
        ("coreapp", ["WA_DB_PASSWORD=old", "WA_DB_PORT=3306"], IMAGE, ["WA_DB_PASSWORD"]),
        ("coreapp", IMAGE, IMAGE, ["WA_DB_PASSWORD", "WA_DB_PORT"]),
        ("coreapp", [*AS_DESIRED, "WA_SECRET=gone"], IMAGE, ["WA_SECRET"]),
        ("coreapp", [*AS_DESIRED, "PATH=/sbin"], IMAGE, ["PATH"]),
        ("coreapp", [*AS_DESIRED, "WA_SECRET=gone"], None, []),
        ("coreapp", ["WA_DB_PASSWORD"], None, ["WA_DB_PASSWORD", "WA_DB_PORT"]),
        ("database", AS_DESIRED, IMAGE, []),
        (None, AS_DESIRED, IMAGE, []),
    ],
)
def test_what_differs(kind, entries, of_image, names):
    assert differing(SEALED, kind, entries, of_image) == names


def test_where_nothing_is_desired_nothing_differs():
    assert differing({}, "coreapp", AS_DESIRED, IMAGE) == []


def test_no_value_is_in_what_is_sent():
    assert "canary" not in json.dumps(SEALED)


def test_equal_values_do_not_look_equal_elsewhere():
    """Neither under another name nor in another look."""
    assert len({fingerprint("key", "A", "x"), fingerprint("key", "B", "x"), fingerprint("other", "A", "x")}) == 3
