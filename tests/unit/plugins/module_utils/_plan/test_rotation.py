# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotation: what may differ for each secret, what is refused, and what each costs."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.rotation import (
    SECRETS,
    Found,
    left_problems,
    rotation_lines,
    rotation_problems,
    unknown_secret,
)
from hypothesis import given
from hypothesis import strategies as st

NAMES = sorted({name for secret in SECRETS.values() for name in secret.environment}) + ["LOG_SHIPPING_TOKEN"]
FOUND = st.lists(
    st.builds(
        Found,
        st.sampled_from(["wa-webapp-1 on h1", "wa-coreapp-1 on h1"]),
        st.frozensets(st.sampled_from(NAMES), min_size=1),
        st.sampled_from([(), ("image: b instead of a",)]),
    ),
    max_size=3,
)


@given(st.sampled_from(sorted(SECRETS)), FOUND)
def test_refused_is_all_that_would_change_with_it_and_nothing_else(asked, found):
    allowed = set(SECRETS[asked].environment)
    problems = rotation_problems(asked, found, "playbooks/site.yml")
    others = [node for node in found if node.differs - allowed or node.other]
    assert len([one for one in problems if one.code == "ROTATE_OTHER_CHANGES"]) == len(others)
    same = asked == "database_password" and any(
        "WA_DB_PASSWORD" in node.differs and "WA_DB_USERNAME" not in node.differs for node in found
    )
    assert any(one.code == "ROTATE_SAME_USER" for one in problems) == same
    assert bool(left_problems(asked, found)) == any(node.differs & allowed for node in found)


@pytest.mark.parametrize("one, other", list(itertools.combinations(sorted(SECRETS), 2)))
def test_no_two_secrets_share_a_variable(one, other):
    """Or rotating the one would change the other."""
    assert not set(SECRETS[one].environment) & set(SECRETS[other].environment)


@pytest.mark.parametrize("asked", sorted(SECRETS))
def test_what_it_costs_is_shown_before(asked):
    lines = rotation_lines(asked, ["wa-webapp-1 on h1"])
    assert SECRETS[asked].costs in lines
    assert SECRETS[asked].declared in lines[0]
    if SECRETS[asked].environment:
        (line,) = rotation_lines(asked, [])
        assert "nothing to rotate" in line


def test_a_secret_that_there_is_not():
    assert unknown_secret("api_key") == []
    (problem,) = unknown_secret("pin")
    assert problem.code == "ROTATE_UNKNOWN"
    assert "admin_password, api_key, jwt_key, database_password and wa_secret" in problem.message


def test_a_second_user_is_asked_for():
    (problem,) = rotation_problems("database_password", [Found("n", frozenset(["WA_DB_PASSWORD"]))], "site")
    assert "Make a second user there with the same rights" in problem.message
