# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_host_info as a process, on this machine, with a stand-in for the docker command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.docker_stand_in import HOST, IMAGES, read_host
from ansible_collections.waent.fleet.tests.support.module_process import run_module_process

COLLECTIONS = ROOT / ".collections"


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_host_is_read(docker, check_mode):
    result = read_host(docker, check_mode=check_mode, version="2.19.4")
    host = result["host"]
    assert result["changed"] is False
    assert host["engine"]["version"] == "20.10.24"
    assert host["asked"]["version"] == "v2.19.4"
    assert host["nodes"] == [
        {"host": "h1", "kind": "coreapp", "index": 1, "name": "wa-coreapp-1", "state": "running", "version": "v2.19.4"}
    ]
    assert host["single_connect"] == ["wacore"]
    assert [(image["id"], image["registry"]) for image in host["images"]] == [(None, "unknown"), (None, "unknown")]
    assert host["media"]["exists"] is False
    assert host["data"] is None
    assert host["disk"]["path"] == str(docker)
    assert result["engine_refusal"] == ""


def test_looking_only_reads(docker):
    read_host(docker)
    words = {" ".join(line.split()[:2]) for line in (docker / "calls").read_text().splitlines()}
    assert {word.split()[-1] if " " in word else word for word in words} <= {
        "--format",
        "--all",
        "--type",
        "inspect",
        "ls",
    }
    assert not {word.split()[0] for word in words} - {"info", "ps", "inspect", "image", "network", "volume"}


def test_no_value_of_an_environment_leaves_the_module(docker):
    assert "canary" not in json.dumps(read_host(docker))


def test_a_host_without_an_engine(tmp_path):
    entries = os.environ["PATH"].split(os.pathsep)
    path = os.pathsep.join(entry for entry in entries if not (Path(entry) / "docker").exists())
    options = {"name": "h1", "images": IMAGES, "timeout": 1, "network": "waent"}
    result = run_module_process("wa_host_info", path=path or str(tmp_path), **options)
    # AnsibleModule looks into /usr/sbin and the like by itself, but docker is never there.
    if result["host"]["engine"]["state"] != "absent":
        pytest.skip("an engine is found outside PATH on this machine")
    assert result["host"]["engine"]["answers"] is False
    assert result["host"]["containers"] == result["host"]["networks"] == []


def test_what_runs_can_be_handed_to_placement_as_it_is(docker):
    running = read_host(docker)["host"]["nodes"]
    placement = run_module_process("wa_placement", shards=1, hosts=[HOST], running=running)
    assert [node["name"] for node in placement["nodes"] if node["exists"]] == ["wa-coreapp-1"]


def play(docker, tmp_path, tasks, *more, python=sys.executable, code=0):
    """Runs tasks on this machine with the stand-in for docker; what was said."""
    path = "{0}:{1}".format(docker / "bin", os.environ["PATH"])
    head = {"hosts": "localhost", "gather_facts": False, "connection": "local", "environment": {"PATH": path}}
    book = {**head, "vars": {"ansible_python_interpreter": str(python)}, "tasks": tasks}
    (tmp_path / "play.yml").write_text(json.dumps([book]))
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_LOCALHOST_WARNING": "0"}
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "play.yml", *more]
    process = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert process.returncode == code, process.stdout + process.stderr
    return process.stdout + process.stderr


def test_the_action_compares_secrets_and_shows_names_only(docker, tmp_path):
    """With the loudest output there is; the password is also a word of the images' names, which stay readable."""
    desired = {"WA_DB_PASSWORD": "coreapp", "WA_API_KEY": "canary-api-1", "WA_APP_MULTICONNECT": "1"}
    look = {"name": "h1", "timeout": 1, "images": IMAGES, "environment": {"coreapp": desired}}
    tasks = [
        {"waent.fleet.wa_host_info": look, "register": "look"},
        {"ansible.builtin.copy": {
            "dest": str(tmp_path / "host.json"), "mode": "0600", "content": "{{ look.host | to_json }}",
        }},
    ]  # fmt: skip
    said = play(docker, tmp_path, tasks, "-vvv")
    host = json.loads((tmp_path / "host.json").read_text())
    (node,) = [one for one in host["containers"] if one["name"] == "wa-coreapp-1"]
    assert node["environment_differs"] == ["WA_API_KEY", "WA_DB_PASSWORD"]
    assert node["image"] == IMAGES["coreapp"]
    assert "canary" not in said + json.dumps(host)


def test_the_action_puts_the_controller_s_clock_beside_the_host_s(docker, tmp_path):
    tasks = [
        {"waent.fleet.wa_host_info": {"name": "h1", "timeout": 1}, "register": "look"},
        {"ansible.builtin.copy": {
            "dest": str(tmp_path / "clock.json"), "mode": "0600", "content": "{{ look.host.clock | to_json }}",
        }},
    ]  # fmt: skip
    play(docker, tmp_path, tasks)
    clock = json.loads((tmp_path / "clock.json").read_text())
    # Controller and host are one machine: the truth, 0, is inside, and the window is narrower than the limit.
    assert clock["at_least"] <= 0.001
    assert clock["at_most"] >= -0.001
    assert clock["at_most"] - clock["at_least"] < 5


def test_no_registry_is_asked_for_what_a_stopped_engine_may_hold(docker):
    (docker / "bin/docker").write_text("#!/bin/sh\necho 'Is the docker daemon running?' >&2; exit 1\n")
    (docker / "bin/dockerd").write_text("")
    (docker / "bin/dockerd").chmod(0o755)
    host = read_host(docker)["host"]
    if host["engine"]["state"] != "stopped" or host["engine"]["empty"]:
        pytest.skip("an engine runs on this machine, or none ever has")
    assert [(image["id"], image["registry"]) for image in host["images"]] == [(None, None), (None, None)]


def test_an_engine_that_is_lost_while_it_is_read(docker):
    script = docker / "bin/docker"
    script.write_text(script.read_text().replace('"volume ls") ;;', '"volume ls") echo EOF >&2; exit 1 ;;'))
    result = read_host(docker)
    assert result["failure"]["code"] == "ENGINE_LOST"
    assert result["msg"] == "Docker Engine stopped answering while it was read (volume ls: EOF)."


@pytest.fixture
def interpreter(tmp_path):
    """A program that ends with an error for a module, as an old Python does, and answers the question."""

    def make(answer):
        path = tmp_path / "interpreter"
        script = """#!/bin/sh\n[ "$1" = -c ] && {0}\necho 'SyntaxError: canary' >&2; exit 1\n"""
        path.write_text(script.format(answer))
        path.chmod(0o755)
        return path

    return make


def test_the_action_names_a_python_that_is_too_old(docker, tmp_path, interpreter):
    """Real ones are in tests/hosts; this one shows the way from a failed look to the question."""
    python = interpreter("exec echo python 3.6.8")
    tasks = [{"waent.fleet.wa_host_info": {"name": "h1"}}]
    said = play(docker, tmp_path, tasks, python=python, code=2)
    assert "[PYTHON_TOO_OLD] h1: Python 3.6.8 ({0}) runs Ansible".format(python) in said
    assert "canary" not in said


def test_the_action_leaves_what_python_is_not_to_blame_for(docker, tmp_path, interpreter):
    tasks = [{"waent.fleet.wa_host_info": {"name": "h1"}}]
    said = play(docker, tmp_path, tasks, python=interpreter("exec echo python 3.11.2"), code=2)
    assert "canary" in said and "PYTHON_" not in said


def test_a_host_that_answers_is_not_asked_for_its_python(docker, tmp_path):
    """One question more on each host is one second more on two hundred."""
    asked = tmp_path / "asked"
    python = tmp_path / "interpreter"
    python.write_text('#!/bin/sh\n[ "$1" = -c ] && echo "$2" >>{0}\nexec {1} "$@"\n'.format(asked, sys.executable))
    python.chmod(0o755)
    play(docker, tmp_path, [{"waent.fleet.wa_host_info": {"name": "h1", "timeout": 1}}], python=python)
    assert not asked.exists() or "version_info" not in asked.read_text()
