# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of containers and nodes, and facts that follow from one another."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.product import (
    DEFAULT_PORTS,
    IMAGE_NAME,
    KINDS,
    PORTS_INSIDE,
    PORTS_PER_CORE,
    advertised,
    container_name,
    kind_and_index,
    node_key,
    planned_key,
)
from hypothesis import given
from hypothesis import strategies as st


@given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", fullmatch=True), st.sampled_from(KINDS), st.integers(1, 99))
def test_a_name_says_kind_and_index(prefix, kind, index):
    assert kind_and_index(container_name(prefix, kind, index)) == (kind, index)


@pytest.mark.parametrize(
    "name", ["mysql", "wa-database-1", "coreapp-1", "wa-coreapp", "wa-coreapp-1a", "wa-coreapp-1\n"]
)
def test_other_names_say_nothing(name):
    assert kind_and_index(name) == (None, None)


def test_keys_of_nodes():
    assert node_key("h1", "wa-coreapp-1") == planned_key({"host": "h", "address": "h1", "name": "wa-coreapp-1"})
    assert planned_key({"host": "h", "name": "n"}) == "h:n"


def test_facts_of_the_kinds():
    assert set(PORTS_INSIDE) == set(DEFAULT_PORTS) == set(KINDS)
    assert DEFAULT_PORTS["master"] - DEFAULT_PORTS["coreapp"] == PORTS_PER_CORE == 4
    assert advertised("master") == advertised("coreapp") == ("COREAPP_HOSTNAME", "COREAPP_EXTERNAL_PORTS")
    assert advertised("webapp") == ("WEBAPP_HOSTNAME", "WEBAPP_EXTERNAL_PORTS") and advertised(None) == ()
    assert IMAGE_NAME.search("docker.whatsapp.biz/web:v2.19.4").group(1) == "web"
