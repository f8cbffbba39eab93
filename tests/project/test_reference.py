# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference: two shelves, and attributes that are true."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import MODULES, ROOT, load, name_of, run
from ansible_collections.waent.fleet.tools import docs

FOR_USERS = {
    "wa_account",
    "wa_api_authority",
    "wa_certificate",
    "wa_cluster_health",
    "wa_database_info",
    "wa_error_rate",
    "wa_host_info",
    "wa_login",
    "wa_media_copy",
    "wa_media_providers",
    "wa_nfs_media",
    "wa_profile",
    "wa_settings",
    "wa_shards",
    "wa_sizing",
    "wa_two_step",
    "wa_user",
    "wa_backup",
    "wa_support_info",
}
ATTRIBUTES = {"action_group", "check_mode", "diff_mode", "idempotent", "platform"}
WITHOUT_DIFF = {
    "wa_login",
    "wa_media_copy",
    "wa_message_cleanup",
    "wa_backup",
    "wa_backup_timer",
    "wa_found_inventory",
    "wa_log_archive",
    "wa_node_logs",
}
"""Modules that change something and show no diff: it would hold a password, only the nodes know what they change, or
there are no lines to compare.
"""


@pytest.fixture(scope="module")
def entries() -> list[docs.Entry]:
    return docs.documented()


@pytest.fixture(scope="module")
def attributes() -> dict[str, dict[str, dict[str, t.Any]]]:
    """Attributes of each module, with what its fragments add."""
    done = run("ansible-doc", "--json", *(f"waent.fleet.{path.stem}" for path in MODULES))
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    return {name.removeprefix("waent.fleet."): found["doc"]["attributes"] for name, found in read.items()}


def code(path: Path) -> str:
    """A module without its documentation; for one that is only documentation, its action plugin."""
    text = path.read_text()
    if "\ndef main" not in text:
        return (ROOT / "plugins" / "action" / path.name).read_text()
    return text.partition('\nRETURN = r"""')[2].partition('"""')[2]


def test_users_find_what_is_for_them(entries: list[docs.Entry]) -> None:
    assert {entry.name for entry in entries if entry.kind == "module" and entry.for_users} == FOR_USERS
    assert {entry.name for entry in entries if entry.kind == "role" and entry.for_users} >= {"cluster", "docker_engine"}
    assert {entry.name for entry in entries if entry.kind == "filter" and entry.for_users} == set()


def test_everything_is_on_one_shelf_with_its_description(entries: list[docs.Entry]) -> None:
    index = docs.index(entries)
    for entry in entries:
        assert len(re.findall(rf"^\* `{entry.name} <{entry.name}_{entry.kind}\.rst>`__ -- \w", index, re.M)) == 1
    users, playbooks = index.index("\nFor users\n"), index.index("\nUsed by the playbooks\n")
    assert users < index.index("`wa_login ") < playbooks < index.index("`wa_placement ")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_states_its_attributes(path: Path, attributes: dict[str, dict[str, dict[str, t.Any]]]) -> None:
    stated = attributes[path.stem]
    assert ATTRIBUTES - stated.keys() == set()
    assert {name for name, attribute in stated.items() if not attribute.get("support")} == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_attributes_are_true(path: Path, attributes: dict[str, dict[str, dict[str, t.Any]]]) -> None:
    stated = attributes[path.stem]
    in_check_mode = "supports_check_mode=True" in code(path) or "check_mode" in code(path)
    assert (stated["check_mode"]["support"] != "none") == in_check_mode
    shows_diff = re.search(r"\"diff\"|\bdiff=", code(path)) is not None
    assert (stated["diff_mode"]["support"] != "none") == shows_diff
    if "Only reads" not in str(stated["check_mode"]) and path.stem not in {"wa_confirm"} | WITHOUT_DIFF:
        assert shows_diff, "it changes something and does not show what"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_action_groups_of_a_module_are_those_it_states(
    path: Path, attributes: dict[str, dict[str, dict[str, t.Any]]]
) -> None:
    groups = load(ROOT / "meta" / "runtime.yml")["action_groups"]
    member = {f"waent.fleet.{group}" for group, modules in groups.items() if path.stem in modules}
    stated = attributes[path.stem]["action_group"]
    assert set(stated["membership"]) == member
    assert stated["support"] == ("full" if member else "none")
