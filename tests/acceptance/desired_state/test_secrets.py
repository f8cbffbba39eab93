# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets are where the containers need them, in the environment, and nowhere else on the host."""

from __future__ import annotations

import copy
import json

import pytest

SECRETS = ("wa_db_password", "wa_admin_password", "wa_api_key", "wa_jwt_key", "wa_cert", "wa_pin")

# Which of them which kind of container needs in its environment.
NEEDED = {
    "webapp": {"wa_db_password", "wa_api_key", "wa_jwt_key"},
    "master": {"wa_db_password"},
    "coreapp": {"wa_db_password"},
    "database": {"wa_db_password"},
}

testinfra_hosts = ["ansible://wa_cluster"]


@pytest.fixture
def secrets(variables):
    """The secrets that the inventory sets, by name."""
    found = {name: str(variables[name]) for name in SECRETS if variables.get(name)}
    assert {"wa_db_password", "wa_admin_password"} <= set(found)
    return found


def named_in(text, secrets):
    """Names of the secrets that can be read in the text."""
    return {name for name, value in secrets.items() if value in text}


def test_containers_hold_only_the_secrets_they_need(containers, secrets):
    for container in containers:
        held = named_in("\n".join(container.environment.values()), secrets)
        assert held <= NEEDED[container.kind], container.name
        assert "wa_db_password" in held, container.name


def test_nothing_but_the_environment_holds_a_secret(containers, secrets):
    for container in containers:
        rest = copy.deepcopy(dict(container.inspected))
        rest["Config"]["Env"] = []
        assert named_in(json.dumps(rest), secrets) == set(), container.name


def test_no_process_shows_a_secret_in_its_arguments(host, secrets):
    """Processes of the containers included: the host sees them all."""
    assert named_in(host.check_output("ps -ww -e -o args"), secrets) == set()


def test_no_secret_is_left_in_temporary_files_or_logs(host, secrets):
    found = host.run("sudo -n find /tmp /var/tmp /var/log /home /root/.ansible -type f -size -1024k -print0 2>/dev/null"
                     " | sudo -n xargs -0 -r cat 2>/dev/null")  # fmt: skip
    assert named_in(found.stdout, secrets) == set()


def test_container_logs_show_no_secret(host, containers, secrets):
    for container in containers:
        logs = host.run("docker logs %s 2>&1", container.name)
        assert logs.rc == 0
        assert named_in(logs.stdout, secrets) == set(), container.name
