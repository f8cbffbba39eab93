# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_host_info and wa_preflight as processes, on this machine, with a stand-in for the docker command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.module_process import run_module_process
from ansible_collections.waent.fleet.tests.support.observed_host import SETTINGS

COLLECTIONS = ROOT / ".collections"
IMAGES = {"webapp": "127.0.0.1:9/web:v2.19.4", "coreapp": "127.0.0.1:9/coreapp:v2.19.4"}
# A cluster may well run on this very machine, so these nodes keep off its ports.
PORTS = {"coreapp_port": 45250, "master_port": 45254, "webapp_port": 45390}
HOST = {"name": "h1", "kinds": ["coreapp", "master", "webapp"], **PORTS}

CONTAINERS = [
    {
        "Id": "a" * 64, "Name": "/wa-coreapp-1", "Image": "sha256:c", "State": {"Status": "running"},
        "Config": {
            "Image": IMAGES["coreapp"], "Env": ["WA_DB_PASSWORD=canary-db", "WA_APP_MULTICONNECT=1"],
            "Labels": {
                "waent.fleet.cluster": "waent", "waent.fleet.kind": "coreapp", "waent.fleet.version": "v2.19.4",
            },
        },
    },
    {
        "Id": "b" * 64, "Name": "/wacore", "Image": "sha256:c", "State": {"Status": "running"},
        "Config": {"Image": IMAGES["coreapp"], "Env": ["WA_DB_PASSWORD=canary-db"]},
    },
]  # fmt: skip

DOCKER = """#!/bin/sh
echo "$*" >> "{calls}"
case "$1 $2" in
  "info "*) echo '{{"ServerVersion": "20.10.24", "DockerRootDir": "{root}"}}' ;;
  "ps "*) echo aaa bbb ;;
  "inspect "*) cat "{containers}" ;;
  "image inspect") exit 1 ;;
  "network ls") echo n ;;
  "network inspect") echo '[{{"Name": "waent", "IPAM": {{"Config": []}}}}]' ;;
  "volume ls") ;;
  "volume inspect") echo '[]'; exit 1 ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"""


@pytest.fixture
def docker(tmp_path):
    """A docker command that answers as an engine with two containers does; yields its directory."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "containers").write_text(json.dumps(CONTAINERS))
    script = tmp_path / "bin/docker"
    script.write_text(
        DOCKER.format(root=tmp_path, containers=tmp_path / "containers", calls=tmp_path / "calls"), encoding="utf-8"
    )
    script.chmod(0o755)
    return tmp_path


def look(docker, **options):
    path = "{0}:{1}".format(docker / "bin", os.environ["PATH"])
    return run_module_process(
        "wa_host_info", path=path, **{"name": "h1", "images": IMAGES, "timeout": 1, "media": "whatsappMedia", **options}
    )


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_host_is_read(docker, check_mode):
    result = look(docker, check_mode=check_mode, version="2.19.4")
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
    look(docker)
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
    assert "canary" not in json.dumps(look(docker))


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
    running = look(docker)["host"]["nodes"]
    placement = run_module_process("wa_placement", shards=1, hosts=[HOST], running=running)
    assert [node["name"] for node in placement["nodes"] if node["exists"]] == ["wa-coreapp-1"]


def preflight(hosts, **options):
    nodes = run_module_process("wa_placement", shards=1, hosts=[HOST])["nodes"]
    return run_module_process("wa_preflight", hosts=hosts, nodes=nodes, **options)


def test_a_host_is_checked_for_the_nodes_that_are_placed_on_it(docker):
    result = preflight([look(docker, disk_free_mb=10**9)["host"]])
    codes = {problem["code"] for problem in result["problems"]}
    assert codes == {"SINGLE_CONNECT_RUNNING", "IMAGE_UNKNOWN", "DISK_LOW"}


def test_preflight_reports_everything_at_once(docker):
    host = look(docker)["host"]
    database = {"code": "DB_OLD", "message": "The database is too old."}
    clocks = [
        {**host, "clock": {"at_least": 0, "at_most": 0}},
        {**host, "name": "h2", "clock": {"at_least": 9, "at_most": 9}},
    ]
    result = preflight(clocks, reports=[{"problems": [database]}, {"skipped": True}])
    assert result["failed"] is True
    assert result["failure"]["code"] == "WA_PREFLIGHT_FAILED"
    assert [problem["code"] for problem in result["problems"]] == [
        "DB_OLD", "SINGLE_CONNECT_RUNNING", "IMAGE_UNKNOWN", "IMAGE_UNKNOWN", "NODE_UNKNOWN", "CLOCK_DIFFERS",
    ]  # fmt: skip
    assert all(problem["message"] in result["msg"] for problem in result["problems"])
    assert "nothing was changed" in result["msg"]


def test_preflight_notices_a_host_that_is_missing():
    result = preflight([])
    assert [problem["code"] for problem in result["problems"]] == ["HOST_NOT_READ"]


def test_preflight_says_what_is_changed(docker):
    images = [{"image": image, "id": "sha256:c", "registry": None, "reason": None} for image in IMAGES.values()]
    host = {
        **look(docker, stop_single_connect=True, network="waent", container_settings=SETTINGS)["host"],
        "images": images,
    }
    result = preflight([host])
    assert result["problems"] == []
    assert result["changes"][0] == "h1: stop wacore (it runs in single-connect mode)"
    assert "h1: create volume whatsappMedia" in result["changes"]
    assert result["hosts"]["h1"] == {
        "engine_missing": False, "images_missing": [], "network_missing": False, "volumes_missing": ["whatsappMedia"],
        "single_connect": ["wacore"],
        "kinds": ["coreapp", "master", "webapp"], "changes": len(result["changes"]),
        "groups": [
            "_wa_single_connect", "_wa_act", "_wa_act_coreapp", "_wa_act_master", "_wa_act_webapp", "_wa_act_api",
        ],
    }  # fmt: skip
    assert result["planned_changes"] == result["changes"], "nothing is said of an API that nobody asked about"
    assert result["refusal"] == ""
    assert [act["action"] for act in result["plan"] if act["what"] == "wa-coreapp-1"] == ["recreate"]
    assert result["recreation"] == {"nodes": ["wa-coreapp-1"], "way": "ask", "why": ""}


@pytest.mark.parametrize(
    ("options", "way", "codes"),
    [
        ({"health": {"cluster": {"registered": True}}}, "roll", []),
        ({"health": {"cluster": {"registered": False}}}, "at_once", []),
        ({"health": {"msg": "x"}, "login": {"password_changed": True}}, "at_once", []),
        ({"health": {"msg": "x"}}, "ask", ["SERVICE_UNKNOWN"]),
        ({"health": {"msg": "x"}, "recreate_at_once": True}, "at_once", []),
    ],
)
def test_preflight_shows_how_running_nodes_are_recreated(docker, options, way, codes):
    images = [{"image": image, "id": "sha256:c", "registry": None, "reason": None} for image in IMAGES.values()]
    asked = {"stop_single_connect": True, "network": "waent", "container_settings": SETTINGS}
    result = preflight([{**look(docker, **asked)["host"], "images": images}], **options)
    assert (result["recreation"]["way"], [problem["code"] for problem in result["problems"]]) == (way, codes)
    assert (result["recreation"]["why"] in result["changes"]) is (way != "ask")


def play(docker, tmp_path, tasks, *more):
    """Runs tasks on this machine with the stand-in for docker; what was said."""
    path = "{0}:{1}".format(docker / "bin", os.environ["PATH"])
    head = {"hosts": "localhost", "gather_facts": False, "connection": "local", "environment": {"PATH": path}}
    book = {**head, "vars": {"ansible_python_interpreter": sys.executable}, "tasks": tasks}
    (tmp_path / "play.yml").write_text(json.dumps([book]))
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_LOCALHOST_WARNING": "0"}
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "play.yml", *more]
    process = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert process.returncode == 0, process.stdout + process.stderr
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


def with_engine(host, state, **changes):
    """The same host with an engine in another state."""
    return {**host, "engine": {**host["engine"], "state": state, "answers": False, "empty": False, **changes}}


def test_preflight_does_not_report_what_a_stopped_engine_may_hold(docker):
    seen = look(docker, stop_single_connect=True)["host"]
    other = {**with_engine(seen, "stopped"), "name": "h2"}
    codes = {problem["code"] for problem in preflight([seen, other])["problems"]}
    assert codes == {"IMAGE_UNKNOWN", "NODE_UNKNOWN", "ENGINE_STOPPED"}
    result = preflight([seen, other], fix_engines=["absent", "stopped"])
    assert result["problems"] == []
    assert result["stopped"] == ["h2"]
    assert "h2: start Docker Engine (it is stopped; what follows is if it holds nothing)" in result["changes"]


def test_preflight_checks_as_ever_where_a_stopped_engine_never_ran(docker):
    seen = look(docker, stop_single_connect=True)["host"]
    result = preflight([with_engine(seen, "stopped", empty=True)], fix_engines=["absent", "stopped"])
    assert {problem["code"] for problem in result["problems"]} == {"IMAGE_UNKNOWN"}
    assert result["stopped"] == []
    assert result["hosts"]["h1"]["engine_missing"] is True


def test_no_registry_is_asked_for_what_a_stopped_engine_may_hold(docker):
    (docker / "bin/docker").write_text("#!/bin/sh\necho 'Is the docker daemon running?' >&2; exit 1\n")
    (docker / "bin/dockerd").write_text("")
    (docker / "bin/dockerd").chmod(0o755)
    host = look(docker)["host"]
    if host["engine"]["state"] != "stopped" or host["engine"]["empty"]:
        pytest.skip("an engine runs on this machine, or none ever has")
    assert [(image["id"], image["registry"]) for image in host["images"]] == [(None, None), (None, None)]


def test_an_engine_that_is_lost_while_it_is_read(docker):
    script = docker / "bin/docker"
    script.write_text(script.read_text().replace('"volume ls") ;;', '"volume ls") echo EOF >&2; exit 1 ;;'))
    result = look(docker)
    assert result["failure"]["code"] == "ENGINE_LOST"
    assert result["msg"] == "Docker Engine stopped answering while it was read (volume ls: EOF)."
