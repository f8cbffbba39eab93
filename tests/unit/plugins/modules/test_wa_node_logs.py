# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_node_logs as a process, and its action, which fetches in parts what the module has collected."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest
from ansible_collections.waent.fleet.plugins.action import wa_node_logs as action
from ansible_collections.waent.fleet.plugins.modules import wa_node_logs
from ansible_collections.waent.fleet.tests.support.checkout import ROOT

DOCKER = """#!/bin/sh
case "$1 $2" in
  "ps "*) echo aaa ;;
  "inspect "*) cat "{home}/inspected" ;;
  "logs "*) echo "2026-11-29T19:00:00Z hello canary-of-the-inventory and canary-of-the-container" ;;
  "cp "*) echo "No such container:path" >&2; exit 1 ;;
esac
"""
CONTAINER = {
    "Name": "/wa-coreapp-1",
    "Config": {
        "Env": ["WA_DB_PASSWORD=canary-of-the-container"],
        "Labels": {"waent.fleet.cluster": "waent", "waent.fleet.kind": "coreapp"},
    },
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    script = tmp_path / "docker"
    script.write_text(DOCKER.format(home=tmp_path))
    script.chmod(0o755)
    (tmp_path / "inspected").write_text(json.dumps([CONTAINER]))

    def call(**options):
        check_mode = options.pop("check_mode", False)
        return answer_of("{0}:/usr/bin:/bin".format(tmp_path), {"cluster_name": "waent", **options}, check_mode)

    return call


def answer_of(path, options, check_mode=False):
    """The module's answer, as run_module_process gets it, whose own words two of its options are."""
    arguments = {"ANSIBLE_MODULE_ARGS": {**options, "_ansible_check_mode": check_mode, "_ansible_remote_tmp": "/tmp"}}
    done = subprocess.run(
        [sys.executable, "-m", "ansible_collections.waent.fleet.plugins.modules.wa_node_logs"],
        cwd=ROOT / ".collections", input=json.dumps(arguments), capture_output=True, text=True, check=False,
        env={"PATH": path},
    )  # fmt: skip
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def act(run, options, check_mode=False):
    """The result of the action on this host, and the questions to the host."""
    task = Mock(args={"cluster_name": "waent", **options}, async_val=0, check_mode=check_mode)
    plugin = action.ActionModule(task, Mock(), Mock(), Mock(), Mock(), Mock())
    asked = []

    def execute(module_args, task_vars):
        asked.append(dict(module_args))
        return run(check_mode=check_mode, **{key: value for key, value in module_args.items() if key != "cluster_name"})

    plugin._execute_module = execute
    return plugin.run(task_vars={}), asked


def test_what_is_fetched_has_no_secret_and_nothing_is_left_on_the_host(run, tmp_path):
    place = tmp_path / "work" / "h1"
    secrets = ["canary-of-the-inventory"]
    facts = {"name": "h1", "note": "canary-of-the-inventory"}
    result, asked = act(run, {"work": str(place), "secrets": secrets, "facts": facts})
    assert "failed" not in result and "packed" not in result, result
    text = (place / "wa-coreapp-1" / "container.log").read_text()
    assert text == "2026-11-29T19:00:00Z hello ******** and ********\n"
    assert "canary" not in (place / "wa-coreapp-1" / "inspect.json").read_text()
    assert json.loads((place / "host.json").read_text()) == {"name": "h1", "note": "********"}
    assert [one.get("state") for one in asked] == [None, "read", "read", "absent"]
    assert "canary" not in str(asked)
    assert not Path(asked[-1]["path"]).parent.exists()
    assert [(piece["what"], piece["state"]) for piece in result["pieces"]] == [
        ("inspect", "read"), ("log", "read"), ("crash", "absent"),
    ]  # fmt: skip


def test_in_check_mode_containers_are_named_and_nothing_is_collected(run, tmp_path):
    result, asked = act(run, {"work": str(tmp_path / "work")}, check_mode=True)
    assert (result["containers"], result["pieces"], len(asked)) == (["wa-coreapp-1"], [], 1)
    assert not (tmp_path / "work").exists()


def test_where_it_cannot_be_written_nothing_is_left_on_the_host(run, tmp_path):
    (tmp_path / "file").write_text("")
    result, asked = act(run, {"work": str(tmp_path / "file" / "below")})
    assert result["failed"] and result["failure"]["code"] == "LOGS_NOT_WRITTEN"
    assert asked[-1]["state"] == "absent" and not Path(asked[-1]["path"]).parent.exists()


def test_a_part_that_does_not_come_is_said(run, tmp_path):
    def broken(**options):
        return {"failed": True, "msg": "gone"} if options.get("state") == "read" else run(**options)

    result, _asked = act(broken, {"work": str(tmp_path / "work")})
    assert result["failure"]["code"] == "LOGS_NOT_FETCHED" and "gone" in result["msg"]


@pytest.mark.parametrize("since", ["3x", ""])
def test_a_span_that_is_none(run, since):
    result = run(since=since)
    assert result["failed"] and result["failure"]["details"]["codes"] == ["SINCE_INVALID"]


def test_without_a_docker_command():
    result = answer_of("/nowhere", {"cluster_name": "waent"})
    assert result["failed"] and result["failure"]["code"] == "ENGINE_LOST"


def test_a_path_of_others_is_neither_read_nor_removed(run, tmp_path):
    (tmp_path / "logs.tar.gz").write_text("x")
    for state in ("read", "absent"):
        result = run(state=state, path=str(tmp_path / "logs.tar.gz"))
        assert result["failure"]["code"] == "LOGS_NOT_COLLECTED"
    assert (tmp_path / "logs.tar.gz").exists()


def test_the_module_has_the_options_of_its_action():
    assert set(action.OF_HOST) | {"work", "secrets", "facts", "state", "path", "offset"} == set(wa_node_logs.ARGUMENTS)
