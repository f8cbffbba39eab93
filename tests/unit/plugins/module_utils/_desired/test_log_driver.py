# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where nodes log to, and what of it is refused."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.product import SCHEMA_UPGRADE
from ansible_collections.waent.fleet.plugins.module_utils._desired.container import compare, container_of, found_options
from ansible_collections.waent.fleet.plugins.module_utils._desired.log_driver import (
    DRIVERS,
    READABLE,
    ROTATION,
    log_options,
    log_problems,
    unreadable,
)
from ansible_collections.waent.fleet.tests.support.observed_host import DATABASE, SETTINGS, inspected, placed
from hypothesis import given
from hypothesis import strategies as st

CLOUDWATCH = {"awslogs-region": "eu-central-1", "awslogs-group": "waent-production"}


def test_without_a_word_about_it_logs_are_rotated():
    assert log_options("json-file", {}, "one", "wa-coreapp-1") == ROTATION
    assert log_options("json-file", {"max-file": "3", "tag": "x"}, "one", "n") == {
        **ROTATION,
        "max-file": "3",
        "tag": "x",
    }


@pytest.mark.parametrize("driver", sorted(set(DRIVERS) - {"json-file", "awslogs"}))
def test_other_drivers_get_what_is_given_and_no_more(driver):
    assert log_options(driver, {}, "one", "n") == {}
    assert log_options(driver, {"tag": "x"}, "one", "n") == {"tag": "x"}


@pytest.mark.parametrize(
    ("more", "stream"),
    [
        ({}, {"awslogs-stream": "one/wa-coreapp-1"}),
        ({"awslogs-stream": "mine"}, {"awslogs-stream": "mine"}),
        ({"tag": "mine"}, {"tag": "mine"}),
    ],
)
def test_each_node_has_a_stream_of_its_own(more, stream):
    assert log_options("awslogs", {**CLOUDWATCH, **more}, "one", "wa-coreapp-1") == {**CLOUDWATCH, **stream}


def test_the_nodes_of_a_cluster_share_no_stream():
    settings = {**SETTINGS, "log_driver": "awslogs", "log_options": CLOUDWATCH}
    streams = [container_of(node, settings)["log_options"]["awslogs-stream"] for node in placed()]
    assert len(set(streams)) == len(streams) == len(placed())


@given(st.sampled_from(sorted(DRIVERS)), st.sampled_from(sorted(DRIVERS)))
def test_another_driver_is_another_container(before, after):
    """Also back to where docker logs reads: the option is changed only with the container."""
    for node in placed():
        old = container_of(node, {**SETTINGS, "log_driver": before})
        new = container_of(node, {**SETTINGS, "log_driver": after})
        found = [one for one in compare(new, found_options(inspected(old))) if one.option == "log_driver"]
        assert [one.text for one in found] == (
            [] if before == after else ["log driver: {0} instead of {1}".format(after, before)]
        )
        assert not any(one.in_place for one in found)


@pytest.mark.parametrize("node", [DATABASE, {"kind": SCHEMA_UPGRADE, "name": "wa-schema-upgrade", "address": "h1"}])
def test_what_playbooks_read_themselves_stays_where_they_read_it(node):
    spec = container_of(node, {**SETTINGS, "log_driver": "awslogs", "log_options": CLOUDWATCH})
    assert (spec["log_driver"], spec["log_options"]) == ("json-file", ROTATION)


@pytest.mark.parametrize(
    ("driver", "options", "code", "words"),
    [
        ("json-file", {"max-sise": "5m"}, "WA_LOG_OPTION_UNKNOWN", "'max-sise' (did you mean max-size?)"),
        ("awslogs", {**CLOUDWATCH, "max-size": "5m"}, "WA_LOG_OPTION_UNKNOWN", "the log driver awslogs does not know"),
        ("journald", {"env": "WA_DB_PASSWORD"}, "WA_LOG_OPTION_UNKNOWN", "allowed are"),
        (
            "awslogs",
            {"awslogs-region": "eu-central-1"},
            "WA_LOG_OPTION_MISSING",
            "needs awslogs-group in wa_log_options",
        ),
        ("gelf", {}, "WA_LOG_OPTION_MISSING", "needs gelf-address"),
    ],
)
def test_what_docker_would_refuse_is_refused_before(driver, options, code, words):
    (problem,) = log_problems(driver, options)
    assert (problem.code, problem.variable) == (code, "wa_log_options")
    assert words in problem.message
    assert "WA_DB_PASSWORD" not in problem.message


@pytest.mark.parametrize(
    ("driver", "options"),
    [
        ("awslogs", CLOUDWATCH),
        ("json-file", {"max-size": "10m", "mode": "non-blocking", "max-buffer-size": "4m"}),
        ("syslog", {"syslog-address": "udp://192.0.2.1:514", "syslog-tls-skip-verify": "true"}),
        ("local", {}),
        # Refused elsewhere.
        ("none", {"x": "y"}),
        ("json-file", ["max-size"]),
    ],
)
def test_nothing_is_wrong_with_it(driver, options):
    assert log_problems(driver, options) == []


def test_whose_copy_an_engine_may_not_have_is_said():
    assert [driver for driver in sorted(DRIVERS) if not unreadable(driver)] == sorted(READABLE)
    assert unreadable("") == ""
    assert "its log driver is gelf" in unreadable("gelf")
