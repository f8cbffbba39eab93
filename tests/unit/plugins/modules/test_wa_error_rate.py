# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_error_rate through main() against a real HTTPS server, and the pure part behind it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.error_rate import (
    ErrorRate,
    between,
    counters_as_dict,
    counters_from,
    counts,
)
from ansible_collections.waent.fleet.plugins.modules import wa_error_rate
from ansible_collections.waent.fleet.tests.support.scripted_api import run_module
from hypothesis import given
from hypothesis import strategies as st

METRICS = "/metrics?format=prometheus"
NAME = "api_requests_duration_ms_count"


def metrics(good, bad, method="POST_v1_messages"):
    """Metrics of a webapp that served so many messages well, and so many not."""
    lines = ["# TYPE {0} counter".format(NAME)]
    for result, count in (("201", good), ("500", bad)):
        lines.append('{0}{{method="{1}",result="{2}",node="w\\"1"}} {3}'.format(NAME, method, result, count))
    return "\n".join([*lines, "web_uptime 4.5", ""]).encode()


@pytest.fixture
def run(capfd, access):
    """Runs the module."""

    def call(**args):
        return run_module(wa_error_rate, capfd, **dict(dict(access, seconds=0), **args))

    return call


def test_few_errors_are_fine(run, api):
    api.on("GET", METRICS, metrics(100, 7)).on("GET", METRICS, metrics(199, 8))
    result = run()
    assert not result.get("failed") and result["changed"] is False
    assert (result["requests"], result["errors"], result["percent"]) == (100, 1, 1.0)
    assert result["counted"] == [api.url]


def test_many_errors_fail_it_with_the_figures(run, api):
    api.on("GET", METRICS, metrics(100, 0)).on("GET", METRICS, metrics(148, 12))
    result = run(seconds=0.5)
    assert result["failed"] and result["failure"]["code"] == "ERROR_RATE_HIGH"
    assert result["msg"] == "12 of 60 requests (20.0 %) failed within 0.5 s; at most 5.0 % is allowed."


def test_requests_that_end_late_with_an_error_are_waited_for(run, api):
    for good, bad in ((100, 0), (101, 30), (160, 31)):
        api.on("GET", METRICS, metrics(good, bad))
    result = run(timeout=60)
    assert not result.get("failed")
    assert (result["requests"], result["errors"]) == (60, 1), "those of the last time"


def test_errors_that_stay_fail_it_in_the_end(run, api):
    for times in range(40):
        api.on("GET", METRICS, metrics(0, 30 * times))
    result = run(seconds=0.1, timeout=0.3)
    assert result["failed"] and result["failure"]["code"] == "ERROR_RATE_HIGH"
    assert result["msg"].startswith("30 of 30 requests")


def test_requests_are_counted_from_where_another_call_began(run, api):
    api.on("GET", METRICS, metrics(100, 5)).on("GET", METRICS, metrics(160, 65))
    begun = run(begin=True)
    assert (begun["counted"], begun["requests"], begun["changed"]) == ([api.url], 0, False)
    result = run(since=json.loads(json.dumps(begun["counters"])))
    assert result["failure"]["code"] == "ERROR_RATE_HIGH"
    assert result["msg"].startswith("60 of 120 requests (50.0 %) failed within ")


def test_it_takes_no_time_where_so_much_has_passed_and_else_the_rest(run, api, monkeypatch):
    now, slept = [100.0], []
    monkeypatch.setattr(wa_error_rate, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=slept.append))
    for _times in range(3):
        api.on("GET", METRICS, metrics(100, 0))
    begun = run(begin=True)["counters"]
    assert slept == []
    now[0] += 1
    run(since=begun, seconds=3.0)
    now[0] += 5
    run(since=begun, seconds=3.0)
    assert slept == [2.0, 0.0]


def test_where_too_many_have_failed_those_of_afterwards_count(run, api):
    """A request that waited for a shard ends late; so no step stops a rollout that would not have before."""
    for good, bad in ((100, 0), (101, 30), (160, 31)):
        api.on("GET", METRICS, metrics(good, bad))
    result = run(since=run(begin=True)["counters"], timeout=60)
    assert not result.get("failed") and (result["requests"], result["errors"]) == (60, 1)


def test_a_webapp_that_could_not_be_read_at_the_beginning_is_not_counted(run, api, start_api):
    other = start_api()
    api.on("GET", METRICS, metrics(0, 0)).on("GET", METRICS, metrics(30, 0))
    other.on("GET", METRICS, metrics(500, 500))
    result = run(api_url=[api.url, other.url], since=run(begin=True)["counters"])
    assert (result["counted"], result["requests"]) == ([api.url], 30)


def test_where_none_of_the_webapps_of_the_beginning_is_there_those_of_now_are_counted(run, api, start_api):
    """Nothing counted is not nothing failed."""
    gone = start_api()
    gone.on("GET", METRICS, metrics(0, 0))
    for good, bad in ((500, 0), (500, 60)):
        api.on("GET", METRICS, metrics(good, bad))
    result = run(since=run(api_url=gone.url, begin=True)["counters"])
    assert result["failure"]["code"] == "ERROR_RATE_HIGH" and result["counted"] == [api.url]


def test_what_cannot_begin_says_why_and_counts_from_later_on(run, api):
    api.on("GET", METRICS, None, status=401)
    api.on("GET", METRICS, metrics(100, 7)).on("GET", METRICS, metrics(199, 8))
    refused = run(begin=True)
    assert refused["failure"]["code"] == "API_AUTH" and refused["counters"] == {}
    assert run(since=refused["counters"])["requests"] == 100


COUNTS = st.dictionaries(
    st.tuples(st.sampled_from(["POST_v1_messages", "GET_v1_x"]), st.integers(100, 599)), st.floats(0, 1e9), max_size=4
)


@given(st.dictionaries(st.sampled_from(["https://a", "https://b"]), COUNTS), st.floats(0, 1e9))
def test_counters_come_back_as_they_went(counters, clock):
    assert counters_from(json.loads(json.dumps(counters_as_dict(counters, clock)))) == (counters, clock)


def test_too_few_requests_are_not_checked(run, api):
    api.on("GET", METRICS, metrics(0, 0)).on("GET", METRICS, metrics(0, 19))
    assert not run().get("failed")


@pytest.mark.parametrize(
    ("status", "code", "text"), [(404, 1006, ""), (400, 1006, "Resource not found"), (400, 1014, "Endpoint not found")]
)
def test_a_webapp_without_metrics_is_not_counted(run, api, status, code, text):
    api.refuse("GET", METRICS, code, text, status=status)
    result = run()
    assert not result.get("failed") and result["counted"] == []


def test_another_error_of_the_api_is_reported(run, api):
    api.on("GET", METRICS, None, status=401)
    assert run()["failure"]["code"] == "API_AUTH"


def test_several_webapps_are_added(run, api, start_api):
    other = start_api()
    api.on("GET", METRICS, metrics(0, 0)).on("GET", METRICS, metrics(30, 0))
    other.on("GET", METRICS, metrics(5, 5)).on("GET", METRICS, metrics(5, 15))
    result = run(api_url=[api.url, other.url], max_error_percent=50)
    assert (result["requests"], result["errors"], result["percent"]) == (40, 10, 25.0)


def test_a_webapp_that_was_restarted_counts_from_zero():
    before, after = counts(metrics(100, 3).decode()), counts(metrics(10, 1).decode())
    assert between(before, after) == ErrorRate(11, 1)


@pytest.mark.parametrize("method", ["GET_v1_health", "GET_metrics", "GET_v1_stats_app", "POST_v1_users_login"])
def test_watchers_do_not_count(method):
    assert counts(metrics(5, 5, method).decode()) == {}


def test_a_result_that_is_no_number_is_left_out():
    assert counts(NAME + '{method="POST_v1_messages",result="success",node="w"} 4') == {}
