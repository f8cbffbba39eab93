# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is taken from the description of a container, and what is not."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._state.container import (
    describe_container,
)
from ansible_collections.waent.fleet.tests.support.docker_inspect import INSPECT


def test_what_others_ask_of_the_engine_is_nobody_s_business():
    theirs = {**INSPECT, "Config": {**INSPECT["Config"], "Labels": {}, "Cmd": ["--password=canary"]}}
    assert describe_container(theirs)["options"] is None


def test_a_stopped_container_shows_the_ports_of_its_next_start():
    stopped = {**INSPECT, "State": {"Status": "exited"}}
    assert describe_container(stopped)["ports"] == [{"host": 7000, "container": 6250}]


@pytest.mark.parametrize(
    ("image", "product"),
    [
        ("docker.whatsapp.biz/web:v2.19.4", "web"),
        ("reg:5000/mirror/coreapp:v2.53.1", "coreapp"),
        ("web:v2.19.4", None),
        ("reg/web:latest", None),
        ("reg/myweb:v2", None),
        (None, None),
    ],
)
def test_which_images_are_the_client_s(image, product):
    entry = {**INSPECT, "Config": {"Image": image}}
    assert describe_container(entry)["product"] == product


SCRIPT = "/opt/whatsapp/bin/launch_within_docker.sh"


@pytest.mark.parametrize("image", ["reg/mine:1", "sha256:0123", None])
@pytest.mark.parametrize(
    "command",
    [
        {"Cmd": ["/opt/whatsapp/bin/wait_on_mysql.sh", SCRIPT]},
        {"Entrypoint": ["/opt/whatsapp/bin/wait_on_postgres.sh"], "Cmd": [SCRIPT]},
        {"Entrypoint": ["/bin/sh", "-c"], "Cmd": ["exec " + SCRIPT]},
        {"Entrypoint": [SCRIPT], "Cmd": None},
    ],
)
@pytest.mark.parametrize(("env", "product"), [(["WEBAPP_HOSTNAME=h"], "web"), (["WA_DB_PASSWORD=canary"], "coreapp")])
def test_a_client_under_another_name_is_known_by_what_it_runs(image, command, env, product):
    entry = {**INSPECT, "Config": {"Image": image, "Env": env, **command}}
    assert describe_container(entry)["product"] == product


@pytest.mark.parametrize("words", [None, [], ["mysqld"], ["/opt/other/bin/launch_within_docker.sh"]])
def test_what_runs_something_else_is_none_of_the_client_s(words):
    entry = {**INSPECT, "Config": {"Image": "nginx:1", "Cmd": words, "Env": ["WA_DB_HOSTNAME=db"]}}
    assert describe_container(entry)["product"] is None
