# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several sets of arguments for one module, in real children of this process."""

from __future__ import annotations

import json
import os
import time

import pytest
from ansible.module_utils import basic
from ansible_collections.waent.fleet.plugins.module_utils._io.at_once import NO_ANSWER, at_once, of_ansible


@pytest.fixture(autouse=True)
def given(monkeypatch):
    """What Ansible gave to the module that this process is."""
    given = {"containers": [], "_ansible_check_mode": True, "_ansible_no_log": False, "_ansible_diff": True}
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode())
    if hasattr(basic, "_ANSIBLE_PROFILE"):
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy")


def echo():
    """A module that answers with what it was given."""
    module = basic.AnsibleModule({"name": {"type": "str"}, "fail": {"type": "bool"}}, supports_check_mode=True)
    module.warn("of {0}".format(module.params["name"]))
    if module.params["fail"]:
        module.fail_json(msg="{0} cannot".format(module.params["name"]))
    module.exit_json(changed=module.check_mode, secret="canary", diff={"after": module.params["name"]})


def test_each_has_its_own_arguments_and_answer_in_their_order():
    answers = at_once(echo, [{"name": "a"}, {"name": "b", "fail": True}, {"name": "c"}], most=2)
    assert answers == [
        {"changed": True, "diff": {"after": "a"}, "warnings": ["of a"]},
        {"failed": True, "msg": "b cannot", "warnings": ["of b"]},
        {"changed": True, "diff": {"after": "c"}, "warnings": ["of c"]},
    ]
    assert of_ansible()["_ansible_check_mode"] is True, "this process keeps its own"
    assert at_once(echo, [], most=2) == []


@pytest.mark.parametrize("end", [lambda: os._exit(3), lambda: print("no JSON"), lambda: os.kill(os.getpid(), 9)])
def test_one_that_ends_without_an_answer_has_failed(end):
    assert at_once(end, [{}], most=1)[0].get("msg") == NO_ANSWER


def test_one_that_breaks_says_with_what():
    def broken():
        raise KeyError("port")

    assert at_once(broken, [{}], most=1) == [{"failed": True, "msg": "KeyError: 'port'"}]


def test_an_answer_of_any_length_comes_whole():
    def talks():
        print(json.dumps({"changed": False, "diff": "x" * 1_000_000}))

    assert [len(one["diff"]) for one in at_once(talks, [{}] * 3, most=2)] == [1_000_000] * 3


@pytest.mark.parametrize(("count", "most"), [(5, 2), (5, 9), (1, 1)])
def test_no_more_at_the_same_time_than_that(tmp_path, count, most):
    """Each writes down how many others there are while it works."""

    def work():
        mark = tmp_path / str(os.getpid())
        mark.touch()
        time.sleep(0.2)
        there = len(list(tmp_path.iterdir()))
        mark.unlink()
        print(json.dumps({"changed": False, "diff": there}))

    together = [one["diff"] for one in at_once(work, [{}] * count, most)]
    assert max(together) <= most
    if count > 1:
        assert max(together) > 1, "several work at once"


def test_nothing_is_imported_again():
    """The children are this process: what a module imports costs once."""
    pids = at_once(lambda: print(json.dumps({"diff": [os.getppid(), os.getpid()]})), [{}] * 3, most=3)
    assert {one["diff"][0] for one in pids} == {os.getpid()}
    assert len({one["diff"][1] for one in pids}) == 3
