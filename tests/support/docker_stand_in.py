# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with a docker command that only answers, with one coreapp and one single-connect container on it."""

from __future__ import annotations

import json
import os

from ansible_collections.waent.fleet.tests.support.module_process import run_module_process

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
  "image inspect") echo '[]'; echo "Error: No such image: $3" >&2; exit 1 ;;
  "network ls") echo n ;;
  "network inspect") echo '[{{"Name": "waent", "IPAM": {{"Config": []}}}}]' ;;
  "volume ls") ;;
  "volume inspect") echo '[]'; echo "Error: No such volume: $3" >&2; exit 1 ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"""


def install_docker(directory):
    """A docker command that answers as an engine with two containers does, in C(bin) of the directory."""
    (directory / "bin").mkdir()
    (directory / "containers").write_text(json.dumps(CONTAINERS))
    script = directory / "bin/docker"
    script.write_text(
        DOCKER.format(root=directory, containers=directory / "containers", calls=directory / "calls"), encoding="utf-8"
    )
    script.chmod(0o755)


def read_host(docker, **options):
    """What wa_host_info finds on it. docker: the directory of C(install_docker)."""
    path = "{0}:{1}".format(docker / "bin", os.environ["PATH"])
    return run_module_process(
        "wa_host_info", path=path, **{"name": "h1", "images": IMAGES, "timeout": 1, "media": "whatsappMedia", **options}
    )
