# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refusals: each with its code and with a sentence that names variable, value and what is allowed."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.product import SHARD_COUNTS
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import FaultTolerance, read_cluster_spec
from hypothesis import assume, given
from hypothesis import strategies as st

HOST = {"name": "h1", "rack": "a", "address": "h1", "kinds": ["coreapp", "master", "webapp"]}
GOOD = {"shards": 2, "version": "v2.19.4", "hosts": [HOST]}


def problems_of(**changes):
    return read_cluster_spec({**GOOD, **changes})[1]


def host(**changes):
    return {**HOST, **changes}


def test_good_input_is_taken_as_it_is():
    spec, problems = read_cluster_spec({**GOOD, "survive": {"racks": "1"}, "allow_no_ha": True, "coreapp_port": "7000"})
    assert problems == []
    assert spec.shards == 2
    assert str(spec.version) == "v2.19.4"
    assert spec.survive == FaultTolerance("racks", 1)
    assert spec.allow_no_ha is True
    assert spec.hosts[0].ports == {"coreapp": 7000, "master": 6254, "webapp": 9090}


def test_address_is_the_name_where_none_is_given():
    spec, _problems = read_cluster_spec({**GOOD, "hosts": [{"name": "h1", "address": None, "api_address": "10.0.0.9"}]})
    assert spec.hosts[0].address == "h1"
    assert spec.hosts[0].api_address == "10.0.0.9"


@st.composite
def wrong_numbers(draw):
    """A number that is allowed, in a shape in which it is not: padded, signed, in another base, of another type."""
    number = draw(st.sampled_from(SHARD_COUNTS))
    before = draw(st.sampled_from(["", "0", "00", "+", "-", " ", "\t", "0x", "0o", "0b"]))
    after = draw(st.sampled_from(["", ".0", ".", " ", "\n", "e0", "_0", ",", "L"]))
    assume(before + after)
    other = [float(number), [number], [str(number)], {"shards": number}, (number,), str(number).encode(), number == 1]
    return draw(st.sampled_from([before + str(number) + after, *other, None, ""]))


@given(wrong_numbers())
def test_shards_in_any_other_spelling_are_refused(value):
    (problem,) = problems_of(shards=value)
    assert (problem.code, problem.value) == ("WA_SHARDS_INVALID", value)


@pytest.mark.parametrize("value", [0, 3, 33, 64, -1, "3", "two", "", None, True, 2.0, "2.0", [2], " 2"])
def test_shards_refused(value):
    (problem,) = problems_of(shards=value)
    assert (problem.code, problem.variable, problem.value) == ("WA_SHARDS_INVALID", "wa_shards", value)
    assert "allowed are the whole numbers 1, 2, 4, 8, 16 and 32" in problem.message
    assert "not set" in problem.message if value is None else repr(value) in problem.message


@pytest.mark.parametrize("value", [1, 2, 4, 8, 16, 32, "1", "16", "32"])
def test_shards_accepted(value):
    assert read_cluster_spec({**GOOD, "shards": value})[0].shards == int(value)


@pytest.mark.parametrize(
    "value", ["2.19", "v2.19", "vv2.19.4", "2.19.4.1", "latest", "", "v2.19.4 ", "2.19.x", 2.19, ["2.19.4"], "V2.19.4"]
)
def test_version_refused(value):
    (problem,) = problems_of(version=value)
    assert (problem.code, problem.variable, problem.value) == ("WA_VERSION_INVALID", "wa_version", value)
    assert repr(value) in problem.message
    assert "vN.N.N or N.N.N" in problem.message


@pytest.mark.parametrize(
    "value", [[], "racks", {"racks": 0}, {"rack": 1}, {"racks": 1, "hosts": 1}, {"hosts": True}, 1]
)
def test_survive_refused(value):
    (problem,) = problems_of(survive=value)
    assert (problem.code, problem.variable) == ("WA_SURVIVE_INVALID", "wa_survive")
    assert "{hosts: N}" in problem.message


@pytest.mark.parametrize("value", [None, {}])
def test_survive_empty_means_one_spare(value):
    assert read_cluster_spec({**GOOD, "survive": value})[0].survive == FaultTolerance("hosts", 0)


@pytest.mark.parametrize(
    ("change", "code", "variable", "says"),
    [
        ({"hosts": []}, "WA_HOSTS_MISSING", "hosts", "wa_cluster has no hosts"),
        (
            {"hosts": [host(rack="")], "survive": {"racks": 1}},
            "WA_RACK_MISSING",
            "rack",
            "the loss of 1 rack be survived",
        ),
        ({"hosts": [host(), host()]}, "WA_HOST_DUPLICATE", "hosts", "given twice"),
        ({"hosts": [host(), host(name="h2", address="H1.")]}, "WA_ADDRESS_DUPLICATE", "wa_address", "which h1 has too"),
        ({"hosts": [host(address="10.0.0.1 ")]}, "WA_VALUE_BLANKS", "wa_address", "'10.0.0.1 '"),
        ({"hosts": [host(rack="\ta")]}, "WA_VALUE_BLANKS", "rack", "white space"),
        ({"hosts": [host(name="")]}, "WA_HOST_NAME_MISSING", "hosts", "has no name"),
        ({"hosts": [host(kinds=["wacore"])]}, "WA_KIND_INVALID", "kinds", "'wacore'"),
        ({"hosts": [host(pins={"shard": 1})]}, "WA_KIND_INVALID", "pins", "'shard'"),
        ({"hosts": [host(pins={"coreapp": -1})]}, "WA_COUNT_INVALID", "wa_coreapps", "wa_coreapps is -1"),
        ({"hosts": [host(pins={"webapp": True})]}, "WA_COUNT_INVALID", "wa_webapps", "wa_webapps is True"),
        (
            {"hosts": [host(kinds=["webapp"], pins={"master": 2})]},
            "WA_COUNT_WRONG_HOST",
            "wa_masters",
            "wa_master_hosts",
        ),
        ({"hosts": [host(webapp_port=70000)]}, "WA_PORT_INVALID", "wa_webapp_port", "70000"),
        ({"master_port": "ssh"}, "WA_PORT_INVALID", "wa_master_port", "1 to 65535"),
        ({"name_prefix": "Wa_1"}, "WA_NAME_PREFIX_INVALID", "wa_name_prefix", "'Wa_1'"),
    ],
)
def test_cluster_refused(change, code, variable, says):
    (problem,) = problems_of(**change)
    assert (problem.code, problem.variable) == (code, variable)
    assert says in problem.message


def test_a_pin_of_none_or_of_zero_is_no_complaint():
    assert problems_of(hosts=[host(kinds=["webapp"], pins={"master": 0, "coreapp": None})]) == []


def test_all_problems_are_reported_at_once():
    found = problems_of(
        shards=3, version="x", survive={"racks": 1}, hosts=[host(rack=None), host(name="h2", rack=None)]
    )
    assert [problem.code for problem in found] == [
        "WA_SHARDS_INVALID", "WA_VERSION_INVALID", "WA_RACK_MISSING", "WA_ADDRESS_DUPLICATE", "WA_RACK_MISSING",
    ]  # fmt: skip
