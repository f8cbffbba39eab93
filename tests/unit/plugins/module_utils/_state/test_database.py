# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server's answers mean: its version, and the privileges its grants give."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._state.database import (
    PRIVILEGES,
    missing_grants,
    pattern_matches,
    product_and_version,
)
from hypothesis import given
from hypothesis import strategies as st

ALL = ["GRANT ALL PRIVILEGES ON *.* TO `waent`@`%`"]


@pytest.mark.parametrize(
    "text, product, numbers",
    [
        ("8.0.33", "MySQL", (8, 0, 33)),
        ("5.7.44-log", "MySQL", (5, 7, 44)),
        ("10.11.6-MariaDB-0+deb12u1", "MariaDB", (10, 11, 6)),
        ("5.5.5-10.1.48-MariaDB", "MariaDB", (10, 1, 48)),
        ("PostgreSQL 13.8 (Debian 13.8-1)", "PostgreSQL", (13, 8)),
        ("something", "MySQL", ()),
    ],
)
def test_versions_are_read(text, product, numbers):
    assert product_and_version(text) == (product, numbers)


@pytest.mark.parametrize(
    "lines, lacks",
    [
        (ALL, {}),
        (["GRANT ALL ON *.* TO 'w'@'%' WITH GRANT OPTION"], {}),
        (["GRANT {0} ON *.* TO `w`@`%` IDENTIFIED BY PASSWORD '*0'".format(", ".join(PRIVILEGES))], {}),
        (["GRANT USAGE ON *.* TO `w`@`%`"], {"aStore": PRIVILEGES, "bStore": PRIVILEGES}),
        ([], {"aStore": PRIVILEGES, "bStore": PRIVILEGES}),
        (
            ["GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX ON *.* TO `w`@`%`"],
            {"aStore": ("DROP",), "bStore": ("DROP",)},
        ),
        (["GRANT ALL PRIVILEGES ON `aStore`.* TO `w`@`%`"], {"bStore": PRIVILEGES}),
        (["GRANT ALL PRIVILEGES ON `%Store`.* TO `w`@`%`"], {}),
        (["GRANT ALL PRIVILEGES ON `_Store`.* TO `w`@`%`"], {}),
        (["GRANT ALL PRIVILEGES ON `\\_Store`.* TO `w`@`%`"], {"aStore": PRIVILEGES, "bStore": PRIVILEGES}),
        (["GRANT ALL PRIVILEGES ON `aStore`.`nodes` TO `w`@`%`", ALL[0]], {}),
        (["GRANT ALL PRIVILEGES ON `aStore`.`nodes` TO `w`@`%`"], {"aStore": PRIVILEGES, "bStore": PRIVILEGES}),
        (["GRANT `role`@`%` TO `w`@`%`"], {"aStore": PRIVILEGES, "bStore": PRIVILEGES}),
        (
            [
                "GRANT SELECT ON *.* TO `w`@`%`",
                "GRANT INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP ON `aStore`.* TO `w`@`%`",
            ],
            {"bStore": PRIVILEGES[1:]},
        ),
        (
            ["GRANT CREATE VIEW, CREATE ROUTINE, ALTER ROUTINE ON *.* TO `w`@`%`"],
            {"aStore": PRIVILEGES, "bStore": PRIVILEGES},
        ),
    ],
)
def test_grants(lines, lacks):
    assert missing_grants(lines, ["aStore", "bStore"]) == lacks


@given(st.text(alphabet="ab_%\\S", max_size=8))
def test_an_escaped_name_matches_only_itself(name):
    pattern = name.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
    assert pattern_matches(pattern, name)
    assert not pattern_matches(pattern, name + "x")
    assert pattern_matches("*", name) and pattern_matches("%", name)


GLOBAL, ALL_OF_IT = "GRANT {0} ON *.* TO `u`@`%`".format(", ".join(PRIVILEGES)), "GRANT {0} ON `{1}`.* TO `u`@`%`"


@pytest.mark.parametrize(
    ("lines", "literal", "lacks"),
    [
        ([GLOBAL, "REVOKE DROP, INDEX ON `clusterStore`.* FROM `u`@`%`"], True, ("INDEX", "DROP")),
        ([GLOBAL, "REVOKE DROP ON `other`.* FROM `u`@`%`"], True, ()),
        # A grant on the database itself stands.
        ([GLOBAL, "REVOKE DROP ON `clusterStore`.* FROM `u`@`%`", ALL_OF_IT.format("DROP", "clusterStore")], True, ()),
        ([ALL_OF_IT.format("ALL PRIVILEGES", "cluster%")], False, ()),
        ([ALL_OF_IT.format("ALL PRIVILEGES", "cluster%")], True, PRIVILEGES),
    ],
)
def test_what_is_revoked_of_a_grant_on_all_databases_lacks(lines, literal, lacks):
    assert missing_grants(lines, ["clusterStore"], literal) == ({"clusterStore": lacks} if lacks else {})


@given(st.sets(st.sampled_from(PRIVILEGES)), st.sets(st.sampled_from(PRIVILEGES)), st.sampled_from(["a", "b"]))
def test_partial_revokes_against_a_model(everywhere, revoked, where):
    lines = ["GRANT {0} ON *.* TO `u`@`%`".format(", ".join(sorted(everywhere)) or "USAGE")]
    lines += ["REVOKE {0} ON `{1}`.* FROM `u`@`%`".format(", ".join(sorted(revoked)), where)] if revoked else []
    found = missing_grants(lines, ["a", "b"], True)
    for name in ("a", "b"):
        has = everywhere - revoked if name == where else everywhere
        assert set(found.get(name, ())) == set(PRIVILEGES) - has
