# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file in which the authority is pinned: where it is, and what is wrong with it before any host is contacted."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.authority import SOON
from ansible_collections.waent.fleet.plugins.plugin_utils import pins
from ansible_collections.waent.fleet.plugins.plugin_utils.pins import (
    COLLECTION,
    inventory_directory,
    pin_file,
    pin_problems,
)
from ansible_collections.waent.fleet.tests.support.certificates import GENERATED, Authority


class HostVars(dict):
    """Variables of hosts, raw."""

    def raw_get(self, name):
        return self[name]


@pytest.fixture
def pinned(tmp_path):
    """The authority of the cluster waent, pinned beside the inventory."""
    made = Authority(tmp_path, ".wa_api_ca_waent", GENERATED)
    assert str(made.ca) == pin_file("", "waent", str(tmp_path)).path
    return made


def found(tmp_path, **given):
    """Codes of problems, and how many warnings there are."""
    file = pin_file(given.get("api_ca_path"), "waent", str(tmp_path))
    problems, notes = pin_problems({"cluster_name": "waent", **given}, file)
    return [problem.code for problem in problems], len(notes)


def test_the_directory_is_that_of_the_first_host(tmp_path):
    hosts = HostVars(one={"inventory_dir": str(tmp_path)}, two={"inventory_dir": "/elsewhere"})
    assert inventory_directory(hosts, {"wa_cluster": ["one", "two"]}) == str(tmp_path)
    assert inventory_directory(HostVars(one={"inventory_dir": None}), {"wa_cluster": ["one"]}) == ""
    assert inventory_directory(hosts, {}) == inventory_directory(None, {"wa_cluster": ["one"]}) == ""


def test_never_inside_of_this_collection():
    assert pin_file("", "waent", COLLECTION + "/inventories/single").path == ""
    assert pin_file("", "waent", "").path == ""
    assert pin_file("~/ca.pem", "waent", COLLECTION).path.endswith("/ca.pem")


def test_where_it_can_be_made(tmp_path):
    assert pin_file("", "waent", str(tmp_path)).can_be_made
    assert pin_file(str(tmp_path / "ca.pem"), "waent", "").can_be_made
    assert not pin_file("/no/such/ca.pem", "waent", str(tmp_path)).can_be_made
    assert not pin_file(str(tmp_path), "waent", str(tmp_path)).can_be_made


def test_nothing_is_pinned_yet(tmp_path):
    assert found(tmp_path) == ([], 0)
    assert found(tmp_path, api_ca_fingerprint="ab" * 32) == ([], 0)
    assert found(tmp_path, api_ca_path=str(tmp_path / "ca.pem")) == ([], 1)


def test_what_is_pinned_is_the_one_that_is_meant(tmp_path, pinned):
    # It is valid for 30 days, which is worth a warning.
    assert found(tmp_path) == ([], 1)
    assert found(tmp_path, api_ca_fingerprint=pinned.sha256.lower()) == ([], 1)
    assert found(tmp_path, api_ca_fingerprint="ab" * 32) == (["API_AUTHORITY_DIFFERS"], 1)


def test_its_year_is_over(tmp_path, pinned, monkeypatch):
    later = pins.time.time() + 2 * SOON
    monkeypatch.setattr(pins.time, "time", lambda: later)
    assert found(tmp_path) == (["API_AUTHORITY_EXPIRED"], 0)


def test_nothing_is_compared_without_verification(tmp_path, pinned):
    assert found(tmp_path, validate_certs=False) == ([], 0)
    assert found(tmp_path, validate_certs="no", api_ca_fingerprint=pinned.sha256) == (["API_AUTHORITY_DIFFERS"], 0)


def test_a_pin_that_is_spoilt(tmp_path):
    (tmp_path / ".wa_api_ca_waent.pem").write_text("")
    assert found(tmp_path) == (["WA_API_CA_PATH"], 0)


@pytest.mark.parametrize("wrong", [5, ["a"], "xyz"])
def test_values_of_another_type_are_reported_elsewhere(tmp_path, wrong):
    assert found(tmp_path, api_ca_path=wrong if wrong != "xyz" else "", api_ca_fingerprint=wrong) == ([], 0)
