# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files for TLS to the database: what goes together, and the volume that holds them."""

from __future__ import annotations

import re

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._desired import db_ssl
from ansible_collections.waent.fleet.plugins.module_utils._desired.container import (
    compare,
    container_of,
    filler_options,
    found_options,
)
from ansible_collections.waent.fleet.tests.support.observed_host import DATABASE, SETTINGS, inspected, placed
from hypothesis import given
from hypothesis import strategies as st

CONTENTS = {"wa_db_ssl_ca": b"ca", "wa_db_ssl_cert": b"cert", "wa_db_ssl_key": b"canary-key"}
ALL = {"wa_db_ssl_ca": "/a", "wa_db_ssl_cert": "/b", "wa_db_ssl_key": "/c"}
CERTS = {**SETTINGS, "db_ssl": "waent-db-ssl-0123456789ab"}


@pytest.mark.parametrize(
    ("given_", "variable"),
    [
        ({}, None),
        ({"db_ssl_ca": "/a"}, None),
        ({"db_ssl_ca": "/a", "db_ssl_cert": "/b", "db_ssl_key": "/c"}, None),
        ({"db_ssl_ca": "/a", "db_ssl_cert": "/b"}, "wa_db_ssl_key"),
        ({"db_ssl_ca": "/a", "db_ssl_key": "/c"}, "wa_db_ssl_cert"),
        ({"db_ssl_cert": "/b", "db_ssl_key": "/c"}, "wa_db_ssl_ca"),
        ({"db_ssl_key": "/c"}, "wa_db_ssl_ca"),
        ({"db_ssl_key": 5}, None),
    ],
)
def test_what_goes_together(given_, variable):
    problems = db_ssl.together_problems(given_)
    assert [(one.code, one.variable) for one in problems] == [("WA_DB_SSL_INCOMPLETE", variable)] * bool(variable)


def test_the_client_gets_the_names_of_what_is_there_alone():
    assert db_ssl.environment(ALL) == {
        "WA_DB_SSL_CA": "/opt/certs/ca.pem",
        "WA_DB_SSL_CERT": "/opt/certs/client-cert.pem",
        "WA_DB_SSL_KEY": "/opt/certs/client-key.pem",
    }
    assert db_ssl.environment({"wa_db_ssl_ca": "/a"}) == {"WA_DB_SSL_CA": "/opt/certs/ca.pem"}
    assert db_ssl.environment({**ALL, "wa_db_ssl_ca": ""}) == {}


@given(st.text(min_size=1), st.binary(), st.binary(), st.binary())
def test_another_certificate_is_another_volume_whose_name_an_engine_takes(cluster, ca, cert, other):
    name = db_ssl.volume_name(cluster, {"wa_db_ssl_ca": ca, "wa_db_ssl_cert": cert})
    assert re.fullmatch("[a-zA-Z0-9][a-zA-Z0-9_.-]*", name)
    assert name == db_ssl.volume_name(cluster, {"wa_db_ssl_ca": ca, "wa_db_ssl_cert": cert, "wa_db_ssl_key": other})
    changed = db_ssl.volume_name(cluster, {"wa_db_ssl_ca": ca, "wa_db_ssl_cert": other})
    assert (changed == name) == (other == cert)
    assert db_ssl.volume_name(cluster, {}) == ""


def test_every_node_has_the_files_and_the_database_has_not():
    for node in placed():
        spec = container_of(node, CERTS)
        assert {"type": "volume", "source": CERTS["db_ssl"], "target": "/opt/certs"} in spec["mounts"]
    assert container_of(DATABASE, CERTS) == container_of(DATABASE, SETTINGS)


def test_files_that_change_are_a_planned_change():
    for node in placed():
        now = found_options(inspected(container_of(node, CERTS)))
        assert compare(container_of(node, CERTS), now) == []
        (difference,) = compare(container_of(node, {**CERTS, "db_ssl": "waent-db-ssl-other"}), now)
        assert difference.option == "mounts" and not difference.in_place
        assert "waent-db-ssl-other at /opt/certs" in difference.text


def test_the_volume_is_filled_through_a_container_that_never_starts_and_belongs_to_the_cluster():
    options = filler_options(CERTS)
    assert options["state"] == "present" and options["name"] == CERTS["db_ssl"] + db_ssl.FILLER
    assert options["labels"]["waent.fleet.cluster"] == options["mounts"][0]["labels"]["waent.fleet.cluster"] == "waent"
