# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Media providers: whatever there is, what is planned leads to what is desired, and shows no credential."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.module_utils._desired.media_providers import (
    as_api,
    both_sides,
    plan,
    provider_problems,
)
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.sampled_from(["one", "two", "three", "four"])
SECRETS = st.sampled_from(["canary-1", "canary-2"])
PROVIDERS = st.lists(
    st.builds(lambda name, bearer: {"name": name, "bearer": bearer}, NAMES, SECRETS)
    | st.builds(lambda name, pw: {"name": name, "username": "u", "password": pw}, NAMES, SECRETS),
    unique_by=lambda provider: provider["name"],
)


@given(PROVIDERS, st.lists(NAMES, unique=True), st.booleans(), PROVIDERS)
def test_a_plan_leads_there_and_has_nothing_to_do_then(desired, absent, exclusive, given_now):
    absent = [name for name in absent if name not in {provider["name"] for provider in desired}]
    assert provider_problems(desired, absent) == []
    now = {provider["name"]: as_api(provider) for provider in given_now}
    planned = plan(desired, absent, exclusive, list(now.values()))
    after = {**now, **{provider["name"]: provider for provider in planned.write}}
    after = {name: provider for name, provider in after.items() if name not in planned.delete}

    asked = {provider["name"]: as_api(provider) for provider in desired}
    assert {name: after.get(name) for name in asked} == asked
    assert not set(absent) & set(after)
    if exclusive:
        assert after == asked
    else:
        assert set(now) - set(absent) <= set(after)
    assert plan(desired, absent, exclusive, list(after.values())).changes == []
    assert {change.name for change in planned.changes} == {
        name for name in {**now, **after} if now.get(name) != after.get(name)
    }
    assert "canary" not in str(both_sides(planned, list(now.values())))
