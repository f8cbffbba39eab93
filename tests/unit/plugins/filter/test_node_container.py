# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""node_container: a placed node and the settings of its host become options of docker_container."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.filter.node_container import FilterModule
from ansible_collections.waent.fleet.tests.support.observed_host import SETTINGS, placed


def test_a_webapp():
    webapp = next(node for node in placed() if node["kind"] == "webapp")
    assert FilterModule().filters()["node_container"](webapp, SETTINGS) == {
        "name": "wa-webapp-1",
        "hostname": "wa-webapp-1",
        "image": "docker.whatsapp.biz/web:v2.19.4",
        "pull": "never",
        "state": "started",
        "recreate": False,
        "restart_policy": "unless-stopped",
        "command": ["/opt/whatsapp/bin/wait_on_mysql.sh", "/opt/whatsapp/bin/launch_within_docker.sh"],
        "cap_drop": ["MKNOD"],
        "env": {"WEBAPP_HOSTNAME": "h1", "WEBAPP_EXTERNAL_PORTS": "9090"},
        "labels": {
            "waent.fleet.cluster": "waent", "waent.fleet.kind": "webapp", "waent.fleet.version": "v2.19.4",
        },
        "published_ports": ["0.0.0.0:9090:443"],
        "network_mode": "waent",
        "networks": [{"name": "waent"}],
        "etc_hosts": {},
        "mounts": [{"type": "volume", "source": "whatsappMedia", "target": "/usr/local/wamedia"}],
        "log_driver": "json-file",
        "log_options": {"max-size": "50m", "max-file": "7"},
        "comparisons": {
            "env": "strict", "labels": "allow_more_present", "published_ports": "strict", "etc_hosts": "strict",
            "mounts": "strict", "cap_drop": "strict", "log_options": "allow_more_present",
        },
    }  # fmt: skip
