# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two hooks of reshard.yml by themselves: run once, with the number, or not at all."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.waent.fleet.tests.support.checkout import ROOT, load
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, Run, play

LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False}


@pytest.fixture
def hook(tmp_path: Path) -> t.Callable[..., Run]:
    """Run one side on two hosts that are this machine; task: of the user's file, None for no file."""

    def work(side: str, task: dict[str, t.Any] | None) -> Run:
        hosts = {name: dict(LOCAL) for name in ("one", "two")}
        variables: dict[str, t.Any] = {}
        if task is not None:
            (tmp_path / "tasks.yml").write_text(yaml.safe_dump([task]))
            variables[side] = str(tmp_path / "tasks.yml")
        groups = {"wa_cluster": {"hosts": hosts, "vars": variables}}
        (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": groups}}))
        return play(
            "playbooks/_hook.yml", "-i", str(tmp_path / "hosts.yml"), "-e", f"_wa_hook={side}", "-e", "shards=4"
        )

    return work


@pytest.mark.parametrize("side", ["wa_reshard_before", "wa_reshard_after"])
def test_a_hook_is_run_once_with_the_number(hook: t.Callable[..., Run], side: str) -> None:
    done = hook(side, {"ansible.builtin.debug": {"msg": "to {{ wa_reshard_shards }} on {{ inventory_hostname }}"}})
    assert done.code == OK, done.output
    assert done.output.count("to 4 on one") == 1
    assert "to 4 on two" not in done.output


def test_without_a_hook_nothing_is_done(hook: t.Callable[..., Run]) -> None:
    done = hook("wa_reshard_before", None)
    assert done.code == OK, done.output
    assert {name: numbers["ok"] for name, numbers in done.recap.items()} == {"one": 0}


def test_a_hook_that_fails_ends_the_run(hook: t.Callable[..., Run]) -> None:
    assert hook("wa_reshard_before", {"ansible.builtin.fail": {"msg": "no"}}).code == FAILED


def test_both_are_around_all_of_a_reshard() -> None:
    """Before the cluster is read, and after it is proved healthy."""
    plays = load(ROOT / "playbooks" / "reshard.yml")
    hooks = [number for number, one in enumerate(plays) if one.get("ansible.builtin.import_playbook") == "_hook.yml"]
    names = [one["name"] for one in plays]
    assert [plays[number]["vars"]["_wa_hook"] for number in hooks] == ["wa_reshard_before", "wa_reshard_after"]
    assert hooks[0] < names.index("Read, plan, show, and prepare every host")
    assert hooks[1] == names.index("Prove that the cluster is healthy") + 1 == len(plays) - 1
