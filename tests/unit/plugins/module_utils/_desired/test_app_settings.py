# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Application settings: what is refused, what differs, what is sent."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._desired.app_settings import (
    KNOWN,
    differences,
    flat,
    patch_body,
    restart_needed,
    same,
    setting_problems,
    shown,
)
from hypothesis import given
from hypothesis import strategies as st

LEAVES = (
    st.booleans() | st.integers(-5, 5) | st.sampled_from(("", "x", "7", "https://h")) | st.lists(st.text(max_size=2))
)
SETTINGS = st.dictionaries(
    st.sampled_from("abc"), LEAVES | st.dictionaries(st.sampled_from("xyz"), LEAVES, min_size=1), max_size=3
)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"wa_id": "1"}, "Setting wa_id is '1'; it is read-only."),
        ({"heartbeat_interval": "x"}, "Setting heartbeat_interval is 'x'; a whole number is allowed."),
        ({"heartbeat_interval": 0}, "Setting heartbeat_interval is 0; at least 1 second is allowed."),
        ({"unhealthy_interval": True}, "Setting unhealthy_interval is True; a whole number is allowed."),
        ({"callback_backoff_delay_ms": -1}, "Setting callback_backoff_delay_ms is -1; a whole number is allowed."),
        ({"callback_persist": "yes"}, "Setting callback_persist is 'yes'; true or false is allowed."),
        (
            {"webhooks": {"max_concurrent_requests": 7}},
            "Setting webhooks.max_concurrent_requests is 7; 6, 12, 18 or 24 is allowed.",
        ),
        (
            {"webhooks": {"url": "http://u:canary@h/x"}},
            "Setting webhooks.url is 'http://***@h/x'; an https:// address, or nothing, is allowed.",
        ),
        (
            {"media": {"auto_download": ["image", "film"]}},
            "Setting media.auto_download is ['image', 'film']; a list of audio, document, image, sticker, video,"
            " voice is allowed.",
        ),
        (
            {"media": {"auto_download": "image"}},
            "Setting media.auto_download is 'image'; a list of audio, document, image, sticker, video, voice is"
            " allowed.",
        ),
    ],
)
def test_refusals(settings, message):
    problems = setting_problems(settings)
    assert [problem.message for problem in problems] == [message]
    assert problems[0].code == "SETTING_INVALID"


@pytest.mark.parametrize(
    "settings, says",
    [
        ({"webhook": {"url": ""}}, "webhooks.url"),
        ({"webhooks": {"ulr": "https://h"}}, "webhooks.url"),
        ({"heartbeat_intervals": 5}, "heartbeat_interval"),
        ({"Callback_Persist": True}, "callback_persist"),
        ({"db_garbagecolector_enable": True}, "db_garbagecollector_enable"),
    ],
)
def test_a_misspelt_setting_is_refused_with_the_one_that_is_meant(settings, says):
    (problem,) = setting_problems(settings)
    assert "the API has no such setting, but it has " + says in problem.message


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_slip_in_any_known_name_is_refused(name):
    slip = name[:-1] + "q" + name[-1]
    nested = {slip: 1} if "." not in slip else {slip.partition(".")[0]: {slip.partition(".")[2]: 1}}
    if slip.count(".") == 2:
        one, two, three = slip.split(".")
        nested = {one: {two: {three: 1}}}
    (problem,) = setting_problems(nested)
    assert name in problem.message


@pytest.mark.parametrize(
    "settings, says",
    [
        ({"webhooks": "https://h"}, "a map of max_concurrent_requests, message.delivered"),
        ({"webhooks.url": "https://h"}, "write it as a map"),
        ({"webhooks": {"url": "https://"}}, "an https:// address"),
        ({"webhooks": {"url": "HTTP://h"}}, "an https:// address"),
        ({"webhooks": {"url": "https://h a"}}, "an https:// address"),
        ({"webhooks": {"url": 5}}, "an https:// address"),
        ({"webhooks": {"message": {"read": "yes"}}}, "true or false"),
        ({"garbagecollector_enable": {"messages": 1}}, "true or false"),
        ({"axolotl_context_striping_disabled": None}, "true or false"),
        ({"log_level": 3}, "a text is allowed"),
    ],
)
def test_forms_that_the_api_would_refuse(settings, says):
    (problem,) = setting_problems(settings)
    assert says in problem.message


def test_all_refusals_at_once():
    assert len(setting_problems({"wa_id": "1", "heartbeat_interval": 0, "webhooks": {"url": "x"}})) == 3


@pytest.mark.parametrize(
    "settings",
    [
        {"heartbeat_interval": "5", "unhealthy_interval": 30, "callback_persist": True},
        {"webhooks": {"url": "", "max_concurrent_requests": "24"}},
        {"media": {"auto_download": []}},
        {"something_new": {"inner": 1}},
    ],
)
def test_settings_that_are_fine(settings):
    assert setting_problems(settings) == []


@pytest.mark.parametrize(
    "desired, actual, equal",
    [
        (5, "5", True),
        ("5", 5, True),
        ("05", 5, True),
        (5, 6, False),
        (True, 1, False),
        (True, True, True),
        (True, "true", False),
        (["a", "b"], ["b", "a"], True),
        (["a"], ["a", "b"], False),
        ("x", "x", True),
        ({}, {}, True),
        (None, "x", False),
    ],
)
def test_same(desired, actual, equal):
    assert same(desired, actual) is equal


def test_only_fields_that_differ_are_sent_and_objects_whole():
    actual = {
        "heartbeat_interval": 5,
        "unhealthy_interval": 30,
        "webhooks": {"url": "https://old", "max_concurrent_requests": 6, "message": {"sent": True, "read": False}},
    }
    desired = {"heartbeat_interval": "5", "unhealthy_interval": 20, "webhooks": {"message": {"read": True}}}
    assert differences(desired, actual) == [("unhealthy_interval", 30, 20), ("webhooks.message.read", False, True)]
    assert patch_body(desired, actual) == {
        "unhealthy_interval": 20,
        "webhooks": {"url": "https://old", "max_concurrent_requests": 6, "message": {"sent": True, "read": True}},
    }


@given(SETTINGS, SETTINGS)
def test_a_patch_brings_exactly_the_desired_settings(desired, actual):
    """Whether the server merges objects or replaces them."""
    body = patch_body(desired, actual)
    replaced = dict(actual, **body)
    assert differences(desired, replaced) == []
    assert {name: replaced[name] for name in actual if name not in desired} == {
        name: actual[name] for name in actual if name not in desired
    }
    assert (body == {}) is (differences(desired, actual) == [])


def test_restart():
    names = ["callback_persist", "garbagecollector_enable.media", "heartbeat_interval", "webhooks.url"]
    assert restart_needed(names) == ["callback_persist", "garbagecollector_enable.media"]
    assert restart_needed(["webhooks.max_concurrent_requests"]) == ["webhooks.max_concurrent_requests"]


def test_flat_names():
    assert flat({"a": {"b": {"c": 1}}, "d": [1], "e": {}}) == {"a.b.c": 1, "d": [1], "e": {}}


@pytest.mark.parametrize(
    "value, seen", [("https://u:canary@h/p", "https://***@h/p"), ("https://h/p@q", "https://h/p@q"), (5, 5), ("", "")]
)
def test_credentials_in_addresses_are_hidden(value, seen):
    assert shown(value) == seen
