# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry on a test host itself, with TLS, and what site.yml finds out about it before anything is changed."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.waent.fleet.tests.support import valid_variables
from ansible_collections.waent.fleet.tests.support.container_hosts import ContainerHosts
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, Run

PORT = 5443
HOME = "/srv/registry"
CERTIFICATE = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=registry -addext subjectAltName={0}"
    " -keyout {1}/key.pem -out {1}/cert.pem"
)
DAEMON = "start-stop-daemon --{0} --pidfile /run/host-registry.pid --exec /usr/bin/docker-registry"
KINDS = ("web", "coreapp")


@contextlib.contextmanager
def registry(fleet: ContainerHosts, host: str, subject: str, accounts: str = "") -> t.Iterator[None]:
    """It runs, and has nothing in it. subject: whom its certificate is for. accounts: an htpasswd file, if any."""
    auth = "auth: {{htpasswd: {{realm: test, path: {0}/accounts}}}}\n".format(HOME) if accounts else ""
    settings = (
        "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {0}/data}}}}\n"
        'http: {{addr: "127.0.0.1:{1}", tls: {{certificate: {0}/cert.pem, key: {0}/key.pem}}}}\n'
    ).format(HOME, PORT)
    fleet.run(host, "install -d {0} && ".format(HOME) + CERTIFICATE.format(subject, HOME))
    for name, text in (("registry.yml", settings + auth), ("accounts", accounts)):
        fleet.run(host, "printf %s %s > {0}/{1}".format(HOME, name), "%s", text)
    fleet.run(host, DAEMON.format("start") + " --background --make-pidfile -- serve {0}/registry.yml".format(HOME))
    try:
        yield
    finally:
        fleet.run(host, DAEMON.format("stop"))
        fleet.run(host, "rm -r {0} /run/host-registry.pid".format(HOME))


def push(fleet: ContainerHosts, host: str, registry_name: str) -> list[str]:
    """Images of both kinds, which are in the registry then and no more on the host. Returns their names."""
    images = ["{0}/{1}:v2.19.4".format(registry_name, kind) for kind in KINDS]
    for image in images:
        fleet.run(host, "printf 'FROM scratch\\nLABEL made=here\\n' | docker build --tag %s -", image)
        fleet.run(host, "docker push %s && docker rmi %s", image, image)
    return images


def checked(fleet: ContainerHosts, host: str, registry_name: str) -> Run:
    """site.yml in check mode, with the images of that registry; no database answers, so that it ends there."""
    fleet.write_hosts({host: {"ansible_become": True, "wa_address": fleet.address(host)}})
    variables = valid_variables.but(
        wa_db_host=fleet.address(host), wa_db_username="root", wa_db_port=3399, wa_image_registry=registry_name
    )
    run = fleet.site(variables, "--check")
    assert run.code == FAILED, run.output
    return run
