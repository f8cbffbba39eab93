# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container of a coreapp, as docker inspect describes it."""

from __future__ import annotations

ID = "f" * 64
INSPECT = {
    "Id": ID,
    "Name": "/wa-coreapp-12",
    "Image": "sha256:core",
    "State": {"Status": "running"},
    "Config": {
        "Image": "docker.whatsapp.biz/coreapp:v2.19.4",
        "Env": ["WA_DB_PASSWORD=canary=db", "COREAPP_HOSTNAME=h1", "WA_APP_MULTICONNECT=1", "EMPTY"],
        "Labels": {
            "waent.fleet.cluster": "waent", "waent.fleet.kind": "coreapp", "waent.fleet.version": "v2.19.4",
        },
    },
    "HostConfig": {
        "PortBindings": {"6250/tcp": [{"HostIp": "127.0.0.1", "HostPort": "7000"}]},
        "RestartPolicy": {"Name": "unless-stopped"},
    },
    "NetworkSettings": {
        "Networks": {"waent": {}},
        "Ports": {
            "6250/tcp": [{"HostIp": "0.0.0.0", "HostPort": "6250"}, {"HostIp": "::", "HostPort": "6250"}],
            "53/udp": [{"HostPort": "53"}],
            "6251/tcp": None,
        },
    },
    "Mounts": [
        {"Destination": "/usr/local/wamedia", "Name": "whatsappMedia", "Source": "/var/lib/docker/volumes/x"},
        {"Destination": "/srv", "Source": "/host/srv"},
    ],
}  # fmt: skip
